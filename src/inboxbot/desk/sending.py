"""What the outbox does to letters: claim, note each phase, and write how it ended.

A letter is in ``transmitting`` from before the first byte of its text goes out until the outcome is written. What is
found there at a start was cut off: it goes back to ``approved`` when the final dot was certainly not sent, becomes
``sent`` when the side journal has the server's acceptance, and else ``unknown``, which nobody sends again by himself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, update

from inboxbot.cases.alarms import About
from inboxbot.cases.codes import code_in
from inboxbot.cases.promise import present
from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import Case, CaseState, DraftState
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.desk import breaker
from inboxbot.desk.closing import close_if_done, is_settled
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.dates import extend, note_asked
from inboxbot.desk.drafting import grounds_of
from inboxbot.desk.events import raise_sent
from inboxbot.desk.followup import UNAPPROVED
from inboxbot.desk.letters import bytes_to_send, digest_of, questions_in
from inboxbot.desk.record import record, record_draft, record_last
from inboxbot.errors import RefusedError
from inboxbot.replies.compose import OutAttachment
from inboxbot.replies.facts import CODE_MARK
from inboxbot.store.cases import load_case, settle_promises
from inboxbot.store.checklists import load_attachments
from inboxbot.store.drafts import (
    Draft,
    Turn,
    end_attempt,
    last_attempt,
    load_draft,
    load_drafts,
    next_due,
    reach_phase,
    sent_since,
    standing_approval,
    start_attempt,
    void_approvals,
)
from inboxbot.store.generation import raise_generation, write_mark
from inboxbot.store.mails import mail_row, save_mails
from inboxbot.store.placed import WAITS, holds_back
from inboxbot.store.stops import is_stopped
from inboxbot.store.tables import cases, drafts, requests

_LIVE = (CaseState.OPEN, CaseState.WAITING)
RETRY_FIRST = dt.timedelta(minutes=5)
RETRY_MOST = dt.timedelta(hours=1)
MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Letter:
    """An approved letter that may be sent now, with the exact bytes and where they go."""

    draft: Draft
    company: CompanySettings
    mailbox: MailboxSettings
    recipient: str
    message: bytes


def recipient_digest(secret: bytes, address: str) -> str:
    """Return a keyed digest of a recipient, for the daily limit."""
    return hmac.new(secret, b"inboxbot recipient " + address.encode(), hashlib.sha256).hexdigest()


def next_letter(desk: Desk, *, now: dt.datetime, turn: Turn) -> Letter | None:
    """Return the next letter to try after ``turn``, which moves on to it, or None; none while sending is stopped.

    Letters over a limit wait, with the reason written on them.
    """
    while True:
        with desk.store.write() as connection:
            if is_stopped(connection):
                return None
            draft = next_due(connection, now, turn)
            if draft is None:
                return None
            turn.at, turn.id = draft.next_try_at, draft.id
            case = load_case(connection, draft.case_id)
            place = desk.find_mailbox(case.mailbox)
            if (waits := _waits(connection, desk, draft, place, turn, now)) is not None:
                reason, until = waits
                connection.execute(
                    update(drafts).where(drafts.c.id == draft.id).values(waits_because=reason, next_try_at=until)
                )
                continue
            files = load_attachments(connection, draft.id)
            if not _still_approved(connection, draft, files):
                record_draft(connection, draft, DraftEvent.CALLED_BACK, values=UNAPPROVED)
                void_approvals(connection, draft.id, at=now)
                record(
                    connection,
                    case,
                    CaseEvent.DRAFT_CALLED_BACK,
                    actor=DAEMON,
                    at=now,
                    detail={"draft": draft.id, "code": "digest_differs"},
                )
                continue
            company, mailbox = desk.of_mailbox(case.mailbox)
            try:
                message = bytes_to_send(company, mailbox, draft, files)
            except RefusedError:
                # Only this letter is at fault: the others must go out.
                _give_up(connection, draft, 0, "cannot_be_composed", now)
                continue
            return Letter(draft, company, mailbox, draft.recipient or "", message)


def _still_approved(connection: Connection, draft: Draft, files: Sequence[OutAttachment]) -> bool:
    """Return whether exactly these bytes are approved: the last check before anything leaves the house (S1)."""
    return (
        draft.recipient is not None
        and draft.digest is not None
        and digest_of(draft, files) == draft.digest
        and standing_approval(connection, draft.id, draft.digest)
    )


def _waits(
    connection: Connection,
    desk: Desk,
    draft: Draft,
    place: tuple[CompanySettings, MailboxSettings] | None,
    turn: Turn,
    now: dt.datetime,
) -> tuple[str, dt.datetime] | None:
    """Return why a letter may not be tried now and until when, None when it may; ``place`` is its case's mailbox."""
    if place is None:
        return "mailbox_not_configured", now + RETRY_MOST
    limits = desk.settings.limits
    digest = recipient_digest(desk.secret, draft.recipient or "")
    if sent_since(connection, now - breaker.DAY, digest) >= limits.per_recipient_per_day:
        breaker.look_at_recipient(connection, desk, draft, digest, now=now)
        return "limit_per_recipient", now + dt.timedelta(minutes=30)
    if sent_since(connection, now - breaker.HOUR) >= limits.per_hour:
        if not turn.hour_full:  # what it looks at is the same for every letter that waits, and may be thousands
            breaker.look_at_hour(connection, desk, draft, now=now)
        turn.hour_full = True
        return "limit_per_hour", now + dt.timedelta(minutes=5)
    if _may_be_sent_by_hand(connection, draft, place[1], now):
        return WAITS, now + dt.timedelta(seconds=30)
    return None


