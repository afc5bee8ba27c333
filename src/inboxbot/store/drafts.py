"""Letters: rows to values, and the questions asked of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from inboxbot.cases.values import DraftState
from inboxbot.errors import UsageError
from inboxbot.store.tables import approvals, attempts, cases, draft_words, drafts


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter as it lies in the database."""

    id: int
    case_id: int
    reference: str
    state: DraftState
    template: str
    language: str
    recipient: str | None
    subject: str
    body: str
    final: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    message_id: str
    facts: dict[str, Any]
    created_at: dt.datetime
    version: int
    approver: str | None
    approved_at: dt.datetime | None
    digest: str | None
    attempts: int
    next_try_at: dt.datetime | None
    waits_because: str | None
    sent_at: dt.datetime | None
    filed_at: dt.datetime | None


def _draft(row: Row[Any]) -> Draft:
    values = dict(row._mapping)
    values["state"] = DraftState(values["state"])
    values["references"] = tuple(values["references"])
    return Draft(**values)


_COLUMNS = (cases.c.reference, *drafts.c)
_NO_PAUSE = dt.timedelta(hours=2)  # longer than any pause: the clock was set back, and nobody waits for its return
# Written into the statement: an index of approved letters alone is of no use for a value that is told later.
_APPROVED: BindParameter[str] = bindparam(None, DraftState.APPROVED.value, literal_execute=True)


def load_drafts(
    connection: Connection,
    *,
    states: Iterable[DraftState] | None = None,
    case_ids: Iterable[int] | None = None,
    draft_ids: Iterable[int] | None = None,
) -> list[Draft]:
    """Return letters, oldest first, narrowed by whatever is given."""
    query = select(*_COLUMNS).join(cases, cases.c.id == drafts.c.case_id).order_by(drafts.c.id)
    if states is not None:
        query = query.where(drafts.c.state.in_([state.value for state in states]))
    if case_ids is not None:
        query = query.where(drafts.c.case_id.in_(list(case_ids)))
    if draft_ids is not None:
        query = query.where(drafts.c.id.in_(list(draft_ids)))
    return [_draft(row) for row in connection.execute(query)]


def load_draft(connection: Connection, draft_id: int) -> Draft:
    """Return one letter. Raises UsageError when there is none."""
    found = load_drafts(connection, draft_ids=[draft_id])
    if not found:
        raise UsageError(f"there is no draft {draft_id}", cure="`inboxbot drafts list` shows them")
    return found[0]


def draft_ids_by_case(connection: Connection) -> dict[int, list[int]]:
    """Return the ids of all letters by case, oldest first."""
    found: dict[int, list[int]] = {}
    for row in connection.execute(select(drafts.c.case_id, drafts.c.id).order_by(drafts.c.id)):
        found.setdefault(row.case_id, []).append(row.id)
    return found


@dataclass(slots=True)
class Turn:
    """How far one pass over the letters that are due has come: the moment and id of the last one that was looked at.

    ``hour_full``: the limit for an hour was found to be reached, and the breaker has looked at what that means.
    """

    at: dt.datetime | None = None
    id: int = 0
    hour_full: bool = False


def next_due(connection: Connection, now: dt.datetime, turn: Turn) -> Draft | None:
    """Return the approved letter that waits longest and may be tried now, of those after ``turn``."""
    approved: ColumnElement[bool] = drafts.c.state == _APPROVED
    if connection.dialect.name == "sqlite":
        # It keeps no statistics here, and would read and sort everything that is approved, for each letter anew.
        approved = func.likely(approved)
    query = (
        select(*_COLUMNS)
        .join(cases, cases.c.id == drafts.c.case_id)
        .where(approved)
        .where(or_(drafts.c.next_try_at <= now, drafts.c.next_try_at > now + _NO_PAUSE))
        .order_by(drafts.c.next_try_at, drafts.c.id)
        .limit(1)
    )
    if turn.at is not None:
        behind = tuple_(literal(turn.at, drafts.c.next_try_at.type), literal(turn.id))
        query = query.where(tuple_(drafts.c.next_try_at, drafts.c.id) > behind)
    row = connection.execute(query).first()
    return _draft(row) if row else None


def keep_words(connection: Connection, draft: Draft, *, at: dt.datetime, actor: str) -> None:
    """Keep the present words of a letter before they are edited."""
    connection.execute(
        insert(draft_words).values(
            draft_id=draft.id, at=at, actor=actor, recipient=draft.recipient, subject=draft.subject, body=draft.body
        )
    )


