from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.listener import Listening, running_listener
from tests.servers.offices import database, new_office, smtp

__all__ = ["database", "new_office", "smtp"]


@pytest.fixture
def listener() -> Iterator[Listening]:
    with running_listener() as one:
        yield one