def _may_be_sent_by_hand(connection: Connection, draft: Draft, mailbox: MailboxSettings, now: dt.datetime) -> bool:
    """Whether the letter may lie in the drafts folder still: nothing leaves twice because two doors were used at once.

    The watcher takes it away first. Should the mailbox not be reachable, the letter goes out after an hour.
    """
    fresh = draft.approved_at is not None and now - draft.approved_at < RETRY_MOST
    return "drafts" in mailbox.approval and fresh and holds_back(connection, draft.id)


def begin(desk: Desk, letter: Letter, *, phase: str, now: dt.datetime) -> int:
    """Record a new try of a letter and return the try's id."""
    digest = recipient_digest(desk.secret, letter.recipient)
    with desk.store.write() as connection:
        return start_attempt(connection, letter.draft, at=now, recipient_digest=digest, phase=phase)


def claim(desk: Desk, letter: Letter, attempt_id: int, *, phase: str, now: dt.datetime) -> None:
    """Take the letter for transmission; committed before the first byte of its text.

    Raises RefusedError when it was edited, called back or taken by somebody else meanwhile, or sending was stopped.
    """
    with desk.store.write() as connection:
        if is_stopped(connection):
            raise RefusedError("sending is stopped", cure="`inboxbot sending show` tells why")
        draft = load_draft(connection, letter.draft.id)
        record_draft(connection, letter.draft, DraftEvent.CLAIMED, values={"attempts": draft.attempts + 1})
        _on_case(connection, draft, CaseEvent.LETTER_CLAIMED, now, {"attempt": attempt_id})
        reach_phase(connection, attempt_id, phase)


def reach(desk: Desk, attempt_id: int, *, phase: str) -> None:
    """Record that the final dot goes out next; a copy of the database from before is an older one from now on.

    Raises OSError when that cannot be written beside the database, and RefusedError when the try was ended meanwhile:
    whoever took the outbox over has settled it, and may send the letter again. The dot must not go out then.
    """
    with desk.store.write() as connection:
        if not reach_phase(connection, attempt_id, phase):
            raise RefusedError("somebody else settled this try meanwhile", where=f"try {attempt_id}")
        mark = raise_generation(connection)
    write_mark(desk.store, mark)


