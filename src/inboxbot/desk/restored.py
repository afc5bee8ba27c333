"""What an older database means for letters and numbers: after a restored backup, or a copy put in its place by hand.

Whatever was on its way when the copy was made may have left since: nobody sends it again by himself. Sending as a whole
waits until a person has looked (promises.md D4, F78).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, update

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import DraftState
from inboxbot.desk.context import DAEMON
from inboxbot.desk.record import record, record_draft
from inboxbot.desk.sending import recipient_digest
from inboxbot.logs import get_logger
from inboxbot.store.cases import load_case
from inboxbot.store.drafts import Draft, end_attempt, last_attempt, load_draft, load_drafts, start_attempt
from inboxbot.store.engine import Store
from inboxbot.store.generation import Mark, mark_in, raise_generation, read_mark, write_mark
from inboxbot.store.restore import merge_numbers
from inboxbot.store.schema import secret
from inboxbot.store.stops import add_stop
from inboxbot.store.tables import installation, sessions

RESTORED: Final = "restored"
GAP: Final = 1000  # numbers left out when nobody knows how many were given since the copy was made
log = get_logger()


def take_over(
    connection: Connection,
    why: str,
    *,
    now: dt.datetime,
    detail: Mapping[str, Any],
    accepted: Mapping[tuple[int, str], str] | None = None,
    taken: dict[str, int] | None = None,
    least: int = 0,
) -> tuple[Mark, int]:
    """Make an older database safe to go on with; return its mark, and of how many letters nobody knows now.

    ``accepted`` is the side journal, ``taken`` the numbers given out since as far as is known, ``least`` the generation
    it has to be beyond. Everybody signs in again, for sessions and accounts may have been closed since.
    """
    doubted = _doubt_letters(connection, accepted or {}, now)
    merge_numbers(connection, taken, gap=GAP)
    connection.execute(delete(sessions))
    connection.execute(update(installation).values(checked_at=None))
    found = {**detail, "unknown": doubted}
    add_stop(connection, why, actor=DAEMON.name, door=DAEMON.door, at=now, detail=found)
    return raise_generation(connection, least), doubted


def _doubt_letters(connection: Connection, accepted: Mapping[tuple[int, str], str], now: dt.datetime) -> int:
    """Let letters that were to leave be ``unknown``; those the side journal knows are left for the next start."""
    doubted = 0
    for draft in load_drafts(connection, states=[DraftState.APPROVED, DraftState.TRANSMITTING]):
        if draft.state is DraftState.APPROVED:
            record_draft(connection, draft, DraftEvent.CLAIMED)
        if (draft.id, draft.digest or "") in accepted:
            continue
        values = {"waits_because": RESTORED, "next_try_at": None}
        record_draft(connection, load_draft(connection, draft.id), DraftEvent.CUT, values=values)
        case = load_case(connection, draft.case_id)
        unknown = {"draft": draft.id, "attempt": _end_try(connection, draft, now), "code": RESTORED}
        record(connection, case, CaseEvent.LETTER_UNKNOWN, actor=DAEMON, at=now, detail=unknown)
        doubted += 1
    return doubted


def _end_try(connection: Connection, draft: Draft, now: dt.datetime) -> int:
    """Write the try that may have been made since: it counts within the limits as one that may have left."""
    last = last_attempt(connection, draft.id)
    if last is not None and last.ended_at is None:
        attempt_id = int(last.id)
    else:
        digest = recipient_digest(secret(connection), draft.recipient or "")
        attempt_id = start_attempt(connection, draft, at=now, recipient_digest=digest, phase=RESTORED)
    end_attempt(connection, attempt_id, at=now, result="unknown", server_text="an older database was put in place")
    return attempt_id


def look_for_older_copy(store: Store, *, now: dt.datetime) -> str | None:
    """See whether the database is an older one than stood here; then stop sending, once, and return why."""
    mark = read_mark(store)  # before the database, which only comes further
    with store.read() as connection:
        why = _why(store, mark, mark_in(connection))
    if why is None:
        return None
    with store.write() as connection:
        if _why(store, read_mark(store), mark_in(connection)) is None:  # two that start at once: the other did it
            return None
        raised, doubted = take_over(connection, why, now=now, detail={}, least=mark.generation if mark else 0)
    write_mark(store, raised)
    log.error("sending_stopped", why=why, unknown=doubted, cure="see `inboxbot sending show`")
    return why


def _why(store: Store, mark: Mark | None, own: Mark) -> str | None:
    if mark is None:
        return "without_mark" if store.is_sqlite and own.generation else None
    if mark.installed and mark.installed != own.installed:
        return "other_database"
    return "older_copy" if own.generation < mark.generation else None
