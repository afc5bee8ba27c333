"""A mail in the sent folder: our own letter's copy, our draft sent by staff, or an answer they wrote themselves.

Staff who send a draft from their mail program have approved and sent it: history says the same as at any other door,
but for the door's name. How far they changed it is kept in percent; their words are kept as the letter that went out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Select, select, update

from inboxbot.cases.alarms import About
from inboxbot.cases.promise import present
from inboxbot.cases.threading import ThreadMarks
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import LIVE, Case, CaseState, DraftState
from inboxbot.crash import crash_here
from inboxbot.desk.approve import fix
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.events import raise_sent
from inboxbot.desk.followup import UNAPPROVED, answered_outside
from inboxbot.desk.letters import check_draft
from inboxbot.desk.optout import opt_out
from inboxbot.desk.placing import for_mailbox, how_alike
from inboxbot.desk.record import record, record_draft
from inboxbot.desk.sending import close_when_told, recipient_digest, told
from inboxbot.desk.settle import put_aside
from inboxbot.desk.threads import load_threads
from inboxbot.reading.values import Address
from inboxbot.store.cases import addresses_of, load_case
from inboxbot.store.drafts import Draft, end_attempt, load_draft, load_drafts, start_attempt, void_approvals
from inboxbot.store.mails import lies_in_sent, mail_row, save_mails
from inboxbot.store.numbers import claim_id
from inboxbot.store.placed import THERE, load_placed, placed_of
from inboxbot.store.tables import cases, drafts, mails

SAME_LETTER: Final = 60  # percent of words alike from which a mail without our marks is the placed draft, sent
_BEFORE_LEAVING = (DraftState.PROPOSED, DraftState.APPROVED)
_PUT_ASIDE = (DraftState.DECLINED, DraftState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class SentMail:
    """What a sent mail says. ``sent_at`` is the server's moment, aware.

    ``text`` are its words, "" when they were not fetched, ``own_words`` those that are not quoted. ``draft_id`` is the
    letter its token names, ``by`` who sent it, as far as the mailbox tells.
    """

    message_id: str | None
    marks: ThreadMarks
    recipients: tuple[str, ...]
    sender: Address | None
    subject: str
    header: bytes
    size: int
    sent_at: dt.datetime
    text: str = ""
    own_words: str = ""
    draft_id: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a sent mail is about: the case, our letter if it is one, and whether somebody of the case gets it."""

    case_id: int
    letter: Draft | None
    reaches: bool


def is_answer(desk: Desk, served: Served, sent: SentMail) -> bool:
    """Return whether `notice` would take this mail into a case, so that its words are worth fetching."""
    with desk.store.read() as connection:
        return _meaning(connection, served, sent) is not None


def notice(desk: Desk, served: Served, sent: SentMail, *, now: dt.datetime) -> int:
    """Take one mail of the sent folder: 1 when it answers a case, else 0. Taking it again changes nothing.

    It answers a case when our marks or its thread headers name the case and somebody of the case is among its
    recipients: a colleague it was forwarded to is nobody of the case.
    """
    with desk.store.write() as connection:
        connection.execute(
            update(drafts)
            .where(drafts.c.message_id == sent.message_id, drafts.c.filed_at.is_(None))
            .where(drafts.c.state.not_in([one.value for one in (*_BEFORE_LEAVING, *_PUT_ASIDE)]))
            .values(filed_at=now)
        )
        meant = _meaning(connection, served, sent)
        _put_copies_aside(connection, served, sent, now=now)
        if meant is None:
            _remember(connection, served, sent)
            return _found_arrived(desk, connection, served, sent, now=now)
        case = load_case(connection, meant.case_id)
        row = _row(connection, served, sent, case)
        if not meant.reaches:
            save_mails(connection, [row])
            detail = {"draft": meant.letter.id if meant.letter else 0, "mail": row["id"], "code": "sent_to_others"}
            record(connection, case, CaseEvent.NOTED, actor=DAEMON, at=now, detail=detail)
            return 0
        sent_at = min(sent.sent_at, present(now, case.promises))
        letter = meant.letter or _letter_by_words(connection, served, case, sent)
        if letter is not None and letter.state in _BEFORE_LEAVING and case.state in LIVE:
            _sent_by_staff(desk, connection, served, case, letter, sent, row, sent_at=sent_at, now=now)
        else:
            save_mails(connection, [row])
            if letter is not None:
                case = opt_out(desk, connection, case, letter, actor=_sender(served, sent), now=now)
            answered_outside(connection, case, row["id"], sent_at, now, DAEMON)
            raise_sent(
                connection, desk, case.id, About.CASE, case.id, mark=f"mail {row['id']}", door="mailbox", now=now
            )
            if letter is not None:
                close_when_told(connection, desk, case.id, letter, actor=DAEMON, now=now, told_at=sent_at)
        crash_here("notice_in_transaction")
        return 1


