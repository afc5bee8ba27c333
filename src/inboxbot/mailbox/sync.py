"""What to do with a folder, from what the ledger knows and what the server says now. Pure.

UIDs are believed only within one UIDVALIDITY, and checked even there (promises.md A7, B3): a server may number anew,
count back, or bring in a message below the mark.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inboxbot.mailbox.fetching import FetchedHeader
from inboxbot.mailbox.server import FolderState
from inboxbot.reading.read import header_message_id

# More unknown mails than this, and more than half of the folder, after a renumbering: a person is asked (F37).
MASS_CHANGE_FLOOR: Final = 50


class Step(StrEnum):
    """What the round begins with."""

    BASELINE = "baseline"  # the folder was never seen: write down what is there
    NEW = "new"  # take the UIDs above the mark
    REMATCH = "rematch"  # the numbers mean nothing any more: compare every message with the ledger


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """The ledger's view of a folder: its UIDVALIDITY and the highest UID with an entry (0 when there is none)."""

    uidvalidity: int
    highest: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The step, the UID above which to look, and for a rematch the reason (a code)."""

    step: Step
    above: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """UIDs that the folder has and the ledger lacks, and the other way round; both ascending."""

    unseen: tuple[int, ...]
    gone: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KnownMail:
    """A ledger entry as needed to find its message again under another UID. ``key`` is the ledger's own."""

    key: int
    digest: str
    message_id: str | None
    internaldate: dt.datetime
    size: int


@dataclass(frozen=True, slots=True)
class Rematch:
    """Which UID is which entry now, which UIDs are new to us, and whether so many are that a person must look."""

    matched: Mapping[int, int]
    unmatched: tuple[int, ...]
    mass_change: bool


def plan(known: KnownFolder | None, state: FolderState) -> Plan:
    """Decide how the round begins."""
    if known is None:
        return Plan(Step.BASELINE)
    if known.uidvalidity != state.uidvalidity:
        return Plan(Step.REMATCH, reason="uidvalidity_changed")
    if 0 < state.uidnext <= known.highest:
        return Plan(Step.REMATCH, reason="uidnext_went_back")
    return Plan(Step.NEW, above=known.highest)


def compare(known: Collection[int], present: Collection[int]) -> Difference:
    """Compare the ledger's UIDs with all UIDs of the folder: the reconciling pass."""
    ours, theirs = set(known), set(present)
    return Difference(tuple(sorted(theirs - ours)), tuple(sorted(ours - theirs)))


def rematch(entries: Iterable[KnownMail], headers: Iterable[FetchedHeader]) -> Rematch:
    """Find each message's entry by the digest of its header block, then by Message-ID, INTERNALDATE and size.

    Equal mails are paired one to one, so that a copy more than the ledger knows is new.
    """
    by_digest: dict[str, list[KnownMail]] = defaultdict(list)
    by_traits: dict[tuple[str | None, dt.datetime, int], list[KnownMail]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: -entry.key):
        by_digest[entry.digest].append(entry)
        by_traits[entry.message_id, entry.internaldate, entry.size].append(entry)
    used: set[int] = set()
    matched: dict[int, int] = {}
    left: list[FetchedHeader] = []
    for header in headers:
        found = _take(by_digest.get(header.digest, []), used)
        if found is None:
            left.append(header)
        else:
            matched[header.uid] = found.key
    unmatched: list[int] = []
    for header in left:
        message_id = header_message_id(header.header)
        traits = by_traits.get((message_id, header.internaldate, header.size), []) if message_id else []
        found = _take(traits, used)
        if found is None:
            unmatched.append(header.uid)
        else:
            matched[header.uid] = found.key
    many = len(unmatched) > MASS_CHANGE_FLOOR and len(unmatched) > len(matched)
    return Rematch(matched, tuple(sorted(unmatched)), bool(used) and many)


def _take(entries: list[KnownMail], used: set[int]) -> KnownMail | None:
    while entries:
        entry = entries.pop()
        if entry.key not in used:
            used.add(entry.key)
            return entry
    return None


def contradicted(digests: Mapping[int, str], headers: Iterable[FetchedHeader]) -> tuple[int, ...]:
    """Return the UIDs under which the server shows another message than the ledger knows (reused UIDs, F34)."""
    return tuple(header.uid for header in headers if digests.get(header.uid, header.digest) != header.digest)
