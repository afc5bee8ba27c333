"""The chains of history: whole or not, and the heads that are anchored every day.

The rows are read as the database keeps them: an entry that cannot even be read any more is as broken as one whose
digest differs, and both are named.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, Text, cast, func, insert, select
from sqlalchemy.exc import DBAPIError

from inboxbot.cases.history import HistoryEntry, first_broken
from inboxbot.cases.transitions import CaseEvent, move_case
from inboxbot.cases.values import CaseState
from inboxbot.errors import IllegalMoveError
from inboxbot.store.cases import chunks
from inboxbot.store.tables import anchors, cases, history

_UNREADABLE = (ValueError, TypeError, DBAPIError)


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """The first entry of a case at which its history is not what was written."""

    reference: str
    sequence: int
    what: str


def check_chains(connection: Connection, case_ids: list[int] | None = None) -> tuple[int, list[BrokenChain]]:
    """Return how many entries were checked and the first broken one of each case (all cases, or these).

    A chain that was cut at its end is found by its anchored head; a case without any entry is broken at the first.
    """
    names = {row.id: row.reference for row in connection.execute(select(cases.c.id, cases.c.reference))}
    gone = set(connection.execute(select(cases.c.id).where(cases.c.proof_gone_at.is_not(None))).scalars())
    heads = _anchored(connection)
    wanted = set(names) - gone if case_ids is None else set(case_ids)
    checked, found, seen = 0, [], set()
    for case_id, chain in _chains(connection, case_ids):
        seen.add(case_id)
        checked += len(chain)
        fault = _fault(chain, heads.get(case_id))
        if fault is not None:
            found.append(BrokenChain(names.get(case_id, f"case {case_id}"), *fault))
    found += [BrokenChain(names[one], 1, "the history is gone") for one in sorted(wanted - seen) if one in names]
    return checked, found


def anchor_heads(connection: Connection, *, now: dt.datetime) -> tuple[str, int]:
    """Keep the head of every history that grew since it was last kept; return a digest over all heads and their number.

    The digest goes to the log: a copy of the log elsewhere shows when somebody rewrote a whole chain and its anchor.
    """
    last = select(history.c.case_id, func.max(history.c.sequence).label("sequence")).group_by(history.c.case_id)
    newest = last.subquery()
    query = (
        select(history.c.case_id, history.c.sequence, history.c.hash)
        .join(newest, (newest.c.case_id == history.c.case_id) & (newest.c.sequence == history.c.sequence))
        .order_by(history.c.case_id)
    )
    known = _anchored(connection)
    heads = [(int(row.case_id), int(row.sequence), str(row.hash)) for row in connection.execute(query)]
    grown = [
        {"case_id": case_id, "sequence": sequence, "hash": digest, "at": now}
        for case_id, sequence, digest in heads
        if known.get(case_id, (0, ""))[0] < sequence
    ]
    if grown:
        connection.execute(insert(anchors), grown)
    text = json.dumps(heads, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest(), len(heads)


@dataclass(frozen=True, slots=True)
class WrongState:
    """A case whose state is not the one its history leads to; ``said`` is that one, "" when it leads nowhere."""

    reference: str
    state: str
    said: str


def wrong_states(connection: Connection) -> list[WrongState]:
    """Return the cases that stand otherwise than their history says, by letting every event happen again."""
    query = (
        select(cases.c.id, cases.c.reference, cases.c.state, history.c.event)
        .join(history, history.c.case_id == cases.c.id)
        .where(cases.c.proof_gone_at.is_(None))
        .order_by(cases.c.id, history.c.sequence)
    )
    found = []
    for _, rows in groupby(connection.execute(query), key=lambda row: row.id):
        events = list(rows)
        said = _replayed([row.event for row in events])
        if said != events[0].state:
            found.append(WrongState(events[0].reference, events[0].state, said))
    return found


def _replayed(events: list[str]) -> str:
    state: CaseState | None = None
    try:
        for event in events:
            state = move_case(state, CaseEvent(event))
    except (ValueError, IllegalMoveError):
        return ""
    return state.value if state else ""


def _anchored(connection: Connection) -> dict[int, tuple[int, str]]:
    query = select(anchors.c.case_id, anchors.c.sequence, anchors.c.hash).order_by(anchors.c.id)
    return {row.case_id: (row.sequence, row.hash) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as it is stored, or the sequence number at which reading failed."""

    sequence: int
    stored: Row[Any] | None


def _select() -> Select[Any]:
    return select(history, cast(history.c.detail, Text).label("raw")).order_by(history.c.case_id, history.c.sequence)


def _chains(connection: Connection, case_ids: list[int] | None) -> Iterator[tuple[int, list[_Entry]]]:
    every = select(history.c.case_id).distinct().order_by(history.c.case_id)
    wanted = list(connection.execute(every).scalars()) if case_ids is None else case_ids
    for chunk in chunks(wanted):
        try:
            rows = list(connection.execute(_select().where(history.c.case_id.in_(chunk))))
        except _UNREADABLE:
            yield from _one_by_one(connection, chunk)
            continue
        for case_id, chain in groupby(rows, key=lambda row: row.case_id):
            yield case_id, [_Entry(row.sequence, row) for row in chain]


def _one_by_one(connection: Connection, case_ids: list[int]) -> Iterator[tuple[int, list[_Entry]]]:
    """Yield the chains entry by entry, when one of them cannot be read and takes the whole answer with it."""
    keys = select(history.c.id, history.c.case_id, history.c.sequence).where(history.c.case_id.in_(case_ids))
    ordered = list(connection.execute(keys.order_by(history.c.case_id, history.c.sequence)))
    for case_id, listed in groupby(ordered, key=lambda row: row.case_id):
        chain = []
        for key in listed:
            try:
                stored = connection.execute(_select().where(history.c.id == key.id)).first()
            except _UNREADABLE:
                stored = None
            chain.append(_Entry(key.sequence, stored))
        yield case_id, chain


def _fault(chain: list[_Entry], anchor: tuple[int, str] | None) -> tuple[int, str] | None:
    readable: list[HistoryEntry] = []
    for number, entry in enumerate(chain, start=1):
        row = entry.stored
        if row is None or not isinstance(row.detail, dict) or json.dumps(row.detail) != row.raw:
            broken = first_broken(readable)
            return (broken, "the entry was changed") if broken else (number, "the entry was changed or cannot be read")
        fields = (row.case_id, row.sequence, row.at, row.event, row.actor, row.door, row.detail, row.hash)
        readable.append(HistoryEntry(*fields))
    broken = first_broken(readable, anchor)
    if broken is None:
        return None
    cut = broken > len(readable)
    return broken, "the end of the history is missing" if cut else "the entry was changed, removed or put in"
