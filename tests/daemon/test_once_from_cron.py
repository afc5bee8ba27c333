"""`inboxbot once` for cron: told to end it finishes what it has in hand, and once a day it does the daily work."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from sqlalchemy import text
from tests.daemon.test_run import until
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office
from tests.servers.offices import NewOffice
from tests.servers.proxy import Proxy
from tests.servers.scripted_smtp import STALL, Script, scripted_smtp
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.daemon.daily import do_daily
from inboxbot.mailbox.workers import ReadingPool

Install = Callable[..., Installation]


def in_the_midst(house: Installation, point: str) -> None:
    """Let the commands get SIGTERM at a crash point."""
    house.environment = {"INBOXBOT_CRASH_AT": point, "INBOXBOT_CRASH_SIGNAL": str(int(signal.SIGTERM))}


def told_to_end(house: Installation) -> None:
    done = house.run("once")
    assert "told to end: the next run does the rest" in done.stderr
    assert "Traceback" not in done.stderr
    house.environment = {}


def test_f3_once_told_to_end_finishes_the_batch_and_the_letter_in_hand(
    installation: Install, dovecot: Dovecot, sink: Sink
) -> None:
    """F3: mails in hand are committed, nothing more is begun; of two letters one leaves; the next run does the rest."""
    house = installation()
    dovecot.append(house.username, [access("Anna Berg"), access("Bo Ek")])
    in_the_midst(house, "intake_in_transaction")
    told_to_end(house)
    with open_office(house) as office:
        assert len(office.cases()) == 2
        for draft in office.drafts():
            office.approve(draft.id)
    in_the_midst(house, "send_after_dot")
    told_to_end(house)
    with open_office(house) as office:
        assert [one.state for one in office.drafts()] == [DraftState.SENT, DraftState.APPROVED]
    with ReadingPool(1) as pool, open_office(house, pool=pool) as office:
        assert office.once().sent == 1
        assert [one.state for one in office.drafts()] == [DraftState.SENT, DraftState.SENT]
        assert len(office.cases()) == 2
    assert sorted(one.recipients[0] for one in sink.box) == ["anna.berg@example.org", "bo.ek@example.org"]


def test_f3_once_told_to_end_while_servers_say_nothing_more(installation: Install, dovecot: Dovecot) -> None:
    """F3: it waits for neither, in the end not even for the answer to a final dot; that letter is `unknown` then."""
    with Proxy(("127.0.0.1", dovecot.port)) as proxy, scripted_smtp(Script(dot=STALL)) as smtp:
        house = installation(imap_port=proxy.port, smtp_port=smtp.port)
        dovecot.append(house.username, [access("Anna Berg")])
        proxy.faults.stall_at = b"FETCH"
        assert ended(house, lambda: bool(proxy.from_server and b"FETCH" in proxy.said)) == 0
        proxy.faults.stall_at = None
        house.json("once")
        house.run("drafts", "approve", "1", "--by", "Eva Ek")
        assert ended(house, lambda: bool(smtp.taken)) == 0
        with open_office(house) as office:
            assert office.draft(1).state is DraftState.TRANSMITTING
            office.send()
            assert office.draft(1).state is DraftState.UNKNOWN
        assert len(smtp.taken) == 1


def ended(house: Installation, hangs: Callable[[], bool]) -> int:
    """Start `once`, tell it twice to end when it ``hangs``, and return its exit code."""
    process = house.start_quickly("once")
    until(hangs, "the server that stalls")
    begun = time.monotonic()
    for _ in range(2):
        os.kill(process.child, signal.SIGTERM)
    code = process.wait()
    assert time.monotonic() - begun < 10
    return code


def done_daily(office: Office) -> tuple[int, int]:
    """Do the daily work if it is due; return how many audits and runs of retention there were so far."""
    assert do_daily(office.desk, now=office.clock).errors == []
    counts = office.rows("SELECT (SELECT count(*) FROM audits), (SELECT count(*) FROM retention_runs)")
    return counts[0][0], counts[0][1]


def test_once_does_the_daily_work_when_a_day_has_passed(new_office: NewOffice, database: str) -> None:
    office = new_office(database, promise_hours=None)  # the clocks are looked at elsewhere in a run
    office.receive(access("Anna Berg"))
    assert done_daily(office) == (0, 0)
    office.clock.advance(hours=25)
    assert done_daily(office) == (1, 1)
    office.clock.advance(minutes=10)
    assert done_daily(office) == (1, 1)
    office.clock.advance(hours=25)
    assert done_daily(office) == (2, 2)


def test_a_broken_promise_is_an_error_of_the_run(installation: Install) -> None:
    house = installation(sound=False)
    with open_office(house) as office:
        office.receive(access("Anna Berg"))
        with office.desk.store.write() as connection:
            connection.execute(text("UPDATE installation SET created_at = '2026-01-01 00:00:00.000000'"))
            connection.execute(text("UPDATE cases SET state = 'closed'"))
    done = house.run("once", check=False)
    assert done.returncode == 1
    assert "audit: " in done.stderr
    assert "`inboxbot audit` names them" in done.stderr
