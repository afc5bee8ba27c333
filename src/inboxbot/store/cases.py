"""Cases, their requests and promises: rows to values and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from inboxbot.cases.values import Case, CaseState, Outcome, Promise, Request
from inboxbot.errors import RefusedError, UsageError
from inboxbot.sorting.kinds import Kind
from inboxbot.store.search import add_words, save_words
from inboxbot.store.tables import case_addresses, cases, mailboxes, promises, requests

MAX_VARIABLES = 500  # an IN list stays below every database's limit


def _select() -> Select[Any]:
    return select(cases, mailboxes.c.address.label("mailbox"), mailboxes.c.company).join(
        mailboxes, mailboxes.c.id == cases.c.mailbox_id
    )


def load_cases(
    connection: Connection, ids: Sequence[int] | None = None, *, states: Iterable[CaseState] | None = None
) -> list[Case]:
    """Return the cases with these ids (None: all), oldest first, with requests and promises."""
    query = _select().order_by(cases.c.id)
    if states is not None:
        query = query.where(cases.c.state.in_([state.value for state in states]))
    if ids is None:
        rows = list(connection.execute(query))
    else:
        rows = [row for chunk in chunks(ids) for row in connection.execute(query.where(cases.c.id.in_(chunk)))]
    found = [row.id for row in rows]
    asked = _grouped(connection, select(requests).order_by(requests.c.id), requests.c.case_id, found)
    promised = _grouped(connection, select(promises).order_by(promises.c.received_at), promises.c.case_id, found)
    return [_case(row, asked.get(row.id, []), promised.get(row.id, [])) for row in rows]


def load_case(connection: Connection, case_id: int) -> Case:
    """Return one case. Raises UsageError when there is none."""
    found = load_cases(connection, [case_id])
    if not found:
        raise UsageError(f"there is no case {case_id}")
    return found[0]


def case_id_of(connection: Connection, reference: str) -> int:
    """Return the id of the case with this reference. Raises UsageError when there is none."""
    found = connection.execute(select(cases.c.id).where(cases.c.reference == reference.strip().upper())).scalar()
    if found is None:
        raise UsageError(f"there is no case {reference!r}", cure="`inboxbot cases list` shows them")
    return int(found)


def save_cases(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert case rows, the address that belongs to each, and the words each is found by."""
    if not rows:
        return
    connection.execute(insert(cases), rows)
    save_words(connection, rows)
    known = [{"case_id": row["id"], "address": row["requester"]} for row in rows if row["requester"]]
    if known:
        connection.execute(insert(case_addresses), known)


def add_address(connection: Connection, case_id: int, address: str) -> None:
    """Record that mail from ``address`` belongs to the case; once is enough."""
    there = select(case_addresses).where(case_addresses.c.case_id == case_id, case_addresses.c.address == address)
    if connection.execute(there).first() is None:
        connection.execute(insert(case_addresses).values(case_id=case_id, address=address))
        add_words(connection, case_id, address)


def addresses_of(connection: Connection, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Return the addresses that belong to each case."""
    rows = _grouped(connection, select(case_addresses), case_addresses.c.case_id, list(ids))
    return {case: frozenset(row.address for row in found) for case, found in rows.items()}


def change_case(connection: Connection, case: Case, values: Mapping[str, Any]) -> None:
    """Write ``values`` on a case that is still at the version it was read at. Raises RefusedError when it is not."""
    changed = connection.execute(
        update(cases)
        .where(cases.c.id == case.id, cases.c.version == case.version)
        .values(**values, version=case.version + 1)
    )
    if changed.rowcount != 1:
        raise RefusedError(
            "somebody else changed the case meanwhile", where=case.reference, cure="look again, then retry"
        )


def _case(row: Row[Any], asked: Sequence[Row[Any]], promised: Sequence[Row[Any]]) -> Case:
    return Case(
        id=row.id,
        reference=row.reference,
        company=row.company,
        mailbox=row.mailbox,
        state=CaseState(row.state),
        requester=row.requester,
        requester_name=row.requester_name,
        language=row.language,
        subject=row.subject,
        opened_at=row.opened_at,
        version=row.version,
        held_reason=row.held_reason,
        assignee=row.assignee,
        requests=tuple(_request(each) for each in asked),
        promises=tuple(
            Promise(each.received_at, each.due_at, answered_at=each.answered_at, excused=each.excused)
            for each in promised
        ),
    )


def _request(row: Row[Any]) -> Request:
    return Request(
        id=row.id,
        kind=Kind(row.kind),
        received_at=row.received_at,
        due_hard=row.due_hard,
        due_paused=row.due_paused,
        outcome=Outcome(row.outcome) if row.outcome else None,
        outcome_at=row.outcome_at,
        told_at=row.told_at,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        extended_on=row.extended_on,
    )


def chunks(ids: Sequence[Any]) -> list[list[Any]]:
    """Return ``ids`` in pieces that fit one statement."""
    return [list(ids[start : start + MAX_VARIABLES]) for start in range(0, len(ids), MAX_VARIABLES)]


def _grouped(connection: Connection, query: Select[Any], column: Any, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for chunk in chunks(ids):
        for row in connection.execute(query.where(column.in_(chunk))):
            found.setdefault(row.case_id, []).append(row)
    return found


def settle_promises(connection: Connection, case_id: int, *, at: dt.datetime, by: str) -> int:
    """Mark every promise of the case that runs at ``at`` as answered, and return how many."""
    done = connection.execute(
        update(promises)
        .where(
            promises.c.case_id == case_id,
            promises.c.answered_at.is_(None),
            promises.c.excused.is_(None),
            promises.c.received_at <= at,
        )
        .values(answered_at=at, answered_by=by)
    )
    return done.rowcount


def reopen_promises(connection: Connection, case_id: int, *, by: str) -> int:
    """Take back the answer ``by`` (a letter that bounced), and return how many promises run again."""
    done = connection.execute(
        update(promises)
        .where(promises.c.case_id == case_id, promises.c.answered_by == by)
        .values(answered_at=None, answered_by=None)
    )
    return done.rowcount


def excuse_promises(connection: Connection, case_id: int, code: str) -> int:
    """Mark every promise of the case that nobody answered as needing no answer, and return how many."""
    done = connection.execute(
        update(promises)
        .where(promises.c.case_id == case_id, promises.c.answered_at.is_(None), promises.c.excused.is_(None))
        .values(excused=code)
    )
    return done.rowcount


def mailbox_id_of(connection: Connection, case_id: int) -> int:
    """Return the row id of the mailbox a case came to."""
    return int(connection.execute(select(cases.c.mailbox_id).where(cases.c.id == case_id)).scalar_one())
