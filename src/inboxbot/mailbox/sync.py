"""What to do with a folder, from what the ledger knows and what the server says now. Pure.

UIDs are believed only within one UIDVALIDITY, and checked even there (promises.md A7, B3): a server may number anew,
count back, hand out a number twice, or bring in a message below the mark.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inboxbot.mailbox.server import FolderState

# More unknown mails than this, and more than half of the folder, after a renumbering: a person is asked (F37).
MASS_CHANGE_FLOOR: Final = 50
# A number that is handed out twice is most likely one of the last: these are compared by their headers each time.
_NEWEST: Final = 200


class Step(StrEnum):
    """What the round begins with."""

    BASELINE = "baseline"  # the first look, or one that was not finished: write down what is there
    NEW = "new"  # take the UIDs above the mark
    REMATCH = "rematch"  # the numbers mean nothing any more: compare every message with the ledger


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """The ledger's view of a folder: UIDVALIDITY, the highest UID taken (0: none), whether the first look is done."""

    uidvalidity: int
    mark: int
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The step, the UID above which to look, and for a rematch the reason (a code)."""

    step: Step
    above: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class KnownMail:
    """A ledger entry as needed to find its message again. ``key`` is the ledger's own, ``uid`` its last known UID."""

    key: int
    uid: int
    digest: str
    message_id: str | None
    received_at: dt.datetime
    size: int


@dataclass(frozen=True, slots=True)
class PresentMail:
    """A message of the folder by its header block."""

    uid: int
    digest: str
    message_id: str | None
    received_at: dt.datetime
    size: int


@dataclass(frozen=True, slots=True)
class Rematch:
    """Which UID is which entry now, and the messages that are no entry's."""

    matched: Mapping[int, int]
    unmatched: tuple[PresentMail, ...]


def plan(known: KnownFolder | None, state: FolderState) -> Plan:
    """Decide how the round begins."""
    if known is None:
        return Plan(Step.BASELINE)
    if known.uidvalidity != state.uidvalidity:
        return Plan(Step.REMATCH, reason="uidvalidity_changed")
    if 0 < state.uidnext <= known.mark:
        return Plan(Step.REMATCH, reason="uidnext_went_back")
    return Plan(Step.NEW, above=known.mark) if known.complete else Plan(Step.BASELINE)


def unseen(known: Collection[int], present: Collection[int]) -> list[int]:
    """Return the UIDs that the folder has and the ledger lacks, ascending; also those below the mark (F33)."""
    return sorted(set(present) - set(known))


def rematch(entries: Iterable[KnownMail], present: Iterable[PresentMail]) -> Rematch:
    """Find each message's entry by the digest of its header block, then by Message-ID, receipt and size.

    Equal mails are paired one to one, so that a copy more than the ledger knows is new.
    """
    by_digest: dict[str, list[KnownMail]] = defaultdict(list)
    by_traits: dict[tuple[str | None, dt.datetime, int], list[KnownMail]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: -entry.key):
        by_digest[entry.digest].append(entry)
        by_traits[entry.message_id, entry.received_at, entry.size].append(entry)
    used: set[int] = set()
    matched: dict[int, int] = {}
    left: list[PresentMail] = []
    for mail in present:
        found = _take(by_digest.get(mail.digest, []), used)
        if found is None:
            left.append(mail)
        else:
            matched[mail.uid] = found.key
    unmatched: list[PresentMail] = []
    for mail in left:
        traits = by_traits.get((mail.message_id, mail.received_at, mail.size), []) if mail.message_id else []
        found = _take(traits, used)
        if found is None:
            unmatched.append(mail)
        else:
            matched[mail.uid] = found.key
    return Rematch(matched, tuple(sorted(unmatched, key=lambda mail: mail.uid)))


def _take(entries: list[KnownMail], used: set[int]) -> KnownMail | None:
    while entries:
        entry = entries.pop()
        if entry.key not in used:
            used.add(entry.key)
            return entry
    return None


def is_mass_change(*, strangers: int, present: int) -> bool:
    """Whether so much of a folder that was numbered anew looks new that a person must say whether it is (F37)."""
    return strangers > MASS_CHANGE_FLOOR and strangers * 2 > present


def suspects(entries: Iterable[KnownMail], sizes: Mapping[int, int]) -> list[int]:
    """Return the UIDs to compare by their headers: those of another size than the ledger's, and the newest ones.

    ``sizes`` are the server's, by UID. Entries of messages that were never seen (size 0) are left out.
    """
    there = sorted((entry for entry in entries if entry.size and entry.uid in sizes), key=lambda entry: entry.uid)
    newest = {entry.uid for entry in there[-_NEWEST:]}
    return [entry.uid for entry in there if entry.uid in newest or sizes[entry.uid] != entry.size]


def contradicted(digests: Mapping[int, str], present: Iterable[PresentMail]) -> tuple[int, ...]:
    """Return the UIDs under which the server shows another message than the ledger knows (reused UIDs, F34)."""
    return tuple(mail.uid for mail in present if digests.get(mail.uid, mail.digest) != mail.digest)
