"""Killed at random, over and over, while mail lies there and letters wait (promises.md F2).

``INBOXBOT_TEST_KILLS`` makes the storm longer; 25 kills over 120 mails are part of every run.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, open_office
from tests.servers.sink import running_sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.mailbox.workers import ReadingPool

KILLS = int(os.environ.get("INBOXBOT_TEST_KILLS", "25"))
MAILS = 120


def killed_while_it_worked(house: Installation, chance: random.Random) -> None:
    """Start ``once`` and kill it somewhere on its way; on a machine that was done sooner, try again earlier."""
    latest = 1.2
    for _ in range(20):
        process = house.start_quickly("once")
        time.sleep(chance.uniform(0.02, latest))
        process.kill()
        ended = process.wait()
        if ended == -signal.SIGKILL:
            return
        assert ended == 0, (house.folder / "started" / "err").read_text(encoding="utf-8")
        latest *= 0.7
    raise AssertionError("no run was long enough to be killed")


def test_a_storm_of_kills_loses_nothing_and_doubles_nothing(
    tmp_path: Path, dovecot: Dovecot, pool: ReadingPool
) -> None:
    chance = random.Random(2026)
    user = dovecot.new_user()
    mails = [access(f"Person Nummer{number}") for number in range(MAILS)]
    dovecot.append(user, mails[:40])
    with running_sink() as sink:
        house = Installation(tmp_path, dovecot.port, sink.port, user, dovecot.password)
        brought = 40
        for kill in range(KILLS):
            killed_while_it_worked(house, chance)
            if brought < MAILS and kill % 2:
                dovecot.append(user, mails[brought : brought + 10])
                brought += 10
            if kill % 5 == 4:
                with open_office(house) as office:
                    for draft in office.drafts(DraftState.PROPOSED)[:8]:
                        office.approve(draft.id)
        dovecot.append(user, mails[brought:])

        with open_office(house, pool=pool) as office:
            office.once()
            office.clock.advance(minutes=10)
            office.once()
            uids = [row[0] for row in office.rows("SELECT uid FROM ledger ORDER BY uid")]
            assert uids == list(range(1, MAILS + 1))
            assert len({one.requester for one in office.cases()}) == len(office.cases()) == MAILS
            assert len(office.drafts()) == MAILS
            assert office.drafts(DraftState.APPROVED, DraftState.TRANSMITTING, DraftState.FAILED) == []
            delivered = [one.recipients[0] for one in sink.box]
            assert len(delivered) == len(set(delivered)), "somebody got a letter twice"
            sent = {one.recipient for one in office.drafts(DraftState.SENT)}
            doubtful = {one.recipient for one in office.drafts(DraftState.UNKNOWN)}
            assert sent <= set(delivered) <= sent | doubtful
            approved = {row[0] for row in office.rows("SELECT draft_id FROM approvals WHERE void_at IS NULL")}
            assert {one.id for one in office.drafts(DraftState.SENT, DraftState.UNKNOWN)} == approved
            assert sorted(one.reference[-4:] for one in office.cases()) == [f"{n:04}" for n in range(1, MAILS + 1)]
            assert office.rows("PRAGMA integrity_check") == [("ok",)]
