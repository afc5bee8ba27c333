"""What a round needs of a mail server: `Server` speaks IMAP for it, tests may have a model of a folder instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from inboxbot.mailbox.fetching import Fetched, FetchedHeader, Missing, Refused
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import FolderState


class MailSource(Protocol):
    """The reading half of `Server`, with its promises: everything raised is a MailboxError, nothing is changed."""

    def folders(self) -> Folders:
        """Return the special folders."""

    def open(self, folder: str) -> FolderState:
        """Open a folder to read it."""

    def uids_above(self, uid: int) -> list[int]:
        """Return the UIDs above ``uid`` in the open folder, ascending."""

    def all_uids(self) -> list[int]:
        """Return every UID of the open folder, ascending."""

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return the sizes in bytes of those messages that are there."""

    def fetch(self, uids: Sequence[int]) -> Iterator[Fetched | Missing | Refused]:
        """Bring messages, each of ``uids`` once and in order."""

    def fetch_headers(self, uids: Sequence[int]) -> Iterator[FetchedHeader | Missing | Refused]:
        """Bring header blocks, sizes and INTERNALDATEs only."""
