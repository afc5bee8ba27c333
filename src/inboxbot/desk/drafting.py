"""Drafting: from a case and what a letter is about to its words, and back to the facts its check is made against.

What a letter was made from is kept beside its words (`Grounds`), so that the letter check knows at any later moment
what the letter may say; everything else comes from the case, the settings and the checklist as they stand then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from inboxbot.cases.checklist import ChecklistLine, mark_of
from inboxbot.cases.identity import Evidence, first_answer_identity
from inboxbot.cases.legal_date import legal_date
from inboxbot.cases.values import Case, Request
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.desk.arrivals import Served
from inboxbot.logs import get_logger
from inboxbot.replies.choose import choose_first_answer, letter_language
from inboxbot.replies.compose import reply_subject
from inboxbot.replies.facts import LetterFacts, letter_facts
from inboxbot.replies.render import TemplateError, render
from inboxbot.replies.rows import checklist_rows
from inboxbot.sorting.kinds import Kind

MAX_REFERENCES = 20


@dataclass(frozen=True, slots=True)
class Occasion:
    """The mail that a letter answers. ``greeting`` is the name it was signed with, ``evidence`` shows who wrote it."""

    received_at: dt.datetime
    message_id: str | None
    references: tuple[str, ...]
    flags: frozenset[str] = frozenset()
    reminder: bool = False
    greeting: str = ""
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a letter is made from, as it is kept with it. ``tells`` are the kinds whose outcome it tells.

    ``request`` is the kind whose checklist it is made of, ``texts`` staff's words by field, ``asks`` whether the case
    waits for an answer to it, ``discloses`` whether data goes with it. ``lines`` is the mark of that checklist when the
    letter was made.
    """

    kinds: list[str]
    received_at: str
    name: str = ""
    identity: str = "none"
    identity_reason: str = ""
    reminder: bool = False
    representative: bool = False
    breach: bool = False
    request: str = ""
    lines: str = ""
    tells: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    asks: bool = False
    discloses: bool = False
    code_kind: str = ""


def grounds_of(stored: Mapping[str, Any]) -> Grounds:
    """Return the grounds as they were kept with a letter; what an approval added beside them is left out."""
    names = {one.name for one in fields(Grounds)}
    return Grounds(**{key: value for key, value in stored.items() if key in names})


def draft_first_answer(served: Served, case: Case, occasion: Occasion) -> dict[str, Any]:
    """Return the words of the first answer to a mail of a case, as the values of a drafts row."""
    kinds = tuple(request.kind for request in case.requests if request.outcome is None)
    template = choose_first_answer(kinds, occasion.flags)
    asks, doubt = first_answer_identity(kinds, occasion.evidence)
    asks = asks and template == "receipt"
    grounds = Grounds(
        kinds=[kind.value for kind in kinds],
        received_at=occasion.received_at.isoformat(),
        name=occasion.greeting,
        identity="ask" if asks else "none",
        identity_reason=doubt.value if asks and doubt else "",
        reminder=occasion.reminder,
        representative="representative" in occasion.flags,
        breach="breach" in occasion.flags,
        tells=[Kind.UNSUBSCRIBE.value] if Kind.UNSUBSCRIBE in kinds else [],
        asks=asks,
    )
    return draft_letter(served, case, template, grounds, answers=(occasion.message_id, occasion.references))


def draft_letter(
    served: Served,
    case: Case,
    template: str,
    grounds: Grounds,
    *,
    answers: tuple[str | None, Sequence[str]],
    lines: Sequence[ChecklistLine] = (),
    recipient: str | None = None,
) -> dict[str, Any]:
    """Return a letter made from its template, as the values of a drafts row.

    ``answers`` are the Message-ID and References of the mail it answers; ``recipient`` is the requester if not given.
    What the template prints and nobody has said stands in the words as ``[[its name]]`` and keeps it from approval.
    """
    language = letter_language(case.language, served.company.language, template)
    facts = facts_for(served.company, served.mailbox, case, grounds, language, lines)
    letter = render(template, facts, folder=served.company.templates, gaps=template not in _WITHOUT_GAPS)
    return {
        "template": template,
        "language": language,
        "recipient": recipient or case.requester,
        "subject": reply_subject(case.subject, letter.subject, case.reference),
        "body": letter.body,
        "in_reply_to": answers[0],
        "references": list(answers[1])[-MAX_REFERENCES:],
        "facts": asdict(replace(grounds, lines=mark_of(lines) if grounds.request else "")),
    }


_WITHOUT_GAPS = frozenset({"receipt", "unsubscribe", "ordinary", "breach_thanks"})


def try_draft(served: Served, case: Case, occasion: Occasion) -> dict[str, Any] | None:
    """Return the first answer, or None when it cannot be drafted: the mail itself must not be lost for that."""
    try:
        return draft_first_answer(served, case, occasion)
    except Exception as error:  # noqa: BLE001  (a template of the company's own may do anything)
        what = str(error) if isinstance(error, TemplateError) else ""
        get_logger().error("letter_not_drafted", case=case.reference, error=error, what=what)
        return None


def facts_for(
    company: CompanySettings,
    mailbox: MailboxSettings,
    case: Case,
    grounds: Grounds,
    language: str,
    lines: Sequence[ChecklistLine] = (),
) -> LetterFacts:
    """Return everything a letter of this case may say."""
    asked = [request for request in case.requests if request.kind.value in grounds.kinds]
    dates = [request.due_hard for request in asked if request.due_hard is not None]
    received_at = dt.datetime.fromisoformat(grounds.received_at)
    return letter_facts(
        company,
        mailbox,
        language=language,
        reference=case.reference,
        received_at=received_at,
        kinds=tuple(Kind(kind) for kind in grounds.kinds),
        address=case.requester or "",
        name=grounds.name,
        answer_by=min(dates, default=None),
        reminder=grounds.reminder,
        representative=grounds.representative,
        breach=grounds.breach,
        identity=grounds.identity,
        identity_reason=grounds.identity_reason,
        extended_to=legal_date(received_at, company.zone, extended=True).due_on,
        backups_until=_backups_until(company, asked),
        texts=grounds.texts,
        **checklist_rows(lines, company, language),
    )


def _backups_until(company: CompanySettings, asked: Sequence[Request]) -> dt.date | None:
    """Return by when what was erased has left the backups: counted from the day on which that was recorded (T6)."""
    decided = [one.outcome_at for one in asked if one.kind is Kind.ERASURE and one.outcome_at is not None]
    if company.backups_days is None or not decided:
        return None
    return max(decided).astimezone(company.zone).date() + dt.timedelta(days=company.backups_days)
