"""Mails to staff: grouped, limited, without anything personal, and never a case when they come back (C75, S7)."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import DROP, Script
from tests.servers.writing import US, access, bounce_of, fresh_id, letter

from inboxbot.cases.references import NO_CASE, token_of
from inboxbot.daemon.alarms import raise_and_tell
from inboxbot.desk.alarms import raise_due
from inboxbot.desk.breaker import FAILURES, OVER_HOUR, OVER_RECIPIENT
from inboxbot.desk.gate import BY_HAND
from inboxbot.desk.restored import RESTORED
from inboxbot.outbox.alarm_mails import COLLECT, tell_staff
from inboxbot.store.stops import add_stop

STOPS = (BY_HAND, RESTORED, OVER_RECIPIENT, OVER_HOUR, FAILURES, "without_mark", "other_database", "older_copy")
STAFF = 'alarm_addresses = ["vakt@example.se", "johan@example.se"]\n'
ONE = 'alarm_addresses = ["vakt@example.se"]\n'
DESK = '[web]\nbase_url = "https://desk.example.se"\n'


def mails(smtp: Script) -> list[EmailMessage]:
    return [email.message_from_bytes(one, policy=email.policy.default) for one in smtp.taken]


def words(one: EmailMessage) -> str:
    return str(one.get_content())


def states(office: Office) -> list[tuple[object, ...]]:
    return office.rows("SELECT state, unsure FROM alarm_mails ORDER BY id")


def test_many_events_make_one_mail_to_each_address(new_office: NewOffice, smtp: Script, database: str) -> None:
    office = new_office(database, company_lines=STAFF, top_lines=DESK)
    office.receive(*(access(f"Zebulon Canary{number}") for number in range(60)))
    office.clock.advance(hours=25)
    raise_and_tell(office.desk, now=office.clock)
    found = mails(smtp)
    assert sorted(str(one["To"]) for one in found) == ["johan@example.se", "vakt@example.se"]
    one = found[0]
    assert one["Subject"] == "inboxbot – försenade: 60"
    assert one["Auto-Submitted"] == "auto-generated"
    assert "EX-2026-0001: svaret skulle ha gått i väg" in words(one)
    assert "https://desk.example.se/cases/EX-2026-0001" in words(one)
    assert "… och 10 till" in words(one)
    assert not any(word in words(one).lower() for word in ("zebulon", "canary", "example.org", "registerutdrag"))
    assert token_of(office.desk.secret, str(one["Message-ID"])) == NO_CASE
    assert len({str(each["Message-ID"]) for each in found}) == 2
    raise_and_tell(office.desk, now=office.clock)
    assert len(smtp.taken) == 2, "nobody is told twice"


def test_the_daemon_waits_a_minute_for_what_else_happens(new_office: NewOffice, smtp: Script) -> None:
    office = new_office(company_lines=ONE)
    office.receive(access("Anna Berg"))
    office.clock.advance(hours=25)
    raise_due(office.desk, now=office.clock())
    assert tell_staff(office.desk, now=office.clock, collect=COLLECT) == 0
    office.clock.advance(seconds=30)
    with office.desk.store.write() as connection:
        add_stop(connection, "letters_per_hour", at=office.clock(), actor="inboxbot", door="daemon")
    raise_due(office.desk, now=office.clock())
    assert tell_staff(office.desk, now=office.clock, collect=COLLECT) == 0
    office.clock.advance(seconds=31)
    assert tell_staff(office.desk, now=office.clock, collect=COLLECT) == 1
    (one,) = mails(smtp)
    assert one["Subject"] == "inboxbot – sändningen av brev vilar, försenade: 1"
    assert "letters per hour" in words(one)


def test_the_language_is_that_of_the_company(new_office: NewOffice, smtp: Script) -> None:
    office = new_office(company_lines='language = "de"\n' + ONE)
    office.receive(access())
    office.clock.advance(hours=21)
    raise_and_tell(office.desk, now=office.clock)
    (one,) = mails(smtp)
    assert one["Subject"] == "inboxbot – due soon: 1"
    assert "EX-2026-0001: answer before" in words(one)


def test_an_hour_has_its_limit_and_nothing_is_lost(new_office: NewOffice, smtp: Script) -> None:
    """S8: what is over the limit waits and goes later."""
    office = new_office(company_lines=ONE, top_lines="[limits]\nalarms_per_hour = 2\n")
    for number in range(5):
        office.receive(access(f"Anna Berg{number}"))
        office.clock.advance(hours=25)
        raise_and_tell(office.desk, now=office.clock)
        office.clock.advance(hours=-25)
    assert len(smtp.taken) == 2
    assert office.rows("SELECT DISTINCT result FROM alarm_mails WHERE state = 'waiting'") == [("limit_per_hour",)]
    for _ in range(4):
        office.clock.advance(hours=1)
        tell_staff(office.desk, now=office.clock)
    text = "".join(words(one) for one in mails(smtp))
    assert all(f"EX-2026-000{number}" in text for number in range(1, 6))


@pytest.mark.parametrize(("step", "answer"), [("rcpt", "451 later"), ("banner", DROP), ("data", DROP)])
def test_what_did_not_go_out_is_tried_again(new_office: NewOffice, smtp: Script, step: str, answer: str) -> None:
    office = new_office(company_lines=ONE)
    office.receive(access())
    office.clock.advance(hours=25)
    good = getattr(smtp, step)
    setattr(smtp, step, answer)
    raise_and_tell(office.desk, now=office.clock)
    assert smtp.taken == []
    setattr(smtp, step, good)
    raise_and_tell(office.desk, now=office.clock)
    assert smtp.taken == [], "not hammered"
    office.clock.advance(minutes=6)
    raise_and_tell(office.desk, now=office.clock)
    assert len(smtp.taken) == 1
    assert states(office) == [("done", 0)]


def test_a_refused_mail_is_given_up_and_shown(new_office: NewOffice, smtp: Script) -> None:
    office = new_office(company_lines=ONE)
    office.receive(access())
    office.clock.advance(hours=25)
    smtp.rcpt = "550 5.1.1 <vakt@example.se> is nobody here"
    raise_and_tell(office.desk, now=office.clock)
    assert office.rows("SELECT state, result FROM deliveries") == [("failed", "envelope 550")]
    told = office.installation.run("status", check=False).stdout
    assert "overdue of EX-2026-0001 to vakt@example.se: envelope 550, given up" in told
    assert "last alarm" in told


def test_when_nobody_can_know_it_goes_once_more_and_then_no_more(new_office: NewOffice, smtp: Script) -> None:
    office = new_office(company_lines=ONE)
    office.receive(access())
    office.clock.advance(hours=25)
    smtp.dot = DROP
    for _ in range(4):
        raise_and_tell(office.desk, now=office.clock)
        office.clock.advance(hours=1)
    assert len(smtp.taken) == 2
    assert smtp.taken[0] == smtp.taken[1], "the same mail, known again by its Message-ID"
    assert states(office) == [("unknown", 2)]
    assert "nobody knows whether it arrived" in office.installation.run("status", check=False).stdout


def test_another_mailbox_tells_when_the_first_ones_server_is_down(new_office: NewOffice, smtp: Script) -> None:
    more = f"""
