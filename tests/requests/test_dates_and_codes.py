"""What moves a date, and what proves who asks: in the rooms, with a clock that the test holds."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re

import pytest
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import Script

from inboxbot.cases.values import CaseState, DraftState
from inboxbot.desk.context import Actor
from inboxbot.desk.enter import Entry, enter
from inboxbot.desk.identity import record_identity
from inboxbot.desk.write import write_letter
from inboxbot.errors import RefusedError
from inboxbot.sorting.kinds import Kind

EVA = Actor("Eva Ek", "terminal")
RECEIVED = dt.datetime(2026, 3, 5, 8, 0, tzinfo=dt.UTC)


def at(office: Office, day: int, hour: int = 9) -> dt.datetime:
    """Set the office's clock to an hour of a day in March 2026 and return that moment."""
    return set_clock(office, dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC))


def set_clock(office: Office, moment: dt.datetime) -> dt.datetime:
    office.clock.ahead = moment - dt.datetime.now(dt.UTC)
    return office.clock()


def opened(office: Office, *kinds: Kind) -> int:
    return enter(office.desk, None, Entry(RECEIVED, kinds, "bo@example.org"), actor=EVA, now=at(office, 5)).id


def answer_with(office: Office, words: str, message_id: str, answers: str) -> None:
    office.receive(
        f"From: Bo <bo@example.org>\r\nTo: kontakt@example.se\r\nSubject: Re: kod\r\nMessage-ID: {message_id}\r\n"
        f"In-Reply-To: {answers}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n".encode()
    )


def code_of(message: bytes) -> tuple[str, str]:
    """Return the code in a letter that went out, and the letter's Message-ID."""
    mail = email.message_from_bytes(message, policy=email.policy.default)
    found = re.search(r"\b[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}\b", str(mail.get_content()))
    assert found
    return found.group(), str(mail["Message-ID"])


def with_code(office: Office, smtp: Script, day: int) -> tuple[int, str, str]:
    """Open an access case, send a code to the address on file, and return (case id, code, Message-ID)."""
    case_id = opened(office, Kind.ACCESS)
    moment = at(office, day)
    record_identity(office.desk, case_id, actor=EVA, now=moment, address_on_file="bo@example.org", found_in="Register")
    office.approve(write_letter(office.desk, case_id, "code", actor=EVA, now=moment))
    office.send()
    return (case_id, *code_of(smtp.taken[-1]))


def test_the_right_code_proves_the_person_and_pauses_only_the_shown_date(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    _, code, message_id = with_code(office, smtp, 6)
    at(office, 8)
    answer_with(office, f"Koden är {code}", "<a1@example.org>", message_id)
    request = office.cases()[0].requests[0]
    assert request.answered_at is not None
    assert request.answered_at.date() == dt.date(2026, 3, 8)
    assert request.due_hard == dt.date(2026, 4, 7)
    assert request.due_paused == dt.date(2026, 4, 7)  # 5 April + 2 days is 7 April, a working day
    assert office.cases()[0].state is CaseState.OPEN


def test_the_code_is_kept_nowhere_in_clear(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    _, code, _ = with_code(office, smtp, 6)
    kept = str(office.rows("SELECT body, final FROM drafts")) + str(office.rows("SELECT text, detail FROM mails"))
    assert code not in kept
    assert code not in str(office.rows("SELECT hash FROM codes"))


@pytest.mark.parametrize("day", [10, 12])
def test_a_code_is_worth_nothing_after_three_days(new_office: NewOffice, smtp: Script, day: int) -> None:
    office = new_office()
    _, code, message_id = with_code(office, smtp, 6)
    at(office, day)
    answer_with(office, f"Koden är {code}", "<a1@example.org>", message_id)
    assert office.cases()[0].requests[0].answered_at is None


def test_a_code_takes_five_tries_and_one_use(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    _, code, message_id = with_code(office, smtp, 6)
    for place in range(5):
        answer_with(office, "Koden är 2222-3333", f"<w{place}@example.org>", message_id)
    answer_with(office, f"Koden är {code}", "<a1@example.org>", message_id)
    assert office.cases()[0].requests[0].answered_at is None
    assert office.rows("SELECT tries, used_at FROM codes") == [(5, None)]


def test_a_question_put_late_pauses_nothing(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    _, code, message_id = with_code(office, smtp, 20)
    at(office, 21)
    answer_with(office, f"Koden är {code}", "<a1@example.org>", message_id)
    request = office.cases()[0].requests[0]
    assert (request.due_hard, request.due_paused) == (dt.date(2026, 4, 7), dt.date(2026, 4, 7))


def test_an_extension_told_inside_the_month_moves_the_date(new_office: NewOffice) -> None:
    office = new_office()
    case_id = opened(office, Kind.ACCESS)
    moment = at(office, 30)
    reason = {"reason": "att begäran gäller fyra arkiv och att du har skickat tre begäranden"}
    office.approve(write_letter(office.desk, case_id, "extension", actor=EVA, now=moment, texts=reason))
    office.send()
    request = office.cases()[0].requests[0]
    assert (request.due_hard, request.extended_on) == (dt.date(2026, 6, 5), dt.date(2026, 3, 30))


def test_an_extension_after_the_month_is_refused_and_one_sent_late_moves_nothing(new_office: NewOffice) -> None:
    office = new_office()
    case_id = opened(office, Kind.ACCESS)
    texts = {"reason": "att begäran gäller fyra arkiv och att du har skickat tre begäranden"}
    draft_id = write_letter(office.desk, case_id, "extension", actor=EVA, now=at(office, 30), texts=texts)
    office.approve(draft_id)
    set_clock(office, dt.datetime(2026, 4, 8, 9, tzinfo=dt.UTC))
    with pytest.raises(RefusedError, match="month is over"):
        write_letter(office.desk, case_id, "extension", actor=EVA, now=office.clock(), texts=texts)
    office.send()
    request = office.cases()[0].requests[0]
    assert (request.due_hard, request.extended_on) == (dt.date(2026, 4, 7), None)


def test_nobody_is_asked_who_they_are_without_a_doubt(new_office: NewOffice) -> None:
    office = new_office()
    case_id = opened(office, Kind.ERASURE)
    record_identity(
        office.desk,
        case_id,
        actor=EVA,
        now=at(office, 6),
        address_on_file="bo@example.org",
        facts={"facts_confirmed": True},
    )
    with pytest.raises(RefusedError, match="nothing puts the identity in doubt"):
        write_letter(office.desk, case_id, "identity", actor=EVA, now=at(office, 6))


def test_a_new_mail_voids_an_approval(new_office: NewOffice, smtp: Script) -> None:
    office = new_office()
    opened(office, Kind.ERASURE)
    first = office.drafts(DraftState.PROPOSED)[0]
    office.approve(first.id)
    reference = office.cases()[0].reference
    office.receive(
        f"From: Bo <bo@example.org>\r\nTo: kontakt@example.se\r\nSubject: Re: [{reference}]\r\n"
        "Message-ID: <n1@example.org>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nVänta, jag har en fråga till.\r\n".encode()
    )
    assert office.draft(first.id).state is DraftState.PROPOSED
    office.send()
    assert smtp.taken == []
