"""Which case a mail joins, and that a stranger joins none."""

from __future__ import annotations

from inboxbot.cases.references import make_message_id
from inboxbot.cases.threading import Candidate, match, thread_marks
from inboxbot.cases.values import CaseState

SECRET = b"s"
ANNA = frozenset({"anna@example.com", "anna.work@example.org"})
BO = frozenset({"bo@example.com"})


def case(number: int, by: str, state: CaseState = CaseState.OPEN, addresses: frozenset[str] = ANNA) -> Candidate:
    return Candidate(number, state, addresses, by)


def test_the_marks_of_a_mail() -> None:
    ours = make_message_id(SECRET, 9, "n1", "example.se")
    marks = thread_marks(
        ["<b@example.com>"], ["<a@example.com>", ours, "<b@example.com>"], "Re: x [AO-2026-0009]", SECRET
    )
    assert marks.message_ids == ("<b@example.com>", ours, "<a@example.com>")
    assert marks.token_cases == (9,)
    assert marks.references == ("AO-2026-0009",)
    assert len(thread_marks([], [f"<{number}@example.com>" for number in range(900)], "", SECRET).message_ids) == 50


def test_headers_go_before_token_before_reference() -> None:
    found = match("anna@example.com", [case(3, "reference"), case(2, "token"), case(1, "headers")])
    assert (found.case_id, found.by, found.belongs, found.reason) == (1, "headers", True, "thread_headers")
    assert match("anna@example.com", [case(3, "reference"), case(2, "token")]).reason == "thread_token"
    assert match("anna@example.com", [case(3, "reference")]).reason == "case_reference"


def test_a_live_case_goes_before_a_closed_one() -> None:
    found = match("anna@example.com", [case(1, "headers", CaseState.CLOSED), case(2, "headers", CaseState.WAITING)])
    assert (found.case_id, found.state) == (2, CaseState.WAITING)


def test_recorded_alternates_belong_and_letter_case_does_not_matter() -> None:
    assert match(" Anna.Work@Example.org", [case(1, "reference")]).belongs


def test_a_stranger_who_quotes_joins_nothing() -> None:
    """C19, C20, E13."""
    for by in ("headers", "token", "reference"):
        found = match("mallory@example.net", [case(1, by)])
        assert (found.case_id, found.belongs, found.reason, found.quoted) == (
            None,
            False,
            "stranger_quotes_reference",
            1,
        )
    assert match(None, [case(1, "headers")]).case_id is None
    assert match("", [case(1, "headers", addresses=frozenset({""}))]).case_id is None


def test_the_case_the_sender_belongs_to_wins_over_one_merely_quoted() -> None:
    """C20."""
    found = match("bo@example.com", [case(1, "headers"), case(2, "reference", addresses=BO)])
    assert (found.case_id, found.by) == (2, "reference")


def test_staff_belong_to_every_thread() -> None:
    found = match("eva@example.se", [case(1, "headers")], is_staff=True)
    assert (found.case_id, found.reason) == (1, "staff_in_thread")


def test_without_candidates_there_is_no_thread() -> None:
    assert match("anna@example.com", []).reason == "no_thread"
