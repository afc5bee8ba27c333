"""Faults that need the real daemon: stopped and gone on, signals in the midst of work, numbered anew while it waits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.daemon.test_run import QUICK, count, drafts, running, until
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, open_office
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.mailbox.workers import ReadingPool

Install = Callable[..., Installation]
LETTERS = "SELECT count(*) FROM drafts WHERE state = '{}'"


def waits(house: Installation) -> int:
    """Return how many folders were looked through."""
    return count(house, "SELECT count(*) FROM folders WHERE role = 'inbox' AND round_at IS NOT NULL")


@pytest.mark.parametrize("point", ["intake_in_transaction", "send_after_dot"])
def test_f3_told_to_end_in_the_midst_of_work_it_ends_in_order(
    installation: Install, dovecot: Dovecot, sink: Sink, point: str
) -> None:
    """F3: at a crash point comes SIGTERM, and a second one right after it."""
    house = installation(top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg")])
    if point.startswith("send"):
        house.json("once")
        house.run("drafts", "approve", "1", "--by", "Eva Ek")
    house.environment = {"INBOXBOT_CRASH_AT": point, "INBOXBOT_CRASH_SIGNAL": str(int(signal.SIGTERM))}
    with running(house) as daemon:
        until(lambda: daemon.logged("event=stopping") or daemon.process.poll() is not None, "the signal")
        begun = time.monotonic()
        if daemon.process.poll() is None:
            daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(30) == 0
        assert time.monotonic() - begun < 10
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
    house.environment = {}
    with ReadingPool(1) as pool, open_office(house, pool=pool) as office:
        office.once()
        office.clock.advance(minutes=10)
        office.once()
        assert [one.requester for one in office.cases()] == ["anna.berg@example.org"]
        assert len(office.drafts()) == 1
        if point.startswith("send"):
            assert office.drafts()[0].state is DraftState.SENT
            assert [one.recipients for one in sink.box] == [["anna.berg@example.org"]]


def test_f4_f92_stopped_and_woken_again_it_goes_on_and_sends_once(
    installation: Install, dovecot: Dovecot, sink: Sink, tmp_path: Path
) -> None:
    """F4, F92: while it is frozen its connection dies, mail comes, a letter is approved, and the heartbeat stands."""
    beat = tmp_path / "beat"
    house = installation(top_lines=f'{QUICK}heartbeat_file = "{beat}"')
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        until(lambda: drafts(house) == 1 and beat.exists(), "the first mail and a beat")
        os.kill(daemon.process.pid, signal.SIGSTOP)
        until(lambda: Path(f"/proc/{daemon.process.pid}/stat").read_text().split()[2] == "T", "the stop")
        frozen = beat.stat().st_mtime_ns
        dovecot.doveadm("kick", house.username)
        dovecot.append(house.username, [access("Bo Ek")])
        house.run("drafts", "approve", "1", "--by", "Eva Ek")
        time.sleep(2.5)  # two beats and two looks of the outbox pass unheard
        assert (beat.stat().st_mtime_ns, sink.box, drafts(house)) == (frozen, [], 1)
        os.kill(daemon.process.pid, signal.SIGCONT)
        until(lambda: drafts(house) == 2 and count(house, LETTERS.format("sent")) == 1, "both")
        until(lambda: beat.stat().st_mtime_ns > frozen, "the next beat")
        assert daemon.stop()[0] == 0
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
    assert [one.recipients for one in sink.box] == [["anna.berg@example.org"]]


def test_f31_numbered_anew_while_it_waits_for_news(installation: Install, dovecot: Dovecot) -> None:
    """F31: UIDVALIDITY changes and mail arrives while IDLE is held; old mail opens nothing, the new one is a case."""
    house = installation(top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg"), access("Bo Ek")])
    with running(house) as daemon:
        until(lambda: drafts(house) == 2 and waits(house), "the mail that lay there")
        time.sleep(0.5)  # in IDLE now
        dovecot.doveadm("mailbox", "update", "-u", house.username, "--uid-validity", "777001", "INBOX")
        dovecot.append(house.username, [access("Cia Dahl")])
        until(lambda: drafts(house) == 3, "the new mail")
        until(lambda: count(house, "SELECT count(*) FROM folders WHERE uidvalidity = 777001"), "the new numbers")
        assert daemon.stop()[0] == 0
    requesters = sorted(one["requester"] for one in house.json("cases", "list"))
    assert requesters == ["anna.berg@example.org", "bo.ek@example.org", "cia.dahl@example.org"]
    assert count(house, "SELECT count(*) FROM ledger WHERE state = 'case' AND uidvalidity = 777001") == 3


def test_f40_mail_taken_away_by_another_program_while_it_is_listed(installation: Install, dovecot: Dovecot) -> None:
    """F40: staff expunge and move while the daemon works; it takes what stays and does not try for ever."""
    house = installation(top_lines=QUICK)
    with running(house) as daemon:
        until(lambda: waits(house), "a round")
        for number in range(12):
            dovecot.append(house.username, [access(f"Person Nummer{number}")])
            wire = dovecot.imap(house.username)
            wire.uid("STORE", str(number + 1), "+FLAGS", r"(\Deleted)") if number % 2 else None
            wire.expunge()
            wire.logout()
        dovecot.append(house.username, [access("Sist Kvar")])
        until(
            lambda: count(house, "SELECT count(*) FROM cases WHERE requester LIKE 'sist.%'"),
            "the last mail",
        )
        assert daemon.stop()[0] == 0
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
    asked = {one["requester"] for one in house.json("cases", "list")}
    assert {f"person.nummer{number}@example.org" for number in range(0, 12, 2)} <= asked
    assert house.json("once")["taken"] == 0
