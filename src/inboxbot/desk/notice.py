"""A mail in the sent folder: our own letter's copy, or an answer that staff wrote in their own program."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select, update

from inboxbot.cases.threading import ThreadMarks
from inboxbot.crash import crash_here
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import DAEMON, Desk
from inboxbot.desk.followup import answered_outside
from inboxbot.desk.threads import load_threads
from inboxbot.reading.values import Address
from inboxbot.store.cases import load_case
from inboxbot.store.mails import mail_row, save_mails
from inboxbot.store.numbers import claim_id
from inboxbot.store.tables import drafts, mails


@dataclass(frozen=True, slots=True)
class SentMail:
    """What the headers of a sent mail say. ``sent_at`` is the server's moment, aware."""

    message_id: str | None
    marks: ThreadMarks
    recipients: tuple[str, ...]
    sender: Address | None
    subject: str
    header: bytes
    size: int
    sent_at: dt.datetime


def notice(desk: Desk, served: Served, sent: SentMail, *, now: dt.datetime) -> int:
    """Take one mail of the sent folder: 1 when it answers a case, else 0. Taking it again changes nothing.

    It answers a case when its thread headers or token name the case and somebody of the case is among its recipients:
    a colleague it was forwarded to is nobody of the case.
    """
    with desk.store.write() as connection:
        ours = connection.execute(
            update(drafts)
            .where(drafts.c.message_id == sent.message_id, drafts.c.filed_at.is_(None))
            .values(filed_at=now)
        )
        if ours.rowcount or sent.message_id is None:
            return 0
        known = select(mails.c.id).where(mails.c.message_id == sent.message_id, mails.c.mailbox_id == served.id)
        own = select(drafts.c.id).where(drafts.c.message_id == sent.message_id)
        if connection.execute(known).first() or connection.execute(own).first():
            return 0
        threads = load_threads(connection, served.company_ids, [sent.marks])
        case_id = next(
            (
                one.case_id
                for one in threads.candidates(sent.marks)
                if one.by != "reference" and one.addresses & set(sent.recipients)
            ),
            None,
        )
        if case_id is None:
            return 0
        mail_id = claim_id(connection, "mails")
        row = mail_row(
            case_id=case_id,
            ledger_id=None,
            mailbox_id=served.id,
            direction="out",
            message_id=sent.message_id,
            sender=sent.sender,
            recipients=list(sent.recipients),
            subject=sent.subject,
            text="",
            header=sent.header,
            detail={"noticed": "sent_folder"},
            received_at=sent.sent_at,
            size=sent.size,
        )
        save_mails(connection, [{**row, "id": mail_id}])
        answered_outside(connection, load_case(connection, case_id), mail_id, min(sent.sent_at, now), now, DAEMON)
        crash_here("notice_in_transaction")
        return 1
