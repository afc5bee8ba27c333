"""Entering a request by hand: one that came by phone, letter or another inbox, or a mail left as ordinary."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import CaseState, LedgerState
from inboxbot.config.addresses import checked_address
from inboxbot.desk.arrivals import Served, detail_of
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.opening import NewCase, Opened, Openings
from inboxbot.desk.requester import evidence_of, greeting_of, requester_of
from inboxbot.errors import UsageError
from inboxbot.reading.values import Address, Mail
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.values import Verdict
from inboxbot.store.ledger import set_ledger
from inboxbot.store.mailboxes import mailbox_address, mailbox_ids
from inboxbot.store.mails import drop_mail, mail_of_ledger, mail_row


@dataclass(frozen=True, slots=True)
class Entry:
    """What staff know of a request. ``mail`` and ``verdict`` are there when it came as a file; ``words`` sums it up."""

    received_at: dt.datetime
    kinds: tuple[Kind, ...]
    requester: str | None = None
    language: str | None = None
    words: str = ""
    mail: Mail | None = None
    verdict: Verdict | None = None


def enter(desk: Desk, mailbox_address: str | None, entry: Entry, *, actor: Actor, now: dt.datetime) -> Opened:
    """Open a case for a request that did not come to a watched mailbox. Its clocks run from ``received_at``.

    Raises UsageError for a moment in the future, a wrong address, or when nobody can be answered.
    """
    if entry.received_at > now:
        raise UsageError("the moment of receipt lies in the future", where="--received")
    if not entry.kinds:
        raise UsageError("give at least one kind", where="--kind")
    company, mailbox = desk.of_mailbox(mailbox_address) if mailbox_address else desk.settings.mailboxes()[0]
    with desk.store.write() as connection:
        ids = mailbox_ids(connection, [(one.address, company.name) for one in company.mailbox])
        served = Served(company, mailbox, ids[mailbox.address], tuple(ids.values()))
        who, source = _requester(served, entry)
        openings = Openings(desk, served, connection, now)
        mail, verdict = entry.mail, entry.verdict
        opened = openings.open(
            NewCase(
                event=CaseEvent.OPENED_BY_STAFF,
                state=CaseState.OPEN,
                reason="entered_by_staff",
                requester=who,
                requester_source=source,
                kinds=entry.kinds,
                language=entry.language or (verdict.language if verdict else company.language),
                subject=mail.subject if mail else "",
                message_id=mail.message_id if mail else None,
                references=mail.references if mail else (),
                greeting=greeting_of(mail, who),
                received_at=entry.received_at,
                flags=verdict.flags if verdict else frozenset(),
                actor=actor,
                evidence=evidence_of(mail, who, mailbox, verdict.flags if verdict else frozenset()),
            ),
            mail_row=mail_row(
                case_id=None,
                ledger_id=None,
                mailbox_id=served.id,
                direction="in",
                message_id=mail.message_id if mail else None,
                sender=mail.sender if mail else who,
                recipients=[],
                subject=mail.subject if mail else "",
                text=mail.text if mail else entry.words,
                header=b"",
                detail=detail_of(mail, verdict) if mail and verdict else {"by": actor.name},
                received_at=entry.received_at,
                size=mail.size if mail else len(entry.words),
            ),
        )
        openings.flush_cases()
        openings.flush_rest()
    return opened


def _requester(served: Served, entry: Entry) -> tuple[Address, str]:
    if entry.requester is not None:
        try:
            return Address(checked_address(entry.requester)), "staff"
        except ValueError as error:
            raise UsageError(str(error), where="--requester") from None
    if entry.mail is None:
        raise UsageError("give --requester ADDRESS or --from FILE.eml", where="cases open")
    found = requester_of(entry.mail, served.company, served.mailbox)
    if found.address is None:
        raise UsageError("the file does not say who wrote it", where="--from", cure="add --requester ADDRESS")
    return found.address, found.source


def open_ordinary(desk: Desk, ledger_id: int, kinds: tuple[Kind, ...], *, actor: Actor, now: dt.datetime) -> Opened:
    """Open a case for a mail that was left as ordinary. Its clocks run from when the mail came.

    Raises UsageError when nothing was kept of it (robots, junk, mail before the start) or it has a case already.
    """
    with desk.store.write() as connection:
        mail = mail_of_ledger(connection, ledger_id)
        if mail is None or mail["case_id"] is not None or not mail["sender"]:
            raise UsageError(
                f"ledger entry {ledger_id} cannot be opened",
                cure="save the mail from your mail program and use `cases open --from FILE.eml`",
            )
        address = mailbox_address(connection, mail["mailbox_id"])
        company, mailbox = desk.of_mailbox(address)
        served = Served(company, mailbox, mail["mailbox_id"], (mail["mailbox_id"],))
        who = Address(mail["sender"], mail["sender_name"])
        openings = Openings(desk, served, connection, now)
        opened = openings.open(
            NewCase(
                event=CaseEvent.OPENED_BY_STAFF,
                state=CaseState.OPEN,
                reason="opened_from_ledger",
                requester=who,
                requester_source="from",
                kinds=kinds,
                language=mail["detail"].get("verdict", {}).get("language", "und"),
                subject=mail["subject"],
                message_id=mail["message_id"],
                references=tuple(mail["detail"].get("references", [])),
                greeting="",
                received_at=mail["received_at"],
                actor=actor,
            ),
            mail_row={key: value for key, value in mail.items() if key != "id"},
        )
        openings.flush_cases()
        openings.flush_rest()
        drop_mail(connection, mail["id"])
        set_ledger(connection, ledger_id, state=LedgerState.CASE, reason="opened_by_staff", case_id=opened.id)
    return opened
