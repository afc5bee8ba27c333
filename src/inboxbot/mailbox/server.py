r"""One connection to one mailbox: the only door through which IMAP commands leave.

Everything it raises is a MailboxError. It peeks, never sets ``\Seen``, never searches with words of a mail, and sends
no string that holds a line break or NUL (promises.md I8, E1).
"""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self

from imapclient.exceptions import IMAPClientError

from inboxbot.config.model import FolderSettings, ImapSettings
from inboxbot.mailbox import faults
from inboxbot.mailbox.fetching import (
    Answer,
    Fetched,
    FetchedHeader,
    FetchLimits,
    Missing,
    Refused,
    fetch_header_blocks,
    fetch_messages,
    fetch_sizes,
)
from inboxbot.mailbox.folders import Folders, Listed, choose_folders
from inboxbot.mailbox.responses import compress, read_answers
from inboxbot.mailbox.signin import gate, sign_in, start
from inboxbot.mailbox.wire import Client
from inboxbot.reading.headers import first, read_part_fields
from inboxbot.reading.transfer import decode_body
from inboxbot.reading.values import RawPart

_PART: Final = re.compile(r"[1-9][0-9]{0,5}(?:\.[1-9][0-9]{0,5}){0,60}")
_FLAG: Final = re.compile(r"\\?[A-Za-z0-9$_-]{1,60}")
_APPENDED: Final = re.compile(rb"\[APPENDUID (\d+) (\d+)\]")
_LARGEST_UID: Final = 2**32 - 1
_NOOP_EVERY_S: Final = 20.0
_BROKEN: Final = (
    OSError,
    imaplib.IMAP4.error,
    IMAPClientError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    MemoryError,
)


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as it was opened. ``uidnext`` is 0 when the server does not tell it."""

    name: str
    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True, slots=True)
class AppendedUid:
    """Where an appended message stands."""

    uidvalidity: int
    uid: int


class IdleResult(StrEnum):
    """How waiting ended."""

    NEWS = "news"
    QUIET = "quiet"


class Server:
    """A connection to a mailbox. Not for use by two threads at once, except `interrupt`."""

    def __init__(
        self,
        settings: ImapSettings,
        *,
        password: str | None,
        token: Callable[[], str] | None = None,
        folders: FolderSettings | None = None,
        key: str = "imap",
    ) -> None:
        """``key`` is the dotted name of the settings in the configuration, for messages."""
        self.settings = settings
        self.where = f"{settings.host}:{settings.port}"
        self.capabilities: frozenset[str] = frozenset()
        self._password = password
        self._token = token
        self._folder_settings = folders or FolderSettings()
        self._key = key
        self._client: Client | None = None
        self._open: FolderState | None = None
        self._exists = 0

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect, make the connection safe, sign in. Raises MailboxError; then nothing stays open."""
        if self._client is not None:
            return
        client = start(self.settings, self._key)
        try:
            sign_in(client, self.settings, self._password, self._token, self._key)
            self.capabilities = frozenset(_ascii(item).upper() for item in client.capabilities())
        except Exception as error:
            _drop(client)
            raise faults.connect_fault(error, self.where, self._key) from error
        self._client = client

    def close(self) -> None:
        """Say goodbye and close; never raises."""
        client, self._client, self._open = self._client, None, None
        if client is None:
            return
        try:
            client.socket().settimeout(3)
            client.logout()
        except _BROKEN:
            _drop(client)

    def interrupt(self) -> None:
        """Cut the connection from another thread, so that whoever waits on it gets a MailboxError at once."""
        client = self._client
        if client is not None:
            client.wire.interrupt()

    @contextmanager
    def _talk(self) -> Iterator[Client]:
        """Give the client for one command; whatever goes wrong becomes a MailboxError, and a broken line is closed."""
        if self._client is None:
            raise faults.UnreachableError("not connected", where=self.where)
        client = self._client
        client.wire.begin()
        try:
            yield client
        except _BROKEN as error:
            fault = faults.command_fault(error, self.where)
            if isinstance(fault, faults.UnreachableError) or not isinstance(
                error, imaplib.IMAP4.error | IMAPClientError
            ):
                _drop(client)
                self._client = None
            raise fault from error

    def folders(self) -> Folders:
        """Find the special folders. Raises MissingFolderError for one that is named in the configuration only."""
        with self._talk() as client:
            listed = [
                Listed(
                    str(name), frozenset(_ascii(item).lower() for item in attributes), _ascii(mark) if mark else None
                )
                for attributes, mark, name in client.list_folders()
            ]
        return choose_folders(listed, self._folder_settings, where=self.where)

    def open(self, folder: str, *, read_only: bool = True) -> FolderState:
        """Open a folder, by EXAMINE unless it is to be written."""
        self._open = None
        try:
            with self._talk() as client:
                told: dict[bytes, Any] = client.select_folder(gate(folder, self.where), readonly=read_only)
                state = FolderState(
                    folder, int(told[b"UIDVALIDITY"]), int(told.get(b"UIDNEXT", 0)), int(told[b"EXISTS"])
                )
        except faults.ProtocolError as error:
            if self._client is None:
                raise
            raise faults.MissingFolderError(
                f'the folder "{folder}" cannot be opened: {error.what}',
                where=self.where,
                cure="check the mailbox's folders in the configuration",
                retry=False,
            ) from error
        self._open, self._exists = state, state.exists
        return state

    def uids_above(self, uid: int) -> list[int]:
        """Return the UIDs above ``uid``, ascending. ``n:*`` names the last message even below n, hence the filter."""
        if uid >= _LARGEST_UID:
            return []
        return [found for found in self._search(f"UID {uid + 1}:*") if found > uid]

    def all_uids(self) -> list[int]:
        """Return every UID of the folder, ascending."""
        return self._search("ALL")

    def _search(self, criteria: str) -> list[int]:
        with self._talk() as client:
            client.wire.untagged_responses.pop("SEARCH", None)
            typ, data = client.wire.uid("SEARCH", criteria)
            if typ != "OK":
                raise IMAPClientError(f"search failed: {faults.server_text(data)}")
            words = [word for line in data if isinstance(line, bytes) for word in line.split()]
            uids = {int(word) for word in words if word.isdigit() and len(word) < 12}
        return sorted(uid for uid in uids if 0 < uid <= _LARGEST_UID)

    def fetch(self, uids: Sequence[int], *, limits: FetchLimits | None = None) -> Iterator[Fetched | Missing | Refused]:
        """Bring messages, each of ``uids`` once and in order; see `fetching`."""
        return fetch_messages(self._ask, self._present, list(uids), limits or FetchLimits())

    def fetch_headers(self, uids: Sequence[int]) -> Iterator[FetchedHeader | Missing | Refused]:
        """Bring header blocks, sizes, flags and INTERNALDATEs only."""
        return fetch_header_blocks(self._ask, list(uids))

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Return RFC822.SIZE by UID, of those messages that are there."""
        return fetch_sizes(self._ask, list(uids))

    def fetch_part(self, uid: int, part: str, limit: int) -> bytes:
        """Return the decoded content of a part (an attachment), at most ``limit`` encoded bytes of it."""
        if _PART.fullmatch(part) is None:
            raise faults.ProtocolError("not a part number", where=self.where, retry=False)
        answers = self._ask([uid], f"(UID BODY.PEEK[{part}.MIME] BODY.PEEK[HEADER] BODY.PEEK[{part}]<0.{limit}>)")
        answer = (answers or {}).get(uid)
        body = _section(answer, f"BODY[{part}]<0>") or _section(answer, f"BODY[{part}]")
        if answer is None or body is None:
            raise faults.ProtocolError("the message or its part is not in the folder", where=self.where, retry=False)
        fields = read_part_fields(_section(answer, f"BODY[{part}.MIME]") or b"")
        if part == "1" and not fields:
            fields = read_part_fields(_section(answer, "BODY[HEADER]") or b"")
        encoding = first(fields, "content-transfer-encoding")
        return decode_body(
            RawPart(part, "", None, encoding.raw.strip().lower() if encoding else "", None, None, len(body), body)
        )

    def _ask(self, uids: Sequence[int], items: str) -> dict[int, Answer] | None:
        """FETCH items of some UIDs; None when the server refuses this command. Answers nobody asked for are dropped."""
        wanted = set(uids)
        with self._talk() as client:
            client.wire.untagged_responses.pop("FETCH", None)
            typ, data = client.wire.uid("FETCH", compress(uids), items)
            if typ != "OK":
                client.wire.untagged_responses.pop("FETCH", None)
                text = faults.server_text(data)
                if faults.response_code(text) is not None:
                    fault = faults.command_fault(IMAPClientError(text), self.where)
                    if isinstance(fault, faults.UnavailableError) and "SERVERBUG" not in text:
                        raise fault
                return None
            found: dict[int, Answer] = {}
            for answer in read_answers(data):
                uid = answer.pop(b"UID", None)
                if isinstance(uid, int) and uid in wanted:
                    values = found.setdefault(uid, {})
                    for name, value in answer.items():
                        values.setdefault(name, []).append(value)
            return found

    def _present(self, uids: Sequence[int]) -> frozenset[int]:
        """Return which of these UIDs are in the folder, after the server had the chance to tell what is gone."""
        self.noop()
        return frozenset(self._search(f"UID {compress(uids)}")) & frozenset(uids)

    def append(self, folder: str, message: bytes, flags: Sequence[str], at: dt.datetime) -> AppendedUid | None:
        """Add a message to a folder; return its UID when the server tells it (UIDPLUS)."""
        if not all(_FLAG.fullmatch(flag) for flag in flags):
            raise faults.ProtocolError("not a flag", where=self.where, retry=False)
        with self._talk() as client:
            told = client.append(gate(folder, self.where), message, tuple(flags), at)
        found = _APPENDED.search(told if isinstance(told, bytes) else b"")
        return AppendedUid(int(found[1]), int(found[2])) if found else None

    def delete_own(self, folder: str, uid: int) -> None:
        """Remove one message that we put there, by its exact UID and only where the server has UIDPLUS."""
        if "UIDPLUS" not in self.capabilities:
            raise faults.ReadOnlyError("the server cannot remove one message alone", where=self.where, retry=False)
        self.open(folder, read_only=False)
        with self._talk() as client:
            for command, arguments in (
                ("STORE", (str(int(uid)), "+FLAGS.SILENT", r"(\Deleted)")),
                ("EXPUNGE", (str(int(uid)),)),
            ):
                typ, data = client.wire.uid(command, *arguments)
                if typ != "OK":
                    raise IMAPClientError(f"{command} failed: {faults.server_text(data)}")

    def require_move(self) -> None:
        """Raise ReadOnlyError where the server has no MOVE: to copy and remove instead is never tried (I8)."""
        if "MOVE" not in self.capabilities:
            raise faults.ReadOnlyError("the server cannot move a message (no MOVE)", where=self.where, retry=False)

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move messages of the folder that is open for writing in one step, which marks and deletes nothing."""
        self.require_move()
        with self._talk() as client:
            client.move(compress(uids), gate(folder, self.where))

    def idle(self, timeout_s: float) -> IdleResult:
        """Wait for new mail in the open folder. Raises MailboxError when the connection is dead or the server says BYE.

        The caller renews at least every nine minutes. Without IDLE the server is asked now and then instead.
        """
        if "IDLE" not in self.capabilities:
            return self._ask_now_and_then(timeout_s)
        deadline = time.monotonic() + timeout_s
        with self._talk() as client:
            client.idle()
            news = self._grown(client)
            while not news and (left := deadline - time.monotonic()) > 0:
                if not client.wire.wait(left):
                    break
                client.wire.begin()
                client.wire._get_response()
                news = self._grown(client)
            client.wire.begin()
            client.idle_done()
            return IdleResult.NEWS if self._grown(client) or news else IdleResult.QUIET

    def _ask_now_and_then(self, timeout_s: float) -> IdleResult:
        deadline = time.monotonic() + timeout_s
        while True:
            if self.noop():
                return IdleResult.NEWS
            left = deadline - time.monotonic()
            if left <= 0:
                return IdleResult.QUIET
            time.sleep(min(_NOOP_EVERY_S, left))

    def noop(self) -> bool:
        """Ask the server for news; True when there are more messages than before."""
        with self._talk() as client:
            typ, data = client.wire.noop()
            if typ != "OK":
                raise IMAPClientError(f"noop failed: {faults.server_text(data)}")
            return self._grown(client)

    def _grown(self, client: Client) -> bool:
        """Whether the server told of more messages since the last look. Raises when it said BYE."""
        untagged = client.wire.untagged_responses
        if "BYE" in untagged:
            raise imaplib.IMAP4.abort(f"the server said goodbye: {faults.server_text(untagged['BYE'])}")
        gone = len(untagged.pop("EXPUNGE", []))
        told = [int(value) for value in untagged.pop("EXISTS", []) if isinstance(value, bytes) and value.isdigit()]
        untagged.pop("FETCH", None)
        before = self._exists
        self._exists = told[-1] if told else max(0, before - gone)
        return bool(told) and max(told) > before - gone


def _drop(client: Client) -> None:
    try:
        client.shutdown()
    except _BROKEN:
        return


def _ascii(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _section(answer: Answer | None, name: str) -> bytes | None:
    values = (answer or {}).get(name.encode())
    return next((value for value in values or () if isinstance(value, bytes)), None)
