"""What an audit is given, and what it finds.

What the mail servers show comes as values: the desk knows no mailbox. Findings hold codes, ids and references only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection

from inboxbot.cases.references import token_of
from inboxbot.config.model import Settings
from inboxbot.desk.context import Desk

WATCHED: Final = ("inbox", "junk")
_LEAST_DELAY: Final = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise: its short name, what is wrong, and where."""

    promise: str
    what: str
    where: str


Checked = tuple[int, list[Finding]]


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A message by its header block. ``draft_id`` is the letter that its header of a placed draft names, if any."""

    uid: int
    digest: str
    size: int
    internaldate: dt.datetime
    message_id: str | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShownFolder:
    """A folder as its server shows it: every UID, and the header blocks of some. ``gone``: UIDs without a message.

    ``role`` is inbox, junk, sent or drafts.
    """

    mailbox_id: int
    name: str
    role: str
    uidvalidity: int
    uids: frozenset[int]
    mails: Mapping[int, ShownMail]
    gone: frozenset[int] = frozenset()

    def place(self, uid: int | None = None) -> str:
        """Return where something was found, without a name that people chose."""
        place = f"mailbox {self.mailbox_id}, {self.role}"
        return place if uid is None else f"{place}, UID {uid}"


@dataclass(frozen=True, slots=True)
class View:
    """Everything an audit looks at: the database in one unchanging picture, and what the servers showed before it.

    ``delay`` is how old an untaken message may be. Of what is compared byte by byte one in ``step`` is taken, from a
    place that ``chance`` picks.
    """

    desk: Desk
    connection: Connection
    shown: Sequence[ShownFolder]
    now: dt.datetime
    delay: dt.timedelta
    most: int
    chance: Random

    def case_of(self, message_id: str | None) -> int | None:
        """Return the case that a Message-ID of ours names, or None when it is not one of ours."""
        return token_of(self.desk.secret, message_id) if message_id else None

    def some(self, column: ColumnElement[Any], count: int) -> ColumnElement[bool]:
        """Return the condition that picks at most about ``most`` of ``count`` rows by their ids, others each time."""
        step = max(1, -(-count // self.most))
        return column % step == self.chance.randrange(step)


def intake_delay(settings: Settings) -> dt.timedelta:
    """Return how long a message may lie in a watched folder before it must have an entry: three rounds, at least."""
    return max(_LEAST_DELAY, dt.timedelta(seconds=3 * settings.daemon.round_every_s))
