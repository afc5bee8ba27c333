"""From a checklist to the rows of a letter: configured facts of each system beside what was found or done there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inboxbot.cases.checklist import EVERYWHERE, About, ChecklistLine, LineAnswer
from inboxbot.config.model import CompanySettings, System
from inboxbot.replies.facts import Line, Told

_A = LineAnswer
EEA = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()  # noqa: SIM905
)
_FIELDS = {
    "found": (_A.FOUND, _A.WITHHELD),  # a copy may be withheld, not what is done with the data (Art. 15(1) and (4))
    "nothing": (_A.NOTHING,),
    "corrected": (_A.CORRECTED,),
    "erased": (_A.ERASED,),
    "stopped": (_A.STOPPED, _A.RESTRICTED),
    "kept": (_A.KEPT, _A.UNCHANGED, _A.CONTINUES, _A.WITHHELD),
}
_ALL = {
    "sv": ("våra system", "personuppgifter"),
    "en": ("our systems", "personal data"),
}


def checklist_rows(lines: Sequence[ChecklistLine], company: CompanySettings, language: str) -> dict[str, object]:
    """Return the fields of `LetterFacts` that the checklist gives.

    System lines by what was done, data categories of an access answer (a withheld one is kept back, with its reason),
    every recipient with what it was told, whether
    one is outside the EEA, and ``marketing_done``: each marketing system was ticked, and there is at least one.
    """
    systems = {system.name: system for system in company.systems}
    rows: dict[str, Any] = {}
    for name, answers in _FIELDS.items():
        chosen = [line for line in lines if line.about is About.SYSTEM and line.answer in answers]
        rows[name] = tuple(_row(line, systems.get(line.name), language) for line in chosen)
    rows["categories"] = _categories(lines, _A.FOUND)
    rows["kept"] = (*rows["kept"], *_categories(lines, _A.WITHHELD))
    told = {line.name: line for line in lines if line.about is About.RECIPIENT}
    rows["recipients"] = tuple(
        Told(
            one.name,
            one.role,
            one.purpose,
            one.country,
            told=(line := told.get(one.name)) is not None and line.answer is _A.TOLD,
            why=line.detail if line is not None and line.answer is _A.NOT_TOLD else "",
        )
        for one in company.recipients
        if not (one.name in told and told[one.name].answer is _A.NOTHING)
    )
    rows["transfers"] = any(one.country not in EEA for one in company.recipients)
    marketing = [one.name for one in company.systems if one.marketing]
    settled = {line.name for line in lines if line.answer in (_A.STOPPED, _A.NOTHING)}
    rows["marketing_done"] = bool(marketing) and set(marketing) <= settled
    return rows


def _categories(lines: Sequence[ChecklistLine], answer: LineAnswer) -> tuple[Line, ...]:
    chosen = [line for line in lines if line.about is About.CATEGORY and line.answer is answer]
    return tuple(Line(line.name, line.name, line.detail) for line in chosen)


def _row(line: ChecklistLine, system: System | None, language: str) -> Line:
    name, holds = _ALL["sv" if language == "sv" else "en"]
    ground = line.ground.value if line.ground else ""
    if system is None or line.name == EVERYWHERE:
        own = name if line.name == EVERYWHERE else line.name
        return Line(own, holds, line.detail, ground, line.until)
    return Line(
        system.name, system.holds, line.detail, ground, line.until, system.purpose, system.retention, system.source
    )
