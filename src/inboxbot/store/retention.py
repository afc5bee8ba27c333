"""What retention removes and keeps: content of ended cases, their proof later, loose mails, outgoing files.

Purging leaves rows in place where something counts them (promises, requests, ledger) and empties what a person could be
known by. The statements name every column that can hold a word, an address or an unkeyed digest.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, or_, select, update

from inboxbot.cases.values import ENDED, DraftState, LedgerState
from inboxbot.store.cases import chunks
from inboxbot.store.engine import Store
from inboxbot.store.tables import (
    anchors,
    approvals,
    attachments,
    attempts,
    case_addresses,
    case_words,
    cases,
    checklist,
    codes,
    corrections,
    deliveries,
    draft_words,
    drafts,
    events,
    folders,
    history,
    identities,
    learned,
    ledger,
    mailboxes,
    mails,
    placed,
    promises,
    requests,
    retention_runs,
    suppressions,
    webhooks,
)

_LEAVING = (DraftState.APPROVED.value, DraftState.TRANSMITTING.value)
_EMPTY_MAIL: Mapping[str, Any] = {
    "message_id": None,
    "sender": None,
    "sender_name": "",
    "recipients": [],
    "subject": "",
    "text": "",
    "header": b"",
    "detail": {},
}
_EMPTY_DRAFT: Mapping[str, Any] = {
    "recipient": None,
    "subject": "",
    "body": "",
    "final": None,
    "in_reply_to": None,
    "references": [],
}


_WIPE_WAIT_MS = 2000


@dataclass(frozen=True, slots=True)
class Ended:
    """A closed or dismissed case whose proof is still kept. Moments are UTC; ``nonce`` is empty once it was purged."""

    id: int
    reference: str
    company: str
    closed_at: dt.datetime
    last_contact_at: dt.datetime | None
    purged_at: dt.datetime | None
    hold: str | None
    nonce: str


@dataclass(frozen=True, slots=True)
class LooseMail:
    """A mail that was kept without a case."""

    id: int
    company: str
    received_at: dt.datetime


def ended_cases(connection: Connection, ids: Sequence[int] | None = None) -> list[Ended]:
    """Return the ended cases (of ``ids``, or all), oldest first; one that a letter is about to leave is not ended."""
    came = (
        select(func.max(mails.c.received_at))
        .where(mails.c.case_id == cases.c.id, mails.c.direction == "in")
        .scalar_subquery()
    )
    last = select(func.max(history.c.at)).where(history.c.case_id == cases.c.id).scalar_subquery()
    leaving = exists().where(drafts.c.case_id == cases.c.id, drafts.c.state.in_(_LEAVING))
    query = (
        select(
            cases.c.id,
            cases.c.reference,
            mailboxes.c.company,
            func.coalesce(cases.c.closed_at, last, cases.c.opened_at).label("closed_at"),
            came.label("last_contact_at"),
            cases.c.purged_at,
            cases.c.hold,
            cases.c.nonce,
        )
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(cases.c.state.in_([one.value for one in ENDED]), cases.c.proof_gone_at.is_(None), ~leaving)
        .order_by(cases.c.id)
    )
    if ids is None:
        return [Ended(*row) for row in connection.execute(query)]
    return [Ended(*row) for chunk in chunks(ids) for row in connection.execute(query.where(cases.c.id.in_(chunk)))]


def loose_mails(connection: Connection) -> list[LooseMail]:
    """Return every mail that was kept without a case."""
    query = (
        select(mails.c.id, mailboxes.c.company, mails.c.received_at)
        .join(mailboxes, mailboxes.c.id == mails.c.mailbox_id)
        .where(mails.c.case_id.is_(None))
        .order_by(mails.c.id)
    )
    return [LooseMail(*row) for row in connection.execute(query)]


def old_files(connection: Connection, before: dt.datetime) -> list[int]:
    """Return the outgoing files to purge: added, and sent, before a moment; never those of a letter on its way."""
    query = (
        select(attachments.c.id)
        .join(drafts, drafts.c.id == attachments.c.draft_id)
        .where(
            attachments.c.data.is_not(None),
            attachments.c.added_at <= before,
            or_(drafts.c.sent_at.is_(None), drafts.c.sent_at <= before),
            drafts.c.state.not_in(_LEAVING),
        )
        .order_by(attachments.c.id)
    )
    return list(connection.execute(query).scalars())


def purge_content(
    connection: Connection, ids: Sequence[int], *, keyed: Callable[[str], str], now: dt.datetime
) -> Counter[str]:
    """Empty everything about the cases but their codes, moments and names of staff, and return how much that was.

    ``keyed`` turns a digest of words into one that nobody outside can match to guessed words; approvals and tries are
    still matched by it. What remains is the proof record of law.md 7.
    """
    counts: Counter[str] = Counter()
    for chunk in chunks(ids):
        letters = select(drafts.c.id).where(drafts.c.case_id.in_(chunk))
        for table in (approvals, attempts, drafts):
            _key_digests(connection, table, letters, keyed)
        counts["mails"] += connection.execute(
            update(mails).where(mails.c.case_id.in_(chunk)).values(**_EMPTY_MAIL)
        ).rowcount
        counts["letters"] += _empty_letters(connection, chunk, now)
        connection.execute(delete(draft_words).where(draft_words.c.draft_id.in_(letters)))
        connection.execute(
            update(attempts).where(attempts.c.draft_id.in_(letters)).values(recipient_digest="", server_text=None)
        )
        connection.execute(
            update(attachments)
            .where(attachments.c.draft_id.in_(letters))
            .values(data=None, name="", purged_at=func.coalesce(attachments.c.purged_at, now))
        )
        connection.execute(update(placed).where(placed.c.draft_id.in_(letters)).values(words=""))
        connection.execute(
            update(webhooks).where(webhooks.c.case_id.in_(chunk)).values(address=None, next_try_at=None, result=None)
        )
        asked = select(requests.c.id).where(requests.c.case_id.in_(chunk))
        connection.execute(update(checklist).where(checklist.c.request_id.in_(asked)).values(detail=""))
        for gone in (codes, case_addresses, case_words, identities):
            connection.execute(delete(gone).where(gone.c.case_id.in_(chunk)))
        counts["corrections"] += connection.execute(
            delete(corrections).where(corrections.c.case_id.in_(chunk))
        ).rowcount
        connection.execute(
            update(cases)
            .where(cases.c.id.in_(chunk))
            .values(requester=None, requester_name="", subject="", nonce="", hold=None, look_at=None, purged_at=now)
        )
        counts["cases"] += len(chunk)
    return counts


def _key_digests(connection: Connection, table: Any, letters: Any, keyed: Callable[[str], str]) -> None:
    own = table.c.id if table is drafts else table.c.draft_id
    query = select(table.c.id, table.c.digest).where(own.in_(letters), table.c.digest.is_not(None))
    for row in list(connection.execute(query)):
        if len(row.digest) == _UNKEYED_LENGTH:
            connection.execute(update(table).where(table.c.id == row.id).values(digest=keyed(row.digest)))


_UNKEYED_LENGTH = 64  # a SHA-256 in hex; the keyed form is shorter, so keying twice is not possible


def _empty_letters(connection: Connection, chunk: Sequence[int], now: dt.datetime) -> int:
    rows = list(
        connection.execute(
            select(drafts.c.id, drafts.c.state, drafts.c.facts, drafts.c.filed_at).where(drafts.c.case_id.in_(chunk))
        )
    )
    for row in rows:
        codes_only = {key: row.facts[key] for key in ("kinds", "tells", "request") if key in row.facts}
        state = DraftState.SUPERSEDED.value if row.state == DraftState.PROPOSED.value else row.state
        connection.execute(
            update(drafts)
            .where(drafts.c.id == row.id)
            .values(**_EMPTY_DRAFT, facts=codes_only, state=state, filed_at=row.filed_at or now, next_try_at=None)
        )
    return len(rows)


def drop_proof(connection: Connection, ids: Sequence[int], *, now: dt.datetime) -> None:
    """Remove what is left of purged cases but the rows that figures are counted from.

    Left are kinds, outcomes and moments of requests, moments of promises, the emptied rows these point at, and the
    ledger. Nothing of it names a case, a letter or a person.
    """
    for chunk in chunks(ids):
        letters = select(drafts.c.id).where(drafts.c.case_id.in_(chunk))
        asked = select(requests.c.id).where(requests.c.case_id.in_(chunk))
        connection.execute(update(cases).where(cases.c.id.in_(chunk)).values(proof_gone_at=now))
        told = select(events.c.id).where(events.c.case_id.in_(chunk))
        connection.execute(delete(deliveries).where(deliveries.c.event_id.in_(told)))
        for table in (history, anchors, identities, case_addresses, codes, corrections, webhooks, events):
            connection.execute(delete(table).where(table.c.case_id.in_(chunk)))
        for table in (approvals, attempts, attachments, draft_words, placed):
            connection.execute(delete(table).where(table.c.draft_id.in_(letters)))
        connection.execute(delete(checklist).where(checklist.c.request_id.in_(asked)))
        connection.execute(delete(drafts).where(drafts.c.case_id.in_(chunk)))
        counted = select(promises.c.mail_id).where(promises.c.case_id.in_(chunk))
        connection.execute(delete(mails).where(mails.c.case_id.in_(chunk), mails.c.id.not_in(counted)))
        connection.execute(update(promises).where(promises.c.case_id.in_(chunk)).values(answered_by=None))
        connection.execute(update(suppressions).where(suppressions.c.case_id.in_(chunk)).values(case_id=None))
        for case_id in chunk:
            bare = {"reference": f"#{case_id}", "language": "und", "requester_source": "", "assignee": None}
            connection.execute(
                update(cases).where(cases.c.id == case_id).values(**bare, held_reason=None, merged_into=None)
            )


def drop_loose_mails(connection: Connection, ids: Sequence[int]) -> None:
    """Remove mails that were kept without a case; their ledger rows stay."""
    for chunk in chunks(ids):
        connection.execute(delete(mails).where(mails.c.id.in_(chunk), mails.c.case_id.is_(None)))


def drop_file_bytes(connection: Connection, ids: Sequence[int], *, now: dt.datetime) -> None:
    """Remove the bytes of outgoing files; their names and sizes stay with the letter."""
    for chunk in chunks(ids):
        connection.execute(update(attachments).where(attachments.c.id.in_(chunk)).values(data=None, purged_at=now))


@dataclass(frozen=True, slots=True)
class Expired:
    """A message that lay in its folder at the last look, and of which nothing is kept here any more."""

    ledger_id: int
    mailbox: str
    folder: str
    uidvalidity: int
    uid: int
    digest: str
    size: int
    received_at: dt.datetime


def _in_its_folder() -> Select[Any]:
    """Return the query for messages that have a place. One in a folder renumbered since has none we could name."""
    return (
        select(
            ledger.c.id,
            mailboxes.c.address,
            folders.c.name,
            ledger.c.uidvalidity,
            ledger.c.uid,
            ledger.c.digest,
            ledger.c.size,
            ledger.c.received_at,
        )
        .join(folders, folders.c.id == ledger.c.folder_id)
        .join(mailboxes, mailboxes.c.id == folders.c.mailbox_id)
        .where(ledger.c.uidvalidity == folders.c.uidvalidity)
        .order_by(mailboxes.c.address, folders.c.name, ledger.c.uid)
    )


def expired_mails(connection: Connection, mailbox_id: int | None = None) -> list[Expired]:
    """Return the messages (of one mailbox, or all) whose content was purged here, ordered by mailbox, folder and UID.

    Left out is what a case needs again: one that was reopened or put on hold since, and mail that came to it later.
    """
    kept = exists().where(mails.c.ledger_id == ledger.c.id, or_(mails.c.case_id.is_(None), mails.c.header != b""))
    purged = cases.c.purged_at.is_not(None) & cases.c.state.in_([one.value for one in ENDED]) & cases.c.hold.is_(None)
    ordinary = (ledger.c.state == LedgerState.ORDINARY.value) & ledger.c.case_id.is_(None)
    query = _in_its_folder().outerjoin(cases, cases.c.id == ledger.c.case_id).where(or_(purged, ordinary), ~kept)
    if mailbox_id is not None:
        query = query.where(mailboxes.c.id == mailbox_id)
    return [Expired(*row) for row in connection.execute(query)]


def about_to_expire(connection: Connection, case_ids: Sequence[int], mail_ids: Sequence[int]) -> list[Expired]:
    """Return the messages of cases and of mails without a case that are due to be purged."""
    query = _in_its_folder()
    found = [row for chunk in chunks(case_ids) for row in connection.execute(query.where(ledger.c.case_id.in_(chunk)))]
    for chunk in chunks(mail_ids):
        loose = select(mails.c.ledger_id).where(mails.c.id.in_(chunk))
        found += connection.execute(query.where(ledger.c.id.in_(loose)))
    return [Expired(*row) for row in found]


def newest_written(connection: Connection) -> dt.datetime | None:
    """Return the newest moment that this program wrote down, a look through a folder among them."""
    found = [
        connection.execute(select(func.max(column))).scalar()
        for column in (history.c.at, ledger.c.fetched_at, folders.c.round_at)
    ]
    return max((one for one in found if one is not None), default=None)


def last_run(connection: Connection) -> dict[str, Any] | None:
    """Return the newest run of retention, refused ones among them."""
    row = connection.execute(select(retention_runs).order_by(retention_runs.c.id.desc()).limit(1)).first()
    return dict(row._mapping) if row else None


def save_run(
    connection: Connection, *, at: dt.datetime, counts: Mapping[str, int], refused: bool = False, wiped: bool = False
) -> None:
    """Write what a run did, as counts."""
    connection.execute(
        insert(retention_runs).values(at=at, refused=refused, counts=dict(counts), wiped_at=at if wiped else None)
    )


def unwiped(connection: Connection) -> bool:
    """Return whether something was purged whose space was not overwritten yet."""
    query = select(retention_runs.c.id).where(retention_runs.c.wiped_at.is_(None), ~retention_runs.c.refused)
    return connection.execute(query).first() is not None


def mark_wiped(connection: Connection, now: dt.datetime) -> None:
    """Write that the space of everything purged so far is overwritten."""
    connection.execute(update(retention_runs).where(retention_runs.c.wiped_at.is_(None)).values(wiped_at=now))


def layer_is_stale(connection: Connection) -> bool:
    """Return whether the judge's local layer was fitted to corrections that are purged by now."""
    fitted = connection.execute(select(func.max(learned.c.at))).scalar()
    if fitted is None:
        return False
    query = select(retention_runs.c.counts).where(retention_runs.c.at >= fitted)
    return any(counts.get("corrections") for counts in connection.execute(query).scalars())


def wipe(store: Store) -> bool:
    """Rewrite the database so that nothing purged is left in free pages or in the write-ahead log.

    Returns False when somebody held the database; the next run tries again. On PostgreSQL dead rows are given back to
    their tables, whose pages the server overwrites in time.
    """
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
        return True
    raw = store.engine.raw_connection()
    try:
        handle: Any = raw.driver_connection
        handle.execute(f"PRAGMA busy_timeout={_WIPE_WAIT_MS}")
        handle.execute("VACUUM")
        busy = handle.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    finally:
        raw.invalidate()  # its waiting time is not that of the others
    return not busy