[[company.mailbox]]
address = "info@example.se"
[company.mailbox.imap]
host = "127.0.0.1"
port = 9
security = "none"
username = "info"
password_file = "imap-password"
[company.mailbox.smtp]
host = "127.0.0.1"
port = {smtp.port}
security = "none"
"""
    office = new_office(company_lines=ONE, more=more, smtp_port=9)
    office.receive(access())
    office.clock.advance(hours=25)
    raise_and_tell(office.desk, now=office.clock)
    office.clock.advance(minutes=6)
    raise_and_tell(office.desk, now=office.clock)
    assert [str(one["From"]) for one in mails(smtp)] == ["inboxbot <info@example.se>"]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_mail_to_staff_that_comes_back_is_nobodys_case(new_office: NewOffice, smtp: Script, language: str) -> None:
    """C70, C75, E16, S7: copied to the mailbox, bounced, answered by a machine, or sent on by a list."""
    office = new_office(company_lines=f'language = "{language}"\nalarm_addresses = ["{US}"]\n')
    office.receive(access(), letter("?", "hej", sender="x@example.net"))
    with office.desk.store.write() as connection:
        add_stop(connection, "letters_per_hour", at=office.clock(), actor="inboxbot", door="daemon")
    office.clock.advance(hours=25)
    raise_and_tell(office.desk, now=office.clock)
    (alarm,) = smtp.taken
    message_id = str(mails(smtp)[0]["Message-ID"])
    before = len(office.cases())
    listed = alarm.replace(b"From: inboxbot <kontakt@example.se>", b"From: Vakten <vakten@lists.example.net>")
    assert listed != alarm
    away = letter(
        "Autosvar: jag är ledig",
        "Radera mig! " + words(mails(smtp)[0]),
        sender="vakt@example.net",
        in_reply_to=message_id,
        headers=[("Auto-Submitted", "auto-replied")],
    )
    returned = bounce_of(message_id, US)
    tally = office.receive(alarm, listed, away, returned)
    assert (tally.cases_opened, tally.held, tally.ignored) == (0, 0, 4)
    assert len(office.cases()) == before
    assert [row["reason"] for row in office.ledger()[-4:]] == ["own_mail"] * 4


@pytest.mark.parametrize("language", ["sv", "en"])
def test_its_words_ask_for_nothing_even_without_our_marks(new_office: NewOffice, smtp: Script, language: str) -> None:
    """C76."""
    office = new_office(company_lines=f'language = "{language}"\n' + ONE)
    office.receive(access())
    with office.desk.store.write() as connection:
        for why in STOPS:
            add_stop(connection, why, at=office.clock(), actor="inboxbot", door="daemon")
    office.clock.advance(days=20)
    raise_and_tell(office.desk, now=office.clock)
    assert not any(f"({why.replace('_', ' ')})" in words(mails(smtp)[0]) for why in STOPS), "a reason without words"
    bare = letter("Fwd", words(mails(smtp)[0]), sender="vakt@example.net", message_id=fresh_id())
    office.receive(bare)
    assert [one.kind.value for one in office.cases()[-1].requests] == ["other"]