def _put_copies_aside(connection: Connection, served: Served, sent: SentMail, *, now: dt.datetime) -> None:
    """Dismiss what was held as a forgery of our address: it is a copy to ourselves of what lies here (C75)."""
    if sent.message_id is None:
        return
    query = _held_copies(served, sent.message_id).with_only_columns(cases.c.id)
    for case_id in list(connection.execute(query).scalars()):
        put_aside(connection, load_case(connection, case_id), actor=DAEMON, now=now, detail={"code": "own_mail"})


def _held_copies(served: Served, message_id: str) -> Select[tuple[int]]:
    """Select the ids of mails with this Message-ID whose case is held because they claim to come from us."""
    return (
        select(mails.c.id)
        .join(cases, cases.c.id == mails.c.case_id)
        .where(mails.c.message_id == message_id, mails.c.mailbox_id.in_(list(served.company_ids)))
        .where(cases.c.state == CaseState.HELD.value, cases.c.held_reason == "spoofed_own_address")
    )


def _remember(connection: Connection, served: Served, sent: SentMail) -> None:
    """Keep the Message-ID of what was sent to ourselves as well: its copy may arrive later than it was filed here."""
    ours = {served.mailbox.address, *served.mailbox.aliases}
    if sent.message_id is None or not ours & set(sent.recipients):
        return
    if not lies_in_sent(connection, [served.id], sent.message_id):
        row = mail_row(
            case_id=None,
            ledger_id=None,
            mailbox_id=served.id,
            direction="out",
            message_id=sent.message_id,
            sender=None,
            recipients=(),
            subject="",
            text="",
            header=b"",
            detail={"noticed": "sent_folder"},
            received_at=sent.sent_at,
            size=sent.size,
        )
        save_mails(connection, [row])


def _found_arrived(desk: Desk, connection: Connection, served: Served, sent: SentMail, *, now: dt.datetime) -> int:
    """Let a letter of unclear outcome be sent when its copy lies there: only what the server took is filed."""
    letter = _letter_by_marks(connection, served, sent)
    if letter is None or letter.state is not DraftState.UNKNOWN or letter.message_id != sent.message_id:
        return 0
    at = min(sent.sent_at, present(now, load_case(connection, letter.case_id).promises))
    values = {"sent_at": at, "waits_because": None, "filed_at": now}
    record_draft(connection, letter, DraftEvent.FOUND_ARRIVED, values=values)
    told(connection, desk, load_draft(connection, letter.id), now=now, sent_at=at)
    return 1


# --- what it is ---------------------------------------------------------------------------------------------------


def _meaning(connection: Connection, served: Served, sent: SentMail) -> _Meaning | None:
    """Return what a sent mail means, or None when it is known already, our own copy, or about no case."""
    if sent.message_id is None:
        return None
    known = select(mails.c.id).where(mails.c.message_id == sent.message_id, mails.c.mailbox_id == served.id)
    if connection.execute(known.where(mails.c.id.not_in(_held_copies(served, sent.message_id)))).first():
        return None
    letter = _letter_by_marks(connection, served, sent)
    if letter is not None:
        if letter.message_id == sent.message_id and letter.state not in (*_BEFORE_LEAVING, *_PUT_ASIDE):
            return None
        if letter.state in (*_BEFORE_LEAVING, *_PUT_ASIDE):
            belong = addresses_of(connection, [letter.case_id]).get(letter.case_id, frozenset()) | {letter.recipient}
            return _Meaning(letter.case_id, letter, bool(belong & set(sent.recipients)))
    threads = load_threads(connection, served.company_ids, [sent.marks])
    for one in threads.candidates(sent.marks):
        if one.by != "reference" and one.addresses & set(sent.recipients):
            return _Meaning(one.case_id, None, reaches=True)
    return None


def _letter_by_marks(connection: Connection, served: Served, sent: SentMail) -> Draft | None:
    """Return the letter that the Message-ID or the token names, if it is one of this company."""
    query = (
        select(drafts.c.id)
        .join(cases, cases.c.id == drafts.c.case_id)
        .where(cases.c.mailbox_id.in_(list(served.company_ids)))
    )
    found = connection.execute(query.where(drafts.c.message_id == sent.message_id)).scalar()
    if found is None and sent.draft_id is not None:
        found = connection.execute(query.where(drafts.c.id == sent.draft_id)).scalar()
    return load_draft(connection, found) if found is not None else None


def _letter_by_words(connection: Connection, served: Served, case: Case, sent: SentMail) -> Draft | None:
    """Return the placed draft of the case that was sent by a program that takes our marks off, told by its words."""
    if not sent.text:
        return None
    placed = {one.draft_id: one for one in load_placed(connection, served.id, states=THERE)}
    best: tuple[int, Draft] | None = None
    for letter in load_drafts(connection, case_ids=[case.id], states=_BEFORE_LEAVING):
        if letter.id in placed:
            alike = _alike(served, letter, sent, placed[letter.id].placed_at or sent.sent_at)
            if alike >= SAME_LETTER and (best is None or alike > best[0]):
                best = alike, letter
    return best[1] if best else None


