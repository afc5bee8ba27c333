from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.doors.mail_program import MailProgram
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office

from inboxbot.mailbox.workers import ReadingPool

DOORS = 'approval = ["web", "terminal", "drafts"]'
Opened = tuple[Office, MailProgram]


@pytest.fixture(scope="session")
def pool() -> Iterator[ReadingPool]:
    with ReadingPool(1) as pool:
        yield pool


@pytest.fixture
def shared_mailbox(
    installation: Callable[..., Installation], dovecot: Dovecot, pool: ReadingPool
) -> Iterator[Callable[..., Opened]]:
    """Open an installation with the drafts door on a fresh mailbox, and staff's mail program on the same mailbox."""
    with ExitStack() as stack:

        def make(mailbox_lines: str = DOORS, **fields: Any) -> Opened:
            made = installation(mailbox_lines=mailbox_lines, **fields)
            office = stack.enter_context(open_office(made, pool=pool))
            return office, MailProgram(dovecot, made.username)

        yield make
