from __future__ import annotations

from collections.abc import Iterator

import pytest

from inboxbot.mailbox.workers import ReadingPool


@pytest.fixture(scope="session")
def pool() -> Iterator[ReadingPool]:
    with ReadingPool(1) as pool:
        yield pool