def accepted(desk: Desk, draft_id: int, attempt_id: int | None, *, text: str, now: dt.datetime) -> None:
    """Write that the server took the letter: it is sent, promises are met, questions wait for their answer."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        values = {"sent_at": now, "next_try_at": None, "waits_because": None, "final": _words_to_keep(draft)}
        record_draft(connection, draft, DraftEvent.ACCEPTED, values=values)
        if attempt_id is not None:
            end_attempt(connection, attempt_id, at=now, result="accepted", server_text=text)
        told(connection, desk, draft, now=now)


def put_back(desk: Desk, draft_id: int, attempt_id: int, *, text: str, why: str, now: dt.datetime) -> None:
    """Write that the letter certainly did not go out and is tried later; after too many tries a person decides."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        end_attempt(connection, attempt_id, at=now, result="retry", server_text=text)
        tries = draft.attempts if draft.state is DraftState.TRANSMITTING else draft.attempts + 1
        values: dict[str, Any] = {
            "attempts": tries,
            "waits_because": why,
            "next_try_at": now + min(RETRY_FIRST * 2 ** max(0, tries - 1), RETRY_MOST),
        }
        if draft.state is DraftState.TRANSMITTING:
            record_draft(connection, draft, DraftEvent.PUT_BACK, values=values)
            _on_case(connection, draft, CaseEvent.LETTER_PUT_BACK, now, {"attempt": attempt_id})
        else:
            connection.execute(update(drafts).where(drafts.c.id == draft.id).values(**values))
        if tries >= MOST_ATTEMPTS:
            _give_up(connection, load_draft(connection, draft_id), attempt_id, "gave_up_after_many_tries", now)


def refused(desk: Desk, letter: Letter, attempt_id: int, *, text: str, now: dt.datetime) -> None:
    """Write that the server refused this letter for good: a person decides."""
    with desk.store.write() as connection:
        end_attempt(connection, attempt_id, at=now, result="refused", server_text=text)
        _give_up(connection, load_draft(connection, letter.draft.id), attempt_id, "refused_by_server", now)
        breaker.look_at_failures(connection, desk, now=now)


def _give_up(connection: Connection, draft: Draft, attempt_id: int, why: str, now: dt.datetime) -> None:
    if draft.state is DraftState.APPROVED:
        record_draft(connection, draft, DraftEvent.CLAIMED)
        draft = load_draft(connection, draft.id)
    record_draft(connection, draft, DraftEvent.REFUSED, values={"waits_because": why})
    _on_case(connection, draft, CaseEvent.LETTER_FAILED, now, {"attempt": attempt_id, "code": why})


def unknown(desk: Desk, draft_id: int, attempt_id: int | None, *, text: str, now: dt.datetime) -> None:
    """Write that nobody knows whether the letter arrived. It is never sent again by itself."""
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        record_draft(connection, draft, DraftEvent.CUT, values={"waits_because": "outcome_unknown"})
        if attempt_id is not None:
            end_attempt(connection, attempt_id, at=now, result="unknown", server_text=text)
        _on_case(connection, draft, CaseEvent.LETTER_UNKNOWN, now, {"attempt": attempt_id or 0})
        breaker.look_at_failures(connection, desk, now=now)


def recover(desk: Desk, accepted_before: dict[tuple[int, str], str], *, dot: str, now: dt.datetime) -> int:
    """Settle what a crash left in transmission and return how many letters that were. Call it under the outbox lock.

    ``accepted_before`` is the side journal; ``dot`` the name of the phase from which the outcome is unknown.
    """
    with desk.store.read() as connection:
        left = load_drafts(connection, states=[DraftState.TRANSMITTING])
        tries = {draft.id: last_attempt(connection, draft.id) for draft in left}
    for draft in left:
        attempt = tries[draft.id]
        attempt_id = attempt.id if attempt is not None else None
        text = accepted_before.get((draft.id, draft.digest or ""))
        if text is not None:
            accepted(desk, draft.id, attempt_id, text=text, now=now)
        elif attempt is not None and attempt.phase != dot and attempt_id is not None:
            put_back(desk, draft.id, attempt_id, text="cut before the final dot", why="cut_before_dot", now=now)
        else:
            unknown(desk, draft.id, attempt_id, text="cut after the final dot", now=now)
    return len(left)


