from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import shared_dovecot
from tests.servers.offices import database, new_office, smtp

from inboxbot.mailbox.workers import ReadingPool

__all__ = ["database", "new_office", "smtp"]


@pytest.fixture(scope="session")
def dovecot() -> Dovecot:
    return shared_dovecot()


@pytest.fixture(scope="session")
def pool() -> Iterator[ReadingPool]:
    with ReadingPool(1) as pool:
        yield pool
