"""The chain of a case's history: every entry carries the digest of the one before it.

Entries hold codes, ids, counts and salted digests, never personal data, so that purging a case leaves its chain whole
(design.md 6). Changing, removing or inserting an entry breaks the chain at that place; cutting its end is found by the
daily anchored head.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inboxbot.cases.legal_date import in_utc


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry as it is stored. ``at`` is UTC; ``hash`` is the hex digest over all the rest and the entry before."""

    case_id: int
    sequence: int
    at: dt.datetime
    event: str
    actor: str
    door: str
    detail: Mapping[str, str | int]
    hash: str


def entry_hash(
    previous: str | bytes | None,
    case_id: int,
    sequence: int,
    at: dt.datetime,
    event: str,
    actor: str,
    door: str,
    detail: Mapping[str, str | int],
) -> str:
    """Return the SHA-256 hex of one entry in canonical JSON (sorted keys, UTC microseconds, no spaces).

    ``previous`` is the hash of the entry before it (hex, or the 32 raw bytes), None for the first.
    ``sequence`` starts at 1.
    """
    before = previous.hex() if isinstance(previous, bytes) else previous
    fields = {
        "actor": actor,
        "at": in_utc(at).isoformat(timespec="microseconds"),
        "case": case_id,
        "detail": {key: detail[key] for key in sorted(detail)},
        "door": door,
        "event": event,
        "previous": before,
        "sequence": sequence,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def first_broken(entries: Sequence[HistoryEntry], anchor: tuple[int, str] | None = None) -> int | None:
    """Return the sequence number at which a case's chain is broken, or None when it is whole.

    ``entries`` are all entries of one case in stored order. ``anchor`` is a head kept elsewhere, (sequence, hash): the
    chain must still hold that very entry.
    """
    previous: str | None = None
    for number, entry in enumerate(entries, start=1):
        wanted = entry_hash(
            previous, entry.case_id, number, entry.at, entry.event, entry.actor, entry.door, entry.detail
        )
        if entry.sequence != number or entry.hash != wanted or entry.case_id != entries[0].case_id:
            return number
        previous = entry.hash
    if anchor is None:
        return None
    number, head = anchor
    if number > len(entries):
        return len(entries) + 1
    return None if number < 1 or entries[number - 1].hash == head else number
