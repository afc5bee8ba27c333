"""One place says whether letters may leave, and what smells of a loop or a fault shuts it (S8, F66, C76)."""

from __future__ import annotations

import pytest
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.servers.scripted_smtp import DROP, Script
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.desk import sending
from inboxbot.desk.context import Actor
from inboxbot.desk.gate import release, stop
from inboxbot.errors import RefusedError, UsageError
from inboxbot.store.drafts import Turn
from inboxbot.store.people import EVERY_COMPANY, Role, add_user
from inboxbot.store.stops import Stop, past_stops, standing_stops

EVA = Actor("Eva Ek", "terminal")


def stops(office: Office) -> list[Stop]:
    with office.desk.store.read() as connection:
        return standing_stops(connection)


def asked(office: Office, number: int, *, sender: str = "Anna Berg") -> None:
    """Let somebody ask once more, and approve whatever letter comes of it."""
    office.receive(access(sender, message_id=f"<round{number}@example.org>"))
    for one in office.drafts(DraftState.PROPOSED):
        office.approve(one.id)


def test_nothing_leaves_while_sending_is_stopped(new_office: NewOffice, smtp: Script, database: str) -> None:
    office = new_office(database)
    asked(office, 1)
    stop(office.desk, actor=EVA, now=office.clock(), note="Fel i mallen\x1b[2J")

    assert office.send().sent == 0
    assert smtp.connections == 0
    (one,) = stops(office)
    assert (one.why, one.actor, one.door, one.note) == ("by_hand", "Eva Ek", "terminal", "Fel i mallen\ufffd[2J")
    with pytest.raises(RefusedError, match="already"):
        stop(office.desk, actor=EVA, now=office.clock())

    release(office.desk, actor=Actor("Bo Ek", "web"), now=office.clock())
    assert office.send().sent == 1
    with office.desk.store.read() as connection:
        (past,) = past_stops(connection, limit=5)
    assert (past.released_by, past.released_door) == ("Bo Ek", "web")
    with pytest.raises(RefusedError, match="not stopped"):
        release(office.desk, actor=EVA, now=office.clock())


def test_a_stop_holds_even_a_letter_that_is_being_handed_over(new_office: NewOffice) -> None:
    """The server is greeted, then a person stops sending: the letter is not claimed, so no byte of it goes out."""
    office = new_office()
    asked(office, 1)
    letter = sending.next_letter(office.desk, now=office.clock(), turn=Turn())
    assert letter is not None
    attempt = sending.begin(office.desk, letter, phase="connect", now=office.clock())
    stop(office.desk, actor=EVA, now=office.clock())

    with pytest.raises(RefusedError, match="sending is stopped"):
        sending.claim(office.desk, letter, attempt, phase="body", now=office.clock())
    assert office.drafts()[0].state is DraftState.APPROVED


def test_only_who_may_approve_for_every_company_releases(new_office: NewOffice) -> None:
    office = new_office()
    stop(office.desk, actor=EVA, now=office.clock())
    with office.desk.store.write() as connection:
        for name, role, companies in (
            ("Eva Ek", Role.STAFF, [EVERY_COMPANY]),
            ("Bo Ek", Role.APPROVER, ["Annat AB"]),
            ("Cia Dahl", Role.APPROVER, [EVERY_COMPANY]),
        ):
            add_user(connection, name, role=role, companies=companies, password="-", now=office.clock())
    for name in ("Eva Ek", "Bo Ek", "Nils Nilsson"):
        with pytest.raises(RefusedError, match="may not release"):
            release(office.desk, actor=Actor(name, "terminal"), now=office.clock())
    release(office.desk, actor=Actor("Cia Dahl", "terminal"), now=office.clock())
    assert stops(office) == []


def test_a_stop_that_came_after_the_page_was_shown_stays(new_office: NewOffice) -> None:
    office = new_office()
    seen = stop(office.desk, actor=EVA, now=office.clock())
    release(office.desk, actor=EVA, now=office.clock(), seen=[seen.id])
    stop(office.desk, actor=EVA, now=office.clock())
    with pytest.raises(RefusedError, match="came since"):
        release(office.desk, actor=EVA, now=office.clock(), seen=[seen.id])
    assert len(stops(office)) == 1
    with pytest.raises(UsageError, match="at most"):
        stop(office.desk, actor=EVA, now=office.clock(), note="x" * 500)


# --- the breaker -----------------------------------------------------------------------------------------------------


def test_letters_approved_in_one_go_wait_for_the_limit_and_trip_nothing(
    new_office: NewOffice, smtp: Script, database: str
) -> None:
    office = new_office(database, top_lines="[limits]\nper_hour = 2\nstop_after_over_hour = 1")
    office.receive(*[access(f"Person Nummer{one}") for one in range(6)])
    for one in office.drafts():
        office.approve(one.id)
    for hour in range(3):
        assert office.send().sent == 2, hour
        assert stops(office) == []
        office.clock.advance(hours=1, minutes=6)


def test_letters_asked_for_beyond_the_hour_trip_the_breaker(new_office: NewOffice, smtp: Script, database: str) -> None:
    """C76, E14, E16."""
    office = new_office(database, top_lines="[limits]\nper_hour = 3\nstop_after_over_hour = 4")
    for number in range(3 + 3):
        asked(office, number, sender=f"Person Nummer{number}")
        office.clock.advance(seconds=20)
        office.send()
        assert stops(office) == []
    asked(office, 9, sender="Person Nummer9")
    office.send()

    (one,) = stops(office)
    assert (one.why, one.actor, one.door, one.detail) == ("over_hour", "inboxbot", "daemon", {"letters": 4})
    office.clock.advance(days=2)
    assert office.send().sent == 0, "time alone does not release it"
    assert len(smtp.taken) == 3
    release(office.desk, actor=EVA, now=office.clock())
    assert office.send().sent == 3
    assert stops(office) == [], "what a person released does not count again"


def test_letters_asked_for_to_who_has_the_days_number_trip_the_breaker(
    new_office: NewOffice, smtp: Script, database: str
) -> None:
    """C76, E14, E16."""
    office = new_office(database, top_lines="[limits]\nper_recipient_per_day = 2\nstop_after_over_recipient = 2")
    for number in range(2 + 1):
        asked(office, number)
        office.clock.advance(seconds=20)
        office.send()
    assert stops(office) == []
    asked(office, 8, sender="Bo Ek")
    assert office.send().sent == 1, "somebody else is not held by it"
    asked(office, 9)
    office.send()
    (one,) = stops(office)
    assert (one.why, one.detail["letters"]) == ("over_recipient", 2)
    assert "anna.berg" not in str(one.detail)


@pytest.mark.parametrize(("step", "fault"), [("rcpt", "550 5.1.1 no such user"), ("dot", DROP)])
def test_failures_in_a_row_trip_the_breaker_and_one_success_between_does_not(
    new_office: NewOffice, smtp: Script, step: str, fault: str
) -> None:
    """F66, F67."""
    office = new_office(top_lines="[limits]\nstop_after_failures = 3")
    fine = getattr(smtp, step)
    for number, fails in enumerate([True, True, False, True, True, True]):
        asked(office, number, sender=f"Person Nummer{number}")
        assert stops(office) == []
        setattr(smtp, step, fault if fails else fine)
        office.send()
    assert [one.why for one in stops(office)] == ["failures"]
    setattr(smtp, step, fine)
    release(office.desk, actor=EVA, now=office.clock())
    asked(office, 7, sender="Person Nummer7")
    assert office.send().sent == 1
