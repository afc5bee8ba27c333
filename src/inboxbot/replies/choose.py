"""Which letter fits: the first answer of a new case, and the letter that follows from an outcome."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from inboxbot.cases.values import Outcome, Request
from inboxbot.replies.render import languages_of
from inboxbot.sorting.kinds import Kind

# The words that staff give for a letter, beside the facts that follow from the case. Field → what to write there.
TEXTS: Final = MappingProxyType(
    {
        "question": "what we need to know to find the right data",
        "reason": "the concrete reason; completes 'The reason is that …' ('Skälet är att …')",
        "article": "the article the reason rests on, such as 17.3 e",
        "circumstances": "the facts the decision rests on; follows a colon",
        "what_happened": "what happened",
        "what_we_do": "what is done about it",
        "decided_by": "who decided",
        "use": "the use of the data that is meant; completes 'using your data for …'",
        "outside": "what falls outside, and why",
        "point_to": "whom to turn to instead",
        "fee": "the amount, or that the request is refused",
        "consequence": "what follows for the person",
        "automated_logic": "the logic, the significance and the consequences of automated decisions",
        "ready": "what can be answered already now",
        "changes": "what was wrong and what it is now",
        "safeguards": "what protects data that goes outside the EEA (Art. 15(2)), such as the standard clauses",
        "no_recipients": "a sentence saying that nobody else has the data, or who has it",
    }
)

_OUTCOME_LETTERS: Final = MappingProxyType(
    {
        (Kind.ACCESS, Outcome.GRANTED): "access",
        (Kind.ACCESS, Outcome.PARTLY_GRANTED): "access",
        (Kind.ERASURE, Outcome.GRANTED): "erasure",
        (Kind.ERASURE, Outcome.PARTLY_GRANTED): "erasure_partial",
        (Kind.RECTIFICATION, Outcome.GRANTED): "rectification",
        (Kind.RECTIFICATION, Outcome.PARTLY_GRANTED): "rectification",
        (Kind.PORTABILITY, Outcome.GRANTED): "portability",
        (Kind.PORTABILITY, Outcome.PARTLY_GRANTED): "portability",
        (Kind.OBJECTION, Outcome.GRANTED): "objection",
        (Kind.OBJECTION, Outcome.PARTLY_GRANTED): "objection_refused",
        (Kind.OBJECTION, Outcome.REFUSED): "objection_refused",
        (Kind.RESTRICTION, Outcome.GRANTED): "restriction",
        (Kind.RESTRICTION, Outcome.PARTLY_GRANTED): "restriction",
        (Kind.UNSUBSCRIBE, Outcome.GRANTED): "unsubscribe",
        (Kind.UNSUBSCRIBE, Outcome.PARTLY_GRANTED): "unsubscribe",
    }
)


def letter_language(mail_language: str, company_language: str, name: str = "receipt") -> str:
    """Return the language of a letter: the mail's own, the company's when that is not known, else English.

    A letter that does not ship in the wanted language goes out in English.
    """
    wanted = mail_language if mail_language in languages_of("receipt") else company_language
    return wanted if wanted in languages_of(name) else "en"


def choose_first_answer(kinds: Iterable[Kind], flags: frozenset[str] = frozenset()) -> str:
    """Return the template of the one letter that first answers a mail with these kinds.

    A plain opt-out is confirmed at once, an ordinary mail gets the short answer, a reported breach its own thanks; all
    else gets the receipt, which covers every kind of the mail (contract.md: exactly one draft).
    """
    asked = {kind for kind in kinds if kind.is_right}
    if not asked:
        return "ordinary"
    if asked == {Kind.UNSUBSCRIBE}:
        return "unsubscribe"
    if asked == {Kind.COMPLAINT} and "breach" in flags:
        return "breach_thanks"
    return "receipt"


def choose_outcome_letter(request: Request, *, nothing_found: bool = False, holds_back: bool = False) -> str | None:
    """Return the template that tells the outcome of one request, or None when there is nothing to tell.

    ``nothing_found`` and ``holds_back`` are those of `cases.checklist`. T11 (excessive) is never proposed: two people
    choose it by name (law.md 2.2).
    """
    if request.outcome in (None, Outcome.WITHDRAWN, Outcome.NOT_A_REQUEST):
        return None
    if request.kind is Kind.OTHER:
        return "ordinary"
    if request.kind is Kind.COMPLAINT:
        return "complaint"
    if nothing_found and request.kind is not Kind.UNSUBSCRIBE and request.outcome is not Outcome.REFUSED:
        return "no_data"
    if request.kind is Kind.ERASURE and holds_back:
        return "erasure_partial"
    return _OUTCOME_LETTERS.get((request.kind, request.outcome), "refusal")
