"""Mails: what is kept of them, and finding them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from inboxbot.reading.values import Address
from inboxbot.store.numbers import claim_id
from inboxbot.store.tables import mails


def mail_row(
    *,
    case_id: int | None,
    ledger_id: int | None,
    mailbox_id: int,
    direction: str,
    message_id: str | None,
    sender: Address | None,
    recipients: Sequence[str],
    subject: str,
    text: str,
    header: bytes,
    detail: dict[str, Any],
    received_at: dt.datetime,
    size: int,
) -> dict[str, Any]:
    """Return the values of a mail row without its id. ``direction`` is ``in``, ``out`` or ``note``."""
    return {
        "case_id": case_id,
        "ledger_id": ledger_id,
        "mailbox_id": mailbox_id,
        "direction": direction,
        "message_id": message_id,
        "sender": sender.address if sender else None,
        "sender_name": sender.name if sender else "",
        "recipients": list(recipients),
        "subject": subject,
        "text": text,
        "header": header,
        "detail": detail,
        "received_at": received_at,
        "size": size,
    }


def save_mails(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert mail rows that carry their ids; a single one without gets its id here."""
    if not rows:
        return
    connection.execute(
        insert(mails), [row if "id" in row else {**row, "id": claim_id(connection, "mails")} for row in rows]
    )


def mails_of(connection: Connection, case_id: int) -> list[dict[str, Any]]:
    """Return a case's mails, oldest first."""
    query = select(mails).where(mails.c.case_id == case_id).order_by(mails.c.received_at, mails.c.id)
    return [dict(row._mapping) for row in connection.execute(query)]


def mail_of_ledger(connection: Connection, ledger_id: int) -> dict[str, Any] | None:
    """Return the mail that was kept for a ledger row, or None."""
    row = connection.execute(select(mails).where(mails.c.ledger_id == ledger_id)).first()
    return dict(row._mapping) if row else None


def lies_in_sent(connection: Connection, mailbox_ids: Sequence[int], message_id: str) -> bool:
    """Return whether a mail with this Message-ID was seen in the sent folder of one of these mailboxes."""
    query = select(mails.c.id).where(
        mails.c.message_id == message_id, mails.c.direction == "out", mails.c.mailbox_id.in_(list(mailbox_ids))
    )
    return connection.execute(query.limit(1)).first() is not None


def drop_mail(connection: Connection, mail_id: int) -> None:
    """Remove a mail row whose content moved to another row."""
    connection.execute(delete(mails).where(mails.c.id == mail_id))
