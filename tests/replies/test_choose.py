"""Which letter: first answers, outcomes, languages; and the rows a checklist gives a letter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest
from tests.replies.samples import MINIMAL, facts

from inboxbot.cases.checklist import EVERYWHERE, About, ChecklistLine, LineAnswer, kept_for_bookkeeping, lines_for
from inboxbot.cases.values import Outcome, Request
from inboxbot.config.model import CompanySettings, KeepGround
from inboxbot.replies.choose import (
    TEXTS,
    choose_first_answer,
    choose_outcome_letter,
    letter_language,
)
from inboxbot.replies.facts import reply_by
from inboxbot.replies.render import LETTERS, render
from inboxbot.replies.rows import checklist_rows
from inboxbot.sorting.kinds import RIGHTS, Kind

AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
FULL = CompanySettings.model_validate(
    {
        **MINIMAL.model_dump(exclude={"mailbox"}),
        "mailbox": [one.model_dump() for one in MINIMAL.mailbox],
        "financial_year_end": "08-31",
        "data_categories": ["namn", "köp"],
        "systems": [
            {"name": "Webbutiken", "holds": "köp", "purpose": "leverans", "retention": "tre år"},
            {"name": "Nyhetsbrevet", "holds": "adress", "purpose": "utskick", "retention": "ett år", "marketing": True},
        ],
        "recipients": [
            {"name": "Frakt AB", "role": "processor"},
            {"name": "Mail Inc.", "role": "processor", "country": "US"},
            {"name": "Banken", "role": "controller"},
        ],
    }
)


@pytest.mark.parametrize(
    ("kinds", "flags", "name"),
    [
        ((Kind.OTHER,), (), "ordinary"),
        ((), (), "ordinary"),
        ((Kind.UNSUBSCRIBE,), (), "unsubscribe"),
        ((Kind.UNSUBSCRIBE, Kind.ERASURE), (), "receipt"),
        ((Kind.ACCESS,), (), "receipt"),
        ((Kind.COMPLAINT,), (), "receipt"),
        ((Kind.COMPLAINT,), ("breach",), "breach_thanks"),
        ((Kind.COMPLAINT, Kind.ACCESS), ("breach",), "receipt"),
    ],
)
def test_the_first_answer(kinds: tuple[Kind, ...], flags: tuple[str, ...], name: str) -> None:
    assert choose_first_answer(kinds, frozenset(flags)) == name


@pytest.mark.parametrize(("language", "kind"), [*product(["sv", "en", "da", "no", "fi", "de"], RIGHTS)])
def test_every_first_answer_can_be_made_with_the_least_settings(language: str, kind: Kind) -> None:
    name = choose_first_answer([kind])
    assert render(name, facts(letter_language(language, "sv", name), kind)).body


def request(kind: Kind, outcome: Outcome | None) -> Request:
    return Request(1, kind, AT, None, None, outcome)


def test_every_outcome_has_its_letter() -> None:
    for kind, outcome in product(Kind, Outcome):
        name = choose_outcome_letter(request(kind, outcome))
        if outcome in (Outcome.WITHDRAWN, Outcome.NOT_A_REQUEST):
            assert name is None
        else:
            assert name in LETTERS
            assert name != "excessive"
    assert choose_outcome_letter(request(Kind.ACCESS, None)) is None


def test_outcomes_people_meet() -> None:
    assert choose_outcome_letter(request(Kind.ACCESS, Outcome.GRANTED), nothing_found=True) == "no_data"
    assert choose_outcome_letter(request(Kind.ERASURE, Outcome.REFUSED), holds_back=True) == "erasure_partial"
    assert choose_outcome_letter(request(Kind.ERASURE, Outcome.REFUSED)) == "refusal"
    assert choose_outcome_letter(request(Kind.OBJECTION, Outcome.REFUSED)) == "objection_refused"
    assert choose_outcome_letter(request(Kind.UNSUBSCRIBE, Outcome.GRANTED), nothing_found=True) == "unsubscribe"


def test_the_language_of_a_letter() -> None:
    assert letter_language("da", "sv") == "da"
    assert letter_language("da", "sv", "ordinary") == "en"
    assert letter_language("und", "sv", "ordinary") == "sv"
    assert letter_language("fr", "de", "access") == "en"


def test_texts_of_staff_do_not_hide_facts() -> None:
    assert not set(TEXTS) & set(facts("sv").context())


def test_an_ordinary_answer_is_announced_for_a_working_day() -> None:
    assert reply_by(dt.date(2026, 3, 5)) == dt.date(2026, 3, 10)
    assert reply_by(dt.date(2026, 12, 23)) == dt.date(2026, 12, 29)


def line(about: About, name: str, answer: LineAnswer, **more: object) -> ChecklistLine:
    return ChecklistLine(about, name, answer, **more)  # type: ignore[arg-type]


def test_the_rows_of_a_partial_erasure() -> None:
    lines = (
        kept_for_bookkeeping(ChecklistLine(About.SYSTEM, "Webbutiken"), dt.date(2024, 5, 2), FULL),
        line(About.SYSTEM, "Nyhetsbrevet", LineAnswer.ERASED),
        line(About.RECIPIENT, "Frakt AB", LineAnswer.TOLD),
        line(About.RECIPIENT, "Mail Inc.", LineAnswer.NOT_TOLD, detail="finns inte längre"),
        line(About.RECIPIENT, "Banken", LineAnswer.NOTHING),
    )
    given = replace(facts("sv", Kind.ERASURE), **checklist_rows(lines, FULL, "sv"))  # type: ignore[arg-type]
    assert [one.until for one in given.kept] == [dt.date(2031, 12, 31)]
    assert [(one.name, one.told, one.why) for one in given.recipients] == [
        ("Frakt AB", True, ""),
        ("Mail Inc.", False, "finns inte längre"),
    ]
    body = " ".join(render("erasure_partial", given).body.split())
    assert "- Nyhetsbrevet: adress" in body
    assert "till och med den 31 december 2031 enligt 7 kap. 2 § bokföringslagen" in body
    assert "Vi har underrättat Frakt AB" in body
    assert "Mail Inc. har inte underrättats: finns inte längre." in body
    assert "Banken" not in body


def test_the_rows_of_an_access_answer() -> None:
    lines = (
        line(About.SYSTEM, "Webbutiken", LineAnswer.FOUND),
        line(About.SYSTEM, "Nyhetsbrevet", LineAnswer.WITHHELD, detail="rör också en annan"),
        line(About.CATEGORY, "namn", LineAnswer.FOUND),
        line(About.CATEGORY, "köp", LineAnswer.NOTHING),
        line(About.CATEGORY, "inspelade samtal", LineAnswer.WITHHELD, detail="en annan kund hörs"),
    )
    rows = checklist_rows(lines, FULL, "sv")
    said = {"safeguards": "standardklausuler"}
    given = replace(facts("sv", Kind.ACCESS, attachment="a.zip", automated=False, texts=said), **rows)  # type: ignore[arg-type]
    assert given.transfers
    assert [one.system for one in given.categories] == ["namn"]
    body = render("access", given).body
    assert "- Ändamål: leverans" in body
    assert "- Ändamål: utskick" in body, "a copy may be withheld, not what the data is used for"
    assert "- Nyhetsbrevet: rör också en annan" in body
    assert "- inspelade samtal: en annan kund hörs" in body
    assert "De här slagen av uppgifter ingår: namn." in body
    assert "Banken (eget personuppgiftsansvar)" in body
    assert "utanför EES: standardklausuler" in body
    assert "Vi fattar inga automatiserade beslut" in body


def test_whether_machines_decide_is_said_by_the_company_or_by_staff_never_guessed() -> None:
    unsaid = facts("sv", Kind.ACCESS, attachment="a.zip", texts={"no_recipients": "Ingen annan."})
    assert "[[automated_logic]]" in render("access", unsaid, gaps=True).body
    assert "[[automated_logic]]" not in render("access", replace(unsaid, automated=False), gaps=True).body


def test_a_company_without_systems_speaks_of_all_its_systems() -> None:
    lines = (line(About.SYSTEM, EVERYWHERE, LineAnswer.NOTHING),)
    given = replace(facts("sv", Kind.ACCESS), **checklist_rows(lines, MINIMAL, "sv"))  # type: ignore[arg-type]
    assert "sökt i våra system med adressen" in " ".join(render("no_data", given).body.split())


def test_marketing_is_done_only_when_every_system_is_ticked() -> None:
    assert not checklist_rows((), MINIMAL, "sv")["marketing_done"]
    assert not checklist_rows(lines_for(Kind.UNSUBSCRIBE, FULL), FULL, "sv")["marketing_done"]
    ticked = (line(About.SYSTEM, "Nyhetsbrevet", LineAnswer.STOPPED),)
    assert checklist_rows(ticked, FULL, "sv")["marketing_done"]


def test_a_kept_line_keeps_its_ground() -> None:
    kept = line(
        About.SYSTEM, "Webbutiken", LineAnswer.KEPT, ground=KeepGround.COMMITMENT, detail="din order 7 är på väg"
    )
    given = replace(facts("en", Kind.ERASURE), **checklist_rows((kept,), FULL, "en"))  # type: ignore[arg-type]
    assert "Articles 6(1)(b) and 17(1)(a) GDPR):\n  din order 7 är på väg." in render("erasure_partial", given).body
