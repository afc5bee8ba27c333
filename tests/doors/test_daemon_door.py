"""The drafts folder under the daemon: placed soon after the mail came, taken away soon after another door was used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.daemon.test_run import running, until
from tests.doors.conftest import Opened
from tests.doors.mail_program import SENT
from tests.servers.sink import Sink
from tests.servers.writing import access

QUICK = "[daemon]\noutbox_every_s = 1\nround_every_s = 3600\n"


@pytest.mark.parametrize("by_hand", [False, True], ids=["terminal", "mail-program"])
def test_between_the_rounds_letters_come_and_go(
    shared_mailbox: Callable[..., Opened], sink: Sink, by_hand: bool
) -> None:
    office, program = shared_mailbox(more=QUICK)
    with running(office.installation) as daemon:
        until(
            lambda: office.rows("SELECT 1 FROM folders WHERE role = 'drafts' AND round_at IS NOT NULL"), "first round"
        )
        program.dovecot.deliver(program.user, access("Anna Berg"))
        until(program.uids_of_drafts, "the letter lies in the drafts folder")
        if by_hand:
            program.send()
            office.approve(1)
        else:
            office.approve(1)
            until(lambda: sink.box, "the letter left")
        until(lambda: office.draft(1).state.value == "sent", "the letter counts as sent")
        until(lambda: not program.uids_of_drafts(), "our draft is gone")
        assert daemon.stop()[0] == 0
    assert len(sink.box) + (len(program.uids(SENT)) if by_hand else 0) == 1
    assert office.events("EX-2026-0001").count("letter_sent") == 1