def told(
    connection: Connection,
    desk: Desk,
    draft: Draft,
    *,
    now: dt.datetime,
    actor: Actor = DAEMON,
    sent_at: dt.datetime | None = None,
    row: dict[str, Any] | None = None,
) -> None:
    """Let a sent letter count: keep it among the case's mails, settle promises, and move the case.

    For one that staff sent themselves ``actor`` is who did, ``sent_at`` when, ``row`` the mail as it was found.
    """
    case = load_case(connection, draft.case_id)
    at = sent_at or present(now, case.promises)
    settle_promises(connection, case.id, at=at, by=f"draft:{draft.id}")
    save_mails(connection, [row or _sent_row(connection, case, draft, now)])
    event = CaseEvent.LETTER_SENT
    case = record(
        connection,
        case,
        event,
        actor=actor,
        at=now,
        detail={"draft": draft.id, "digest": desk.salted(draft.digest or "")},
    )
    company, _ = desk.of_mailbox(case.mailbox)
    if draft.template == "extension" and case.state in _LIVE:
        case = extend(connection, case, company, draft, actor=actor, now=at)
    if questions_in(draft) and case.state in _LIVE:
        note_asked(connection, case, draft, at)
        record_last(connection, case, CaseEvent.QUESTION_SENT, actor=actor, at=now, detail={"draft": draft.id})
    else:
        record_last(connection, case, CaseEvent.ANSWERED, actor=actor, at=now, detail={"draft": draft.id})
    close_when_told(connection, desk, case.id, draft, actor=actor, now=now, told_at=at)
    raise_sent(connection, desk, case.id, About.LETTER, draft.id, door=actor.door, now=now)


def close_when_told(
    connection: Connection,
    desk: Desk,
    case_id: int,
    draft: Draft,
    *,
    actor: Actor,
    now: dt.datetime,
    told_at: dt.datetime,
) -> None:
    """Mark the requests whose outcome this letter told, put aside what they make needless, and close the case."""
    tells = set(grounds_of(draft.facts).tells)
    if not tells:
        return
    connection.execute(
        update(requests)
        .where(requests.c.case_id == case_id, requests.c.kind.in_(sorted(tells)), requests.c.outcome.is_not(None))
        .values(told_at=told_at)
    )
    case = load_case(connection, case_id)
    settled = {one.kind.value for one in case.requests if is_settled(one)}
    for other in load_drafts(connection, case_ids=[case_id], states=[DraftState.PROPOSED]):
        if set(grounds_of(other.facts).kinds) <= settled:
            record_draft(connection, other, DraftEvent.SUPERSEDED)
            detail = {"draft": other.id, "by": draft.id}
            case = record(connection, case, CaseEvent.DRAFT_SUPERSEDED, actor=actor, at=now, detail=detail)
    company, _ = desk.of_mailbox(case.mailbox)
    close_if_done(connection, company, case, actor=actor, now=now)


def _sent_row(connection: Connection, case: Case, draft: Draft, now: dt.datetime) -> dict[str, Any]:
    mailbox_id = connection.execute(
        cases.select().with_only_columns(cases.c.mailbox_id).where(cases.c.id == case.id)
    ).scalar_one()
    return mail_row(
        case_id=case.id,
        ledger_id=None,
        mailbox_id=mailbox_id,
        direction="out",
        message_id=draft.message_id,
        sender=None,
        recipients=[draft.recipient or ""],
        subject=draft.subject,
        text=_words_to_keep(draft),
        header=b"",
        detail={"draft": draft.id, "approver": draft.approver},
        received_at=now,
        size=len((draft.final or "").encode()),
    )


def _words_to_keep(draft: Draft) -> str:
    """Return the words that went out, without a one-time code: that is kept as a digest only."""
    words = draft.final or draft.body
    code = code_in(words) if draft.template == "code" else None
    return words.replace(code, CODE_MARK) if code else words


def _on_case(connection: Connection, draft: Draft, event: CaseEvent, now: dt.datetime, detail: dict[str, Any]) -> None:
    case = load_case(connection, draft.case_id)
    record_last(connection, case, event, actor=DAEMON, at=now, detail={"draft": draft.id, **detail})
