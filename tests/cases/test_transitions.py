"""Every pair of state and event: listed pairs move as listed, all others are refused."""

from __future__ import annotations

import itertools

import pytest

from inboxbot.cases.transitions import (
    CASE_MOVES,
    DRAFT_MOVES,
    CaseEvent,
    DraftEvent,
    move_case,
    move_draft,
    tables_markdown,
)
from inboxbot.cases.values import CaseState, DraftState
from inboxbot.errors import IllegalMoveError

CASES = {(state, row.event): row.becomes or state for row in CASE_MOVES for state in row.states}
DRAFTS = {(state, row.event): row.becomes for row in DRAFT_MOVES for state in row.states}


def test_no_pair_is_listed_twice() -> None:
    assert len(CASES) == sum(len(row.states) for row in CASE_MOVES)
    assert len(DRAFTS) == sum(len(row.states) for row in DRAFT_MOVES)


def test_every_pair_of_a_case_moves_as_listed_or_is_refused() -> None:
    for state, event in itertools.product([None, *CaseState], CaseEvent):
        if (state, event) in CASES:
            assert move_case(state, event) is CASES[state, event]
        else:
            with pytest.raises(IllegalMoveError) as caught:
                move_case(state, event)
            assert event.value in caught.value.what
            offered = caught.value.cure
            assert offered.startswith("possible now: ") or (state, CaseEvent.REOPENED) in CASES
            assert "letter_claimed" not in offered, "staff are offered what staff can do"


def test_every_pair_of_a_letter_moves_as_listed_or_is_refused() -> None:
    for state, event in itertools.product([None, *DraftState], DraftEvent):
        if (state, event) in DRAFTS:
            assert move_draft(state, event) is DRAFTS[state, event]
        else:
            with pytest.raises(IllegalMoveError):
                move_draft(state, event)


def test_every_event_and_every_state_is_used() -> None:
    assert {event for _, event in CASES} == set(CaseEvent)
    assert {event for _, event in DRAFTS} == set(DraftEvent)
    assert {state for state, _ in CASES} == {None, *CaseState}
    assert {*DRAFTS.values()} == set(DraftState)


@pytest.mark.parametrize(
    ("state", "event", "becomes"),
    [
        (None, CaseEvent.REQUEST_RECOGNISED, CaseState.OPEN),
        (None, CaseEvent.HELD_FOR_PERSON, CaseState.HELD),
        (CaseState.HELD, CaseEvent.CONFIRMED, CaseState.OPEN),
        (CaseState.OPEN, CaseEvent.QUESTION_SENT, CaseState.WAITING),
        (CaseState.WAITING, CaseEvent.ANSWERED, CaseState.WAITING),
        (CaseState.WAITING, CaseEvent.REQUESTER_WROTE, CaseState.OPEN),
        (CaseState.CLOSED, CaseEvent.REQUESTER_WROTE, CaseState.OPEN),
        (CaseState.DISMISSED, CaseEvent.REQUESTER_WROTE, CaseState.HELD),
        (CaseState.CLOSED, CaseEvent.BOUNCED, CaseState.OPEN),
    ],
)
def test_the_moves_people_rely_on(state: CaseState | None, event: CaseEvent, becomes: CaseState) -> None:
    assert move_case(state, event) is becomes


def test_a_letter_is_never_sent_without_approval_nor_twice_by_itself() -> None:
    into_transmission = {state for (state, _), becomes in DRAFTS.items() if becomes is DraftState.TRANSMITTING}
    assert into_transmission == {DraftState.APPROVED}
    into_approved = {key for key, becomes in DRAFTS.items() if becomes is DraftState.APPROVED}
    assert into_approved == {
        (DraftState.PROPOSED, DraftEvent.APPROVED),
        (DraftState.TRANSMITTING, DraftEvent.PUT_BACK),
    }
    for done in (DraftState.SENT, DraftState.DECLINED, DraftState.SUPERSEDED):
        assert not [key for key in DRAFTS if key[0] is done]
    assert {DRAFTS[key] for key in DRAFTS if key[0] is DraftState.UNKNOWN} == {
        DraftState.SENT,
        DraftState.PROPOSED,
        DraftState.DECLINED,
    }


def test_the_printed_tables_name_every_event() -> None:
    printed = tables_markdown()
    for event in [*CaseEvent, *DraftEvent]:
        assert f"| {event.value.replace('_', ' ')} |" in printed
    assert "| held | confirmed | open | by staff |" in printed
    assert printed.endswith("|\n")
