"""A case that was dismissed and goes on is held again, and says why (promises.md I6)."""

from __future__ import annotations

from tests.servers.offices import NewOffice
from tests.servers.writing import access, letter

from inboxbot.desk.context import Actor
from inboxbot.desk.settle import dismiss, reopen

EVA = Actor("Eva Ek", "terminal")


def test_a_dismissed_case_that_goes_on_says_why_it_is_held(new_office: NewOffice, database: str) -> None:
    office = new_office(database)
    office.receive(access("Anna Berg", message_id="<asked@mail.example.org>"), role="junk")
    (case,) = office.cases()
    assert case.held_reason == "junk_may_ask"

    dismiss(office.desk, case.id, actor=EVA, now=office.clock())
    office.receive(letter("Hallå?", "Har ni glömt mig?", in_reply_to="<asked@mail.example.org>"))
    (case,) = office.cases()
    assert (case.state.value, case.held_reason) == ("held", "followup_on_dismissed")

    dismiss(office.desk, case.id, actor=EVA, now=office.clock())
    assert office.cases()[0].held_reason is None
    reopen(office.desk, case.id, actor=EVA, now=office.clock())
    (case,) = office.cases()
    assert (case.state.value, case.held_reason) == ("held", "reopened_by_staff")
