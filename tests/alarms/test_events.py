"""What happens in a case is raised once and reaches those who listen (promises.md P4, P5, P7, F4, F90, F92)."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from tests.servers.installation import Installation, Office
from tests.servers.listener import SECRET, Listening, hook
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access, letter

from inboxbot.config.load import load_settings
from inboxbot.daemon.alarms import Alarms, ClockWatch, raise_and_tell
from inboxbot.desk.alarms import raise_due
from inboxbot.errors import ConfigError
from inboxbot.outbox.webhooks import tell_hooks
from inboxbot.store.mailboxes import note_served
from inboxbot.store.stops import add_stop

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def office(new_office: NewOffice, listener: Listening, tmp_path: Path, database: str) -> Office:
    return new_office(database, company_lines=hook(tmp_path, listener.port))


def status(office: Office) -> dict[str, Any]:
    done = office.installation.run("status", "--json", check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def alarms_in_history(office: Office) -> list[dict[str, Any]]:
    rows = office.rows("SELECT detail FROM history WHERE event = 'alarm_raised' ORDER BY id")
    return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in rows]


def test_a_case_is_told_of_from_its_opening_to_its_letter(office: Office, listener: Listening) -> None:
    office.receive(access(), letter("Öppettider?", "Hej, när har ni öppet på lördag?", sender="bo@example.net"))
    raise_and_tell(office.desk, now=office.clock)
    assert sorted(listener.events) == sorted("held" if one.held_reason else "opened" for one in office.cases())
    first = next(one.message for one in listener.heard if one.message["kinds"] == ["access"])
    assert (first["case"], first["state"], first["mailbox"]) == ("EX-2026-0001", "open", "kontakt@example.se")
    assert first["promise"]["status"] == "running"

    office.clock.advance(hours=20, minutes=1)
    raise_and_tell(office.desk, now=office.clock)
    office.clock.advance(hours=3)
    raise_and_tell(office.desk, now=office.clock)
    soon = [one.message for one in listener.heard if one.message["case"] == "EX-2026-0001"][1:]
    assert [(one["event"], one["minutes_before"], one["clock"]) for one in soon] == [
        ("due_soon", 240, "promise"),
        ("due_soon", 60, "promise"),
    ]

    draft = next(one for one in office.drafts() if one.reference == "EX-2026-0001")
    office.approve(draft.id)
    office.send()
    office.clock.advance(hours=5)
    raise_and_tell(office.desk, now=office.clock)
    told = [one.message["event"] for one in listener.heard if one.message["case"] == "EX-2026-0001"]
    assert told == ["opened", "due_soon", "due_soon", "sent"], "an answered promise is not overdue"
    last = next(one.message for one in listener.heard if one.message["event"] == "sent")
    assert last["promise"]["status"] == "met"


def test_nothing_personal_is_told(office: Office, listener: Listening, caplog: pytest.LogCaptureFixture) -> None:
    office.receive(access("Zebulon Canary"))
    office.clock.advance(days=2)
    raise_and_tell(office.desk, now=office.clock)
    office.approve(office.drafts()[0].id)
    office.send()
    raise_and_tell(office.desk, now=office.clock)
    assert set(listener.events) == {"opened", "overdue", "sent"}
    for one in listener.heard:
        assert not re.search(r"(?i)zebulon|canary|example\.org|uppgifter|Eva Ek", one.body.decode())
    kept = office.rows("SELECT detail FROM events"), office.rows("SELECT result FROM deliveries")
    assert not re.search(r"(?i)zebulon|canary|example\.org", str(kept))


def test_the_signature_is_checked_as_the_paper_says(office: Office, listener: Listening) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, str(DOCS), "exec"), names)
    check = names["is_from_inboxbot"]
    office.receive(access())
    raise_and_tell(office.desk, now=office.clock)
    (one,) = listener.heard
    assert check(SECRET, one.headers, one.body)
    assert not check("another", one.headers, one.body)
    assert not check(SECRET, one.headers, one.body + b" ")
    assert not check(SECRET, {**one.headers, "X-Inboxbot-Timestamp": str(int(time.time()) + 1)}, one.body)
    old = {**one.headers, "X-Inboxbot-Timestamp": str(int(time.time()) - 400)}
    assert not check(SECRET, old, one.body)
    assert one.headers["X-Inboxbot-Id"] == one.message["id"]


def test_each_step_is_raised_once_however_the_clock_goes(office: Office, listener: Listening) -> None:
    """P5, F90."""
    office.receive(access())
    office.clock.advance(hours=25)
    assert raise_due(office.desk, now=office.clock()) == 1
    for hours in (-2, -24 * 365, 24 * 365 + 1, 1):
        office.clock.advance(hours=hours)
        raise_due(office.desk, now=office.clock())
    promised = [one for one in alarms_in_history(office) if one["clock"] == "promise"]
    assert [one["minutes_before"] for one in promised] == [0]
    office.clock.advance(days=400)
    raise_due(office.desk, now=office.clock())
    legal = [one for one in alarms_in_history(office) if one["clock"] == "legal"]
    assert [one["minutes_before"] for one in legal] == [0]


def test_a_clock_that_was_set_forward_is_told_with_what_it_brought_about(office: Office, listener: Listening) -> None:
    """P5, F90: raised once, and the record says by how much."""
    office.receive(access())
    steady = [1000.0]
    alarms = Alarms(office.desk, now=office.clock, watch=ClockWatch(lambda: steady[0]))
    alarms.turn()
    office.clock.advance(days=1, hours=1)
    alarms._looked = None
    alarms.turn()
    (raised,) = alarms_in_history(office)
    assert abs(raised["clock_jumped_s"] - 25 * 3600) < 60
    assert [one.message.get("clock_jumped_s") is not None for one in listener.heard] == [False, True]


def test_a_machine_that_slept_raises_each_clock_once_and_no_jump(office: Office, listener: Listening) -> None:
    """F4, F92."""
    office.receive(access())
    steady = [1000.0]
    alarms = Alarms(office.desk, now=office.clock, watch=ClockWatch(lambda: steady[0]))
    alarms.turn()
    office.clock.advance(hours=30)
    steady[0] += 30 * 3600
    for _ in range(2):
        alarms._looked = None
        alarms.turn()
    (raised,) = alarms_in_history(office)
    assert (raised["minutes_before"], "clock_jumped_s" in raised) == (0, False)


def test_a_webhook_that_does_not_answer_is_asked_again_ever_more_slowly(office: Office, listener: Listening) -> None:
    office.receive(access())
    listener.status = 503
    tried = []
    for minute in range(0, 121, 5):
        before = len(listener.heard)
        tell_hooks(office.desk, now=office.clock)
        tried += [minute] if len(listener.heard) > before else []
        office.clock.advance(minutes=5)
    assert tried == [0, 5, 15, 35, 75]
    listener.status = 200
    office.clock.advance(hours=1)
    assert tell_hooks(office.desk, now=office.clock) == 1
    assert len({one.message["id"] for one in listener.heard}) == 1
    assert len({one.body for one in listener.heard}) == 1


def test_it_is_not_asked_for_ever_and_status_tells(office: Office, listener: Listening) -> None:
    office.receive(access())
    listener.status = 302  # not followed: the place it names is never asked
    for _ in range(60):
        tell_hooks(office.desk, now=office.clock)
        office.clock.advance(hours=1)
    assert len(listener.heard) == 48
    (failed,) = status(office)["events"]["failed"]
    assert (failed["event"], failed["case"], failed["to"], failed["result"]) == (
        "opened",
        "EX-2026-0001",
        "intranet",
        "302",
    )
    assert office.rows("SELECT state, result FROM deliveries") == [("failed", "302")]


def test_a_clock_set_back_does_not_make_a_delivery_wait_for_a_year(office: Office, listener: Listening) -> None:
    """F90."""
    office.receive(access())
    listener.status = 503
    tell_hooks(office.desk, now=office.clock)
    listener.status = 200
    office.clock.advance(days=-365)
    assert tell_hooks(office.desk, now=office.clock) == 1


def test_a_webhook_that_was_taken_out_of_the_settings_is_not_asked(
    new_office: NewOffice, listener: Listening, tmp_path: Path
) -> None:
    office = new_office(company_lines=hook(tmp_path, listener.port))
    office.receive(access())
    office.installation.company_lines = ""
    office.installation.write()
    again = new_office()
    tell_hooks(again.desk, now=again.clock)
    assert listener.heard == []
    assert again.rows("SELECT state, result FROM deliveries") == [("failed", "not_configured")]


def test_who_does_not_listen_is_not_told(new_office: NewOffice, listener: Listening, tmp_path: Path) -> None:
    office = new_office(company_lines=hook(tmp_path, listener.port, events='["sent"]'))
    office.receive(access())
    office.clock.advance(days=2)
    raise_and_tell(office.desk, now=office.clock)
    assert listener.heard == []
    assert [one["code"] for one in alarms_in_history(office)] == ["overdue"], "history has it all the same"


def test_a_name_that_leads_into_a_private_network_is_not_asked(
    new_office: NewOffice, listener: Listening, tmp_path: Path
) -> None:
    """E57."""
    office = new_office(company_lines=hook(tmp_path, listener.port).replace("http://127.0.0.1", "https://10.1.2.3"))
    office.receive(access())
    tell_hooks(office.desk, now=office.clock)
    assert office.rows("SELECT result FROM deliveries") == [("private_address",)]


def test_an_address_without_tls_is_refused_in_the_settings(tmp_path: Path) -> None:
    lines = hook(tmp_path, 80).replace("127.0.0.1", "intranet.example.se")
    place = Installation(tmp_path, 9, 9, "kontakt", "hemligt", company_lines=lines)
    with pytest.raises(ConfigError) as caught:
        load_settings(place.config)
    (fault,) = caught.value.faults
    assert fault.key == "company[1].webhooks[1].url"
    assert "https" in fault.what
    assert "sqlite" not in fault.cure


def test_a_mailbox_that_is_not_read_is_told_of_once_and_so_is_a_stop(office: Office, listener: Listening) -> None:
    """P7."""
    served = office.served()
    with office.desk.store.write() as connection:
        note_served(connection, served.id, office.clock())
        add_stop(connection, "letters_per_hour", at=office.clock(), actor="inboxbot", door="daemon", detail={})
    office.clock.advance(hours=25)
    for _ in range(3):
        raise_and_tell(office.desk, now=office.clock)
        office.clock.advance(hours=1)
    assert sorted(listener.events) == ["mailbox_blind", "sending_stopped"]
    blind = next(one.message for one in listener.heard if one.message["event"] == "mailbox_blind")
    assert (blind["mailbox"], blind["until"]) == ("kontakt@example.se", None)


def test_an_answer_that_staff_wrote_themselves_is_told_of(
    new_office: NewOffice, listener: Listening, tmp_path: Path
) -> None:
    office = new_office(company_lines='staff_addresses = ["stina@example.se"]\n' + hook(tmp_path, listener.port))
    office.receive(access(message_id="<a@mail.example.org>"))
    answer = letter(
        "Re: Mina uppgifter",
        "Hej Anna! Vi återkommer i morgon.",
        sender="Stina <stina@example.se>",
        to="Anna Berg <anna.berg@example.org>, kontakt@example.se",
        in_reply_to="<a@mail.example.org>",
    )
    office.receive(answer)
    raise_and_tell(office.desk, now=office.clock)
    assert [(one.message["event"], one.message.get("door")) for one in listener.heard] == [
        ("opened", None),
        ("sent", "mailbox"),
    ]


def test_a_dismissed_case_that_is_held_again_is_told_of_again(office: Office, listener: Listening) -> None:
    office.receive(access(message_id="<a@mail.example.org>"))
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE cases SET state = 'dismissed'")
    office.installation.sound = False
    for number in range(2):
        office.receive(access(in_reply_to="<a@mail.example.org>", message_id=f"<b{number}@mail.example.org>"))
    raise_and_tell(office.desk, now=office.clock)
    assert listener.events == ["opened", "held"]


def test_a_breaker_that_stops_sending_calls_a_person_in_the_same_transaction(
    new_office: NewOffice, listener: Listening, tmp_path: Path, smtp: Script
) -> None:
    """F66: S8."""
    lines = hook(tmp_path, listener.port, events='["sending_stopped"]')
    office = new_office(company_lines=lines, top_lines="[limits]\nstop_after_failures = 1\n")
    office.receive(access())
    office.approve(office.drafts()[0].id)
    smtp.rcpt = "550 nobody"
    office.send()
    assert office.rows("SELECT kind FROM events") == office.rows("SELECT 'sending_stopped' FROM stops")
    for _ in range(2):
        raise_and_tell(office.desk, now=office.clock)
    assert [one.message["reason"] for one in listener.heard] == ["failures"]


def test_a_case_that_is_broken_keeps_nobody_elses_alarm_back(
    new_office: NewOffice, listener: Listening, tmp_path: Path
) -> None:
    office = new_office(company_lines=hook(tmp_path, listener.port))
    office.receive(access("Anna Berg"), access("Bo Ek"), access("Cia Dahl"))
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE cases SET opened_at = 'nonsense' WHERE id = 2")
    office.installation.sound = False
    office.clock.advance(hours=25)
    raise_and_tell(office.desk, now=office.clock)
    told = {one.message["case"] for one in listener.heard if one.message["event"] == "overdue"}
    assert told == {"EX-2026-0001", "EX-2026-0003"}