def add_approval(connection: Connection, draft_id: int, *, digest: str, actor: str, door: str, at: dt.datetime) -> None:
    """Record who approved exactly which bytes."""
    connection.execute(insert(approvals).values(draft_id=draft_id, digest=digest, actor=actor, door=door, at=at))


def void_approvals(connection: Connection, draft_id: int, *, at: dt.datetime) -> None:
    """Mark a letter's standing approvals as no longer counting."""
    connection.execute(
        update(approvals).where(approvals.c.draft_id == draft_id, approvals.c.void_at.is_(None)).values(void_at=at)
    )


def voided_approval(connection: Connection, draft_id: int) -> Row[Any] | None:
    """Return the newest approval of a letter if it does not count any more (``actor``, ``void_at``), else None."""
    query = select(approvals).where(approvals.c.draft_id == draft_id).order_by(approvals.c.id.desc()).limit(1)
    newest = connection.execute(query).first()
    return newest if newest is not None and newest.void_at is not None else None


def standing_approval(connection: Connection, draft_id: int, digest: str) -> bool:
    """Return whether somebody approved exactly these bytes and nobody took it back."""
    query = select(approvals.c.id).where(
        approvals.c.draft_id == draft_id, approvals.c.digest == digest, approvals.c.void_at.is_(None)
    )
    return connection.execute(query).first() is not None


def start_attempt(connection: Connection, draft: Draft, *, at: dt.datetime, recipient_digest: str, phase: str) -> int:
    """Record that a try begins and return its id."""
    result = connection.execute(
        insert(attempts)
        .values(draft_id=draft.id, digest=draft.digest, started_at=at, recipient_digest=recipient_digest, phase=phase)
        .returning(attempts.c.id)
    )
    return int(result.scalar_one())


def reach_phase(connection: Connection, attempt_id: int, phase: str) -> bool:
    """Record that a try came to ``phase``, before its first byte goes out; False when somebody ended the try."""
    query = update(attempts).where(attempts.c.id == attempt_id, attempts.c.ended_at.is_(None))
    return connection.execute(query.values(phase=phase)).rowcount == 1


def end_attempt(connection: Connection, attempt_id: int, *, at: dt.datetime, result: str, server_text: str) -> None:
    """Record how a try ended."""
    connection.execute(
        update(attempts).where(attempts.c.id == attempt_id).values(ended_at=at, result=result, server_text=server_text)
    )


def last_attempt(connection: Connection, draft_id: int) -> Row[Any] | None:
    """Return the newest try of a letter, or None."""
    return connection.execute(
        select(attempts).where(attempts.c.draft_id == draft_id).order_by(attempts.c.id.desc()).limit(1)
    ).first()


def sent_since(connection: Connection, since: dt.datetime, recipient_digest: str | None = None) -> int:
    """Return how many letters went out (or may have) since a moment, in all or to one recipient."""
    query = select(func.count()).where(attempts.c.started_at > since, attempts.c.result.in_(["accepted", "unknown"]))
    if recipient_digest is not None:
        query = query.where(attempts.c.recipient_digest == recipient_digest)
    return int(connection.execute(query).scalar_one())


def sends_since(connection: Connection, since: dt.datetime, recipient_digest: str | None = None) -> list[dt.datetime]:
    """Return when the letters that `sent_since` counts were tried, oldest first."""
    query = select(attempts.c.started_at).where(
        attempts.c.started_at > since, attempts.c.result.in_(["accepted", "unknown"])
    )
    if recipient_digest is not None:
        query = query.where(attempts.c.recipient_digest == recipient_digest)
    return sorted(connection.execute(query).scalars())


def approvals_since(connection: Connection, since: dt.datetime, recipient: str | None = None) -> list[dt.datetime]:
    """Return when the letters that were approved after a moment were, oldest first; in all or to one recipient."""
    query = select(drafts.c.approved_at).where(drafts.c.approved_at > since)
    if recipient is not None:
        query = query.where(drafts.c.recipient == recipient)
    return sorted(at for at in connection.execute(query).scalars() if at is not None)


def last_results(connection: Connection, since: dt.datetime, most: int) -> list[str]:
    """Return how the newest tries that ended after a moment came out, newest first; those to be repeated left out."""
    query = (
        select(attempts.c.result)
        .where(attempts.c.ended_at > since, attempts.c.result.in_(["accepted", "refused", "unknown"]))
        .order_by(attempts.c.id.desc())
        .limit(most)
    )
    return [str(one) for one in connection.execute(query).scalars()]
