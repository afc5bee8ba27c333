"""The checklist of a request: its lines, what keeps it undecided, and the outcome that follows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from inboxbot.cases.checklist import (
    EVERYWHERE,
    About,
    ChecklistLine,
    Lack,
    LineAnswer,
    StepName,
    StepState,
    allowed_answers,
    kept_for_bookkeeping,
    lines_for,
    nothing_found,
    proposed_outcome,
    steps,
    undecided,
)
from inboxbot.cases.identity import Level
from inboxbot.cases.values import Outcome, Request
from inboxbot.config.model import CompanySettings, KeepGround
from inboxbot.sorting.kinds import RIGHTS, Kind

_SERVER = {"host": "127.0.0.1", "security": "none"}
_LEAST = {
    "name": "Exempel AB",
    "organisation_number": "556000-0001",
    "mailbox": [{"address": "kontakt@example.se", "imap": _SERVER, "smtp": _SERVER}],
}
LEAST = CompanySettings.model_validate(_LEAST)
FULL = CompanySettings.model_validate(
    {
        **_LEAST,
        "financial_year_end": "08-31",
        "data_categories": ["namn", "köp"],
        "systems": [
            {"name": "Webbutiken", "holds": "köp"},
            {"name": "Bokföringen", "holds": "fakturor", "keep_ground": "bookkeeping"},
            {"name": "Nyhetsbrevet", "holds": "adress", "marketing": True},
        ],
        "recipients": [{"name": "Frakt AB", "role": "processor"}],
    }
)
AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
A = LineAnswer


def keys(kind: Kind, company: CompanySettings) -> list[str]:
    return [line.key for line in lines_for(kind, company)]


def answered(kind: Kind, company: CompanySettings, *answers: LineAnswer) -> list[ChecklistLine]:
    lines = lines_for(kind, company)
    return [replace(line, answer=answer, detail="skäl") for line, answer in zip(lines, answers, strict=True)]


def test_the_lines_of_each_kind() -> None:
    systems = ["system:Webbutiken", "system:Bokföringen", "system:Nyhetsbrevet"]
    assert keys(Kind.ACCESS, FULL) == [*systems, "category:namn", "category:köp"]
    assert keys(Kind.ERASURE, FULL) == [*systems, "recipient:Frakt AB"]
    assert keys(Kind.PORTABILITY, FULL) == systems
    assert keys(Kind.UNSUBSCRIBE, FULL) == ["system:Nyhetsbrevet"]
    assert keys(Kind.COMPLAINT, FULL) == keys(Kind.OTHER, FULL) == keys(Kind.UNSUBSCRIBE, LEAST) == []
    assert keys(Kind.ERASURE, LEAST) == [f"system:{EVERYWHERE}"]


@pytest.mark.parametrize("kind", RIGHTS)
def test_a_new_request_is_undecided_in_every_line(kind: Kind) -> None:
    lines = lines_for(kind, FULL)
    assert [(one.key, one.lack) for one in undecided(kind, lines)] == [(line.key, Lack.NO_ANSWER) for line in lines]
    assert proposed_outcome(kind, lines) is None


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"answer": A.FOUND}, Lack.NOT_ALLOWED),
        ({"answer": A.KEPT}, Lack.NO_GROUND),
        ({"answer": A.KEPT, "ground": KeepGround.BOOKKEEPING}, Lack.NO_DATE),
        ({"answer": A.KEPT, "ground": KeepGround.LEGAL_DUTY, "detail": "lag"}, Lack.NO_DATE),
        ({"answer": A.KEPT, "ground": KeepGround.LEGAL_DUTY, "until": dt.date(2030, 1, 1)}, Lack.NO_DETAIL),
        ({"answer": A.KEPT, "ground": KeepGround.COMMITMENT, "detail": "  "}, Lack.NO_DETAIL),
        ({"answer": A.KEPT, "ground": KeepGround.LEGAL_CLAIM}, Lack.NO_DETAIL),
        ({"answer": A.KEPT, "ground": KeepGround.COMMITMENT, "detail": "order 7"}, None),
        ({"answer": A.KEPT, "ground": KeepGround.BOOKKEEPING, "until": dt.date(2031, 12, 31)}, None),
        ({"answer": A.ERASED}, None),
        ({"answer": A.NOTHING}, None),
    ],
)
def test_what_a_line_of_an_erasure_needs(change: dict[str, object], lack: Lack | None) -> None:
    line = replace(ChecklistLine(About.SYSTEM, "Webbutiken"), **change)  # type: ignore[arg-type]
    assert [one.lack for one in undecided(Kind.ERASURE, [line])] == ([lack] if lack else [])


def test_holding_back_and_not_telling_need_words() -> None:
    for kind, answer in ((Kind.ACCESS, A.WITHHELD), (Kind.RECTIFICATION, A.UNCHANGED), (Kind.OBJECTION, A.CONTINUES)):
        line = ChecklistLine(About.SYSTEM, "Webbutiken", answer)
        assert undecided(kind, [line])[0].lack is Lack.NO_DETAIL
        assert undecided(kind, [replace(line, detail="skäl")]) == ()
    told = ChecklistLine(About.RECIPIENT, "Frakt AB", A.NOT_TOLD)
    assert undecided(Kind.ERASURE, [told])[0].lack is Lack.NO_DETAIL
    assert A.TOLD in allowed_answers(Kind.ERASURE, About.RECIPIENT)


@pytest.mark.parametrize(
    ("kind", "answers", "outcome"),
    [
        (Kind.ERASURE, (A.ERASED, A.NOTHING, A.ERASED, A.TOLD), Outcome.GRANTED),
        (Kind.ERASURE, (A.NOTHING, A.NOTHING, A.NOTHING, A.NOTHING), Outcome.GRANTED),
        (Kind.ACCESS, (A.FOUND, A.WITHHELD, A.NOTHING, A.FOUND, A.FOUND), Outcome.PARTLY_GRANTED),
        (Kind.OBJECTION, (A.CONTINUES, A.NOTHING, A.CONTINUES), Outcome.REFUSED),
        (Kind.UNSUBSCRIBE, (A.STOPPED,), Outcome.GRANTED),
    ],
)
def test_the_outcome_follows_from_the_lines(kind: Kind, answers: tuple[LineAnswer, ...], outcome: Outcome) -> None:
    lines = answered(kind, FULL, *answers)
    assert undecided(kind, lines) == ()
    assert proposed_outcome(kind, lines) is outcome


def test_kept_for_bookkeeping_is_a_refusal_in_part_until_the_day_of_the_law() -> None:
    lines = answered(Kind.ERASURE, FULL, A.ERASED, A.NOTHING, A.ERASED, A.TOLD)
    lines[1] = kept_for_bookkeeping(lines[1], dt.date(2024, 5, 2), FULL)
    assert lines[1].until == dt.date(2031, 12, 31)
    assert proposed_outcome(Kind.ERASURE, lines) is Outcome.PARTLY_GRANTED


def test_nothing_found_means_every_system_was_searched() -> None:
    lines = answered(Kind.ACCESS, FULL, A.NOTHING, A.NOTHING, A.NOTHING, A.NOTHING, A.NOTHING)
    assert nothing_found(lines)
    assert not nothing_found([replace(lines[0], answer=None), *lines[1:]])
    assert not nothing_found([])


def test_the_walk_of_a_request() -> None:
    request = Request(1, Kind.ERASURE, AT, None, None)
    lines = lines_for(Kind.ERASURE, FULL)
    walk = dict(steps(request, lines, needed=Level.L3, reached=Level.L0))
    assert set(walk.values()) == {StepState.OPEN}
    lines = tuple(answered(Kind.ERASURE, FULL, A.ERASED, A.NOTHING, A.ERASED, A.TOLD))
    done = replace(request, outcome=Outcome.GRANTED, told_at=AT)
    assert set(dict(steps(done, lines, needed=Level.L3, reached=Level.L3)).values()) == {StepState.DONE}
    part = dict(steps(request, lines, needed=Level.L2, reached=Level.L2))
    assert (part[StepName.SEARCH], part[StepName.ACT], part[StepName.DECIDE]) == (
        StepState.DONE,
        StepState.DONE,
        StepState.OPEN,
    )


def test_a_plain_opt_out_needs_no_identity_and_no_search() -> None:
    walk = dict(steps(Request(1, Kind.UNSUBSCRIBE, AT, None, None), (), needed=Level.L0, reached=Level.L0))
    assert walk[StepName.IDENTITY] is walk[StepName.SEARCH] is StepState.NOT_NEEDED
    assert walk[StepName.TELL] is StepState.OPEN
