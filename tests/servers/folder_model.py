"""A mailbox as a model: folders of messages under numbers, and everything that servers and people do to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from inboxbot.mailbox.fetching import Fetched, FetchedHeader, Missing, Refused
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import FolderState
from inboxbot.mailbox.workers import Outcome, Read, ReadingPool
from inboxbot.reading.read import raw_of, read_mail
from inboxbot.reading.values import Mail, RawMail
from inboxbot.sorting.values import Verdict

Key = TypeVar("Key")


@dataclass
class ModelFolder:
    """A folder; ``messages`` by UID."""

    uidvalidity: int = 1
    uidnext: int = 1
    messages: dict[int, bytes] = field(default_factory=dict)

    def add(self, message: bytes) -> int:
        uid = self.uidnext
        self.messages[uid] = message
        self.uidnext += 1
        return uid

    def renumber(self, order: Sequence[bytes]) -> None:
        """Number everything anew, in another order, under a new UIDVALIDITY."""
        self.uidvalidity += 1
        self._number(order)

    def wind_back(self) -> None:
        """Number everything anew from 1 and say nothing of it."""
        self._number(list(self.messages.values()))

    def _number(self, messages: Sequence[bytes]) -> None:
        self.messages, self.uidnext = {}, 1
        for one in messages:
            self.add(one)


@dataclass
class ModelServer:
    """What a round sees of the mailbox; ``at`` is every message's INTERNALDATE."""

    at: dt.datetime
    inbox: ModelFolder = field(default_factory=ModelFolder)
    junk: ModelFolder = field(default_factory=ModelFolder)
    _open: ModelFolder = field(default_factory=ModelFolder)

    def folders(self) -> Folders:
        return Folders(inbox="INBOX", junk="Junk", sent=None, drafts=None)

    def open(self, folder: str) -> FolderState:
        self._open = self.inbox if folder == "INBOX" else self.junk
        return FolderState(folder, self._open.uidvalidity, self._open.uidnext, len(self._open.messages))

    def uids_above(self, uid: int) -> list[int]:
        return [one for one in self.all_uids() if one > uid]

    def all_uids(self) -> list[int]:
        return sorted(self._open.messages)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        return {uid: len(self._open.messages[uid]) for uid in uids if uid in self._open.messages}

    def fetch(self, uids: Sequence[int]) -> Iterator[Fetched | Missing | Refused]:
        for uid in uids:
            message = self._open.messages.get(uid)
            yield Fetched(uid, self.at, len(message), raw_of(message)) if message is not None else Missing(uid)

    def fetch_headers(self, uids: Sequence[int]) -> Iterator[FetchedHeader | Missing | Refused]:
        for uid in uids:
            message = self._open.messages.get(uid)
            yield (
                FetchedHeader(uid, self.at, len(message), frozenset(), raw_of(message).header)
                if message is not None
                else Missing(uid)
            )


class ReadHere(ReadingPool):
    """Reads and judges in this process."""

    def __init__(self, judge: Callable[[Mail], Verdict]) -> None:
        super().__init__()
        self._judge = judge

    def judge_all(
        self, items: Iterable[tuple[Key, RawMail]], *, later: list[Key] | None = None
    ) -> Iterator[tuple[Key, Outcome]]:
        for key, raw in items:
            mail = read_mail(raw)
            yield key, Read(mail, self._judge(mail))
