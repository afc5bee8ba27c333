from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.servers.installation import Installation, Office, open_office
from tests.servers.offices import database, new_office, smtp

from inboxbot.mailbox.workers import ReadingPool

__all__ = ["database", "new_office", "smtp"]
OpenHere = Callable[..., Office]


@pytest.fixture(scope="session")
def pool() -> Iterator[ReadingPool]:
    """Workers that read and judge, shared by the tests of this process."""
    with ReadingPool(1) as pool:
        yield pool


@pytest.fixture
def open_here(installation: Callable[..., Installation], pool: ReadingPool) -> Iterator[OpenHere]:
    """Open an installation on Dovecot and the sink in this process; keywords are fields of `Installation`."""
    with ExitStack() as stack:

        def start(**fields: Any) -> Office:
            return stack.enter_context(open_office(installation(**fields), pool=pool))

        yield start
