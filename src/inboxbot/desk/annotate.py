"""Small marks on a case: a note, a phone note, an assignee."""

from __future__ import annotations

import datetime as dt

from inboxbot.cases.transitions import CaseEvent
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.record import record
from inboxbot.errors import UsageError
from inboxbot.reading.charsets import clean_line, clean_text
from inboxbot.store.cases import load_case, mailbox_id_of
from inboxbot.store.mails import mail_row, save_mails
from inboxbot.store.numbers import claim_id

MAX_NOTE = 20_000


def note(desk: Desk, case_id: int, words: str, *, actor: Actor, now: dt.datetime, phone: bool = False) -> None:
    """Keep staff's words on a case. ``phone``: they sum up a call, which an access answer covers too (law.md A-02)."""
    text = clean_text(words).strip()
    if not 0 < len(text) <= MAX_NOTE:
        raise UsageError(f"a note has between 1 and {MAX_NOTE} characters")
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        note_id = claim_id(connection, "mails")
        row = mail_row(
            case_id=case.id,
            ledger_id=None,
            mailbox_id=mailbox_id_of(connection, case.id),
            direction="note",
            message_id=None,
            sender=None,
            recipients=[],
            subject="phone" if phone else "note",
            text=text,
            header=b"",
            detail={"by": actor.name},
            received_at=now,
            size=len(text),
        )
        save_mails(connection, [{**row, "id": note_id}])
        detail = {"note": note_id, "phone": int(phone)}
        record(connection, case, CaseEvent.NOTED, actor=actor, at=now, detail=detail)


def assign(desk: Desk, case_id: int, to: str | None, *, actor: Actor, now: dt.datetime) -> None:
    """Say who looks after a case; None takes the assignment back."""
    name = clean_line(to) if to else None
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        detail = {"to": name or ""}
        record(connection, case, CaseEvent.ASSIGNED, actor=actor, at=now, detail=detail, values={"assignee": name})
