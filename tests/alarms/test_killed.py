"""Killed between raising and telling, and started again: every event is raised once and reaches its listeners (P4)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.servers.installation import Office
from tests.servers.listener import Listening, hook
from tests.servers.offices import NewOffice, fresh_database
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access

from inboxbot.daemon.alarms import raise_and_tell

KILLED = 137
POINTS = (
    "alarm_in_transaction",
    "alarm_raised",
    "webhook_taken",
    "alarm_mail_made",
    "alarm_mail_claimed",
    "alarm_mail_before_dot",
    "send_after_dot",
    "alarm_mail_taken",
)
TWICE_TO_WEBHOOK = {"webhook_taken"}
TWICE_BY_MAIL = {"send_after_dot", "alarm_mail_taken"}


@pytest.fixture
def late(new_office: NewOffice, listener: Listening, tmp_path: Path, request: pytest.FixtureRequest) -> Office:
    """An installation with two cases whose promises are overdue by the real clock."""
    lines = 'alarm_addresses = ["vakt@example.se"]\n' + hook(tmp_path, listener.port, events='["overdue"]')
    office = new_office(fresh_database(request.param), company_lines=lines)
    office.clock.advance(hours=-25)
    office.receive(access("Anna Berg"), access("Bo Ek"))
    office.clock.advance(hours=25)
    return office


@pytest.mark.parametrize(
    ("late", "point"),
    [("sqlite", point) for point in POINTS]
    + [("postgresql", point) for point in ("alarm_in_transaction", "webhook_taken", "alarm_mail_before_dot")],
    indirect=["late"],
)
def test_killed_and_started_again(late: Office, listener: Listening, smtp: Script, point: str) -> None:
    late.installation.environment = {"INBOXBOT_CRASH_AT": point}
    done = late.installation.run("once", check=False)
    assert done.returncode == KILLED, done.stderr
    raised = late.rows("SELECT count(*) FROM events") == [(2,)]
    assert raised is (point != "alarm_in_transaction")
    assert late.rows("SELECT count(*) FROM history WHERE event = 'alarm_raised'") == [(2 if raised else 0,)]

    for _ in range(3):
        raise_and_tell(late.desk, now=late.clock)
        late.clock.advance(minutes=6)

    assert late.rows("SELECT count(*) FROM events") == [(2,)]
    assert late.rows("SELECT count(*) FROM history WHERE event = 'alarm_raised'") == [(2,)]
    heard = Counter(one.message["id"] for one in listener.heard)
    assert sorted(heard.values()) == [1, 2 if point in TWICE_TO_WEBHOOK else 1]
    assert len({one.body for one in listener.heard}) == 2
    assert len(smtp.taken) == (2 if point in TWICE_BY_MAIL else 1)
    assert len(set(smtp.taken)) == 1
    assert late.rows("SELECT DISTINCT state FROM deliveries") == [("done",)]


def test_a_mail_that_is_taken_twice_opens_and_tells_once(
    new_office: NewOffice, listener: Listening, tmp_path: Path, database: str
) -> None:
    office = new_office(database, company_lines=hook(tmp_path, listener.port))
    message = access()
    assert [office.receive(message).cases_opened for _ in range(2)] == [1, 0]
    raise_and_tell(office.desk, now=office.clock)
    assert listener.events == ["opened"]
