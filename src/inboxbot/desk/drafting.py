"""Drafting: from a case and what occasioned it to the words of a proposed letter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from inboxbot.cases.identity import Evidence, first_answer_identity
from inboxbot.cases.values import Case
from inboxbot.desk.arrivals import Served
from inboxbot.logs import get_logger
from inboxbot.replies.choose import choose_first_answer, letter_language
from inboxbot.replies.compose import reply_subject
from inboxbot.replies.facts import LetterFacts, letter_facts
from inboxbot.replies.render import TemplateError, render
from inboxbot.sorting.kinds import Kind

MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Occasion:
    """The mail that a letter answers. ``followup``: the case had mails before; ``greeting``: the name it was signed with.

    ``evidence`` is what is known about who writes.
    """

    received_at: dt.datetime
    message_id: str | None
    references: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    reminder: bool = False
    followup: bool = False
    greeting: str = ""
    evidence: Evidence = field(default_factory=Evidence)


def draft_first_answer(served: Served, case: Case, occasion: Occasion) -> dict[str, Any]:
    """Return the words of the first answer to a mail of a case, as the values of a drafts row.

    A further mail without a new right gets the short answer; it is drafted when nothing else is proposed.
    """
    kinds = tuple(request.kind for request in case.requests if request.outcome is None)
    template = choose_first_answer(kinds, occasion.flags)
    language = letter_language(case.language, served.company.language, template)
    facts = _first_facts(served, case, occasion, language)
    letter = render(template, facts, folder=served.company.templates)
    return {
        "template": template,
        "language": language,
        "recipient": case.requester,
        "subject": reply_subject(case.subject, letter.subject, case.reference),
        "body": letter.body,
        "in_reply_to": occasion.message_id,
        "references": list(occasion.references[-MAX_REFERENCES:]),
        "facts": {
            "kinds": [kind.value for kind in kinds],
            "identity": facts.identity,
            "tells": [Kind.UNSUBSCRIBE.value] if Kind.UNSUBSCRIBE in kinds else [],
        },
    }


def try_draft(served: Served, case: Case, occasion: Occasion) -> dict[str, Any] | None:
    """Return the first answer, or None when it cannot be drafted: the mail itself must not be lost for that."""
    try:
        return draft_first_answer(served, case, occasion)
    except Exception as error:  # noqa: BLE001  (a template of the company's own may do anything)
        get_logger().error("letter_not_drafted", case=case.reference, error=error, what=_what(error))
        return None


def _what(error: Exception) -> str:
    return str(error) if isinstance(error, TemplateError) else ""


def _first_facts(served: Served, case: Case, occasion: Occasion, language: str) -> LetterFacts:
    asked = [request for request in case.requests if request.outcome is None]
    dates = [request.due_hard for request in asked if request.due_hard is not None]
    kinds = tuple(request.kind for request in asked)
    asks, doubt = first_answer_identity(kinds, occasion.evidence)
    return letter_facts(
        served.company,
        served.mailbox,
        language=language,
        reference=case.reference,
        received_at=occasion.received_at,
        kinds=kinds,
        address=case.requester or "",
        name=occasion.greeting,
        answer_by=min(dates, default=None),
        reminder=occasion.reminder,
        representative="representative" in occasion.flags,
        breach="breach" in occasion.flags,
        identity="ask" if asks else "none",
        identity_reason=doubt.value if doubt else "",
        marketing_done=False,
    )