def _alike(served: Served, letter: Draft, sent: SentMail, placed_at: dt.datetime) -> int:
    ours = for_mailbox(letter, served.company, placed_at).final or ""
    return max(how_alike(ours, sent.text), how_alike(ours, sent.own_words))


def _sender(served: Served, sent: SentMail) -> Actor:
    return Actor(sent.by or served.mailbox.address, "drafts")


def _row(connection: Connection, served: Served, sent: SentMail, case: Case) -> dict[str, Any]:
    row = mail_row(
        case_id=case.id,
        ledger_id=None,
        mailbox_id=served.id,
        direction="out",
        message_id=sent.message_id,
        sender=sent.sender,
        recipients=list(sent.recipients),
        subject=sent.subject,
        text=sent.text,
        header=sent.header,
        detail={"noticed": "sent_folder", "by": sent.by},
        received_at=sent.sent_at,
        size=sent.size,
    )
    return {**row, "id": claim_id(connection, "mails")}


# --- our draft, sent by staff -------------------------------------------------------------------------------------


def _sent_by_staff(
    desk: Desk,
    connection: Connection,
    served: Served,
    case: Case,
    letter: Draft,
    sent: SentMail,
    row: dict[str, Any],
    *,
    sent_at: dt.datetime,
    now: dt.datetime,
) -> None:
    """Write what sending a letter by hand means: approved, sent and answered at once, by whoever sent it."""
    actor = _sender(served, sent)
    if letter.state is DraftState.APPROVED:
        void_approvals(connection, letter.id, at=now)
        record_draft(connection, letter, DraftEvent.CALLED_BACK, values=UNAPPROVED)
        detail = {"draft": letter.id, "mail": row["id"]}
        case = record(connection, case, CaseEvent.DRAFT_CALLED_BACK, actor=actor, at=now, detail=detail)
        letter = load_draft(connection, letter.id)
    place = placed_of(connection, letter.id)
    ours = for_mailbox(letter, served.company, (place.placed_at if place else None) or sent_at)
    alike = _alike(served, letter, sent, (place.placed_at if place else None) or sent_at) if sent.text else None
    finished = _as_sent(connection, ours, sent, case)
    findings = check_draft(connection, served.company, served.mailbox, case, finished, now=now)
    _keep_address(connection, letter, finished)
    letter = replace(finished, version=letter.version)
    fix(desk, connection, case, letter, findings, actor=actor, now=now, hold=dt.timedelta())
    attempt = _claimed(desk, connection, letter.id, actor, now)
    record_draft(
        connection,
        load_draft(connection, letter.id),
        DraftEvent.ACCEPTED,
        values={"sent_at": sent_at, "filed_at": now, "next_try_at": None, "waits_because": None},
    )
    end_attempt(connection, attempt, at=now, result="accepted", server_text="")
    changed = {"alike": alike, "changed": alike < 100} if alike is not None else {}
    row["detail"] |= {"draft": letter.id, **changed}
    told(connection, desk, load_draft(connection, letter.id), now=now, actor=actor, sent_at=sent_at, row=row)


def _as_sent(connection: Connection, ours: Draft, sent: SentMail, case: Case) -> Draft:
    """Return the letter with the words that went out."""
    belong = addresses_of(connection, [case.id]).get(case.id, frozenset()) | {ours.recipient}
    to = next((one for one in sent.recipients if one in belong), ours.recipient)
    return replace(ours, recipient=to, subject=sent.subject or ours.subject, final=sent.text or ours.final)


def _keep_address(connection: Connection, letter: Draft, finished: Draft) -> None:
    """Write to whom and under which subject a letter really went; its own words stay beside those that went out."""
    connection.execute(
        update(drafts).where(drafts.c.id == letter.id).values(recipient=finished.recipient, subject=finished.subject)
    )


def _claimed(desk: Desk, connection: Connection, draft_id: int, actor: Actor, now: dt.datetime) -> int:
    """Record the sending as a try of its own, as the outbox would."""
    letter = load_draft(connection, draft_id)
    digest = recipient_digest(desk.secret, letter.recipient or "")
    attempt = start_attempt(connection, letter, at=now, recipient_digest=digest, phase="mailbox")
    record_draft(connection, letter, DraftEvent.CLAIMED, values={"attempts": letter.attempts + 1})
    case = load_case(connection, letter.case_id)
    detail = {"draft": draft_id, "attempt": attempt}
    record(connection, case, CaseEvent.LETTER_CLAIMED, actor=actor, at=now, detail=detail)
    return attempt
