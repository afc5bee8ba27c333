"""Editing a letter: the old words are kept, and an approval that stood is void."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.config.addresses import checked_address
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.followup import UNAPPROVED
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import UsageError
from inboxbot.reading.charsets import clean_line, clean_text
from inboxbot.store.cases import load_case
from inboxbot.store.drafts import Draft, keep_words, load_draft, void_approvals

MAX_BODY = 200_000
MAX_SUBJECT = 500


def edit(
    desk: Desk,
    draft_id: int,
    *,
    actor: Actor,
    now: dt.datetime,
    subject: str | None = None,
    body: str | None = None,
    recipient: str | None = None,
) -> Draft:
    """Change the words or the recipient of a letter and return it.

    Raises UsageError for an empty letter or a wrong address, IllegalMoveError when it has left already.
    """
    if body is not None and not 0 < len(body.strip()) <= MAX_BODY:
        raise UsageError(f"the letter must have between 1 and {MAX_BODY} characters")
    if subject is not None and not 0 < len(clean_line(subject)) <= MAX_SUBJECT:
        raise UsageError(f"the subject must have between 1 and {MAX_SUBJECT} characters")
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        changed = replace(
            draft,
            subject=clean_line(subject) if subject is not None else draft.subject,
            body=clean_text(body) if body is not None else draft.body,
            recipient=_address(recipient) if recipient is not None else draft.recipient,
        )
        if (changed.subject, changed.body, changed.recipient) == (draft.subject, draft.body, draft.recipient):
            return draft
        keep_words(connection, draft, at=now, actor=actor.name)
        record_draft(
            connection,
            draft,
            DraftEvent.EDITED,
            values={**UNAPPROVED, "subject": changed.subject, "body": changed.body, "recipient": changed.recipient},
        )
        void_approvals(connection, draft_id, at=now)
        parts = [name for name in ("subject", "body", "recipient") if getattr(changed, name) != getattr(draft, name)]
        case = load_case(connection, draft.case_id)
        record(
            connection,
            case,
            CaseEvent.DRAFT_EDITED,
            actor=actor,
            at=now,
            detail={"draft": draft_id, "parts": ",".join(parts)},
        )
        return load_draft(connection, draft_id)


def _address(text: str) -> str:
    try:
        return checked_address(text)
    except ValueError as error:
        raise UsageError(str(error), where="recipient") from None
