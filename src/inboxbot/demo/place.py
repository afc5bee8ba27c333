"""The folder of a demo: settings, password, database, what lies in the mailboxes, and what the sink got.

``demo.json`` is written last: a folder without it was never a whole demo. Everything is readable by its owner only.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from inboxbot.demo.imap import ROLES, Account, Contents, Message
from inboxbot.errors import UsageError

_FOLDER_NAMES = {
    "support@ljuslagret.example.com": ("INBOX", "Drafts", "Sent", "Junk"),
    "kontakt@kursverket.example.org": ("INBOX", "Utkast", "Skickat", "Skräppost"),
}
_UIDVALIDITY = 1_763_000_001


@dataclass(frozen=True, slots=True)
class State:
    """What a demo remembers: its ports, when it began, and the samples that were delivered, by name."""

    imap_port: int
    smtp_port: int
    started_at: str
    delivered: tuple[str, ...]


class Place:
    """The folder of one demo."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.outgoing = folder / "outgoing"
        self._mailboxes = folder / "mailboxes"
        self._state = folder / "demo.json"
        self._secret = folder / "secrets" / "demo"

    def state(self) -> State | None:
        """Return what the demo remembers, or None when it is new."""
        if not self._state.exists():
            return None
        values = json.loads(self._state.read_text(encoding="utf-8"))
        return State(**{**values, "delivered": tuple(values["delivered"])})

    def prepare(self, imap_port: int, smtp_port: int) -> None:
        """Write what is not there yet: the folders, the password, and the settings when the ports are others."""
        for one in (self.folder / "secrets", self.outgoing):
            one.mkdir(mode=0o700, exist_ok=True)
        if not self._secret.exists():
            _write(self._secret, secrets.token_urlsafe(12).encode())
        before = self.state()
        if before is None:
            shutil.rmtree(self._mailboxes, ignore_errors=True)  # of a demo that was killed before it was whole
        if self.config.exists() and before and (before.imap_port, before.smtp_port) == (imap_port, smtp_port):
            return
        shipped = (files(__package__) / "config.toml").read_text(encoding="utf-8")
        _write(self.config, shipped.replace("@imap@", str(imap_port)).replace("@smtp@", str(smtp_port)).encode())

    def save_state(self, state: State) -> None:
        """Write what the demo remembers."""
        _write(self._state, json.dumps(asdict(state), indent=2).encode())

    def accounts(self) -> list[Account]:
        """Return the mailboxes with what was saved of them; new ones are empty."""
        password = self._secret.read_text(encoding="utf-8")
        return [
            Account(
                address,
                password,
                tuple(self._load(address, role, name) for role, name in zip(ROLES, names, strict=True)),
            )
            for address, names in _FOLDER_NAMES.items()
        ]

    def _load(self, address: str, role: str, name: str) -> Contents:
        folder = self._mailboxes / address / role
        index = folder / "index.json"
        if not index.exists():
            return Contents(role, name, _UIDVALIDITY + ROLES.index(role))
        known = json.loads(index.read_text(encoding="utf-8"))
        messages = [
            Message(
                one["uid"],
                dt.datetime.fromisoformat(one["at"]),
                tuple(one["flags"]),
                (folder / f"{one['uid']}.eml").read_bytes(),
            )
            for one in known["messages"]
        ]
        return Contents(role, name, known["uidvalidity"], known["last_uid"], tuple(messages))

    def save(self, mailboxes: Mapping[str, Sequence[Contents]]) -> None:
        """Write what lies in the mailboxes."""
        for address, folders in mailboxes.items():
            for contents in folders:
                self._save(self._mailboxes / address / contents.role, contents)

    def _save(self, folder: Path, contents: Contents) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for one in contents.messages:
            file = folder / f"{one.uid}.eml"
            if not file.exists():
                _write(file, one.data)
        listed = [{"uid": one.uid, "at": one.at.isoformat(), "flags": list(one.flags)} for one in contents.messages]
        index = {"uidvalidity": contents.uidvalidity, "last_uid": contents.last_uid, "messages": listed}
        _write(folder / "index.json", json.dumps(index, indent=1).encode())
        kept = {f"{one.uid}.eml" for one in contents.messages}
        for file in folder.glob("*.eml"):
            if file.name not in kept:
                file.unlink()

    def keep_outgoing(self, data: bytes) -> Path:
        """Keep a message that the sink got, and return its file."""
        number = max((int(file.stem) for file in self.outgoing.glob("*.eml") if file.stem.isdigit()), default=0) + 1
        file = self.outgoing / f"{number:04}.eml"
        _write(file, data)
        return file


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, mode 0600."""
    scratch = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    scratch.replace(path)


@contextlib.contextmanager
def open_place(folder: Path) -> Iterator[Place]:
    """Give a demo's folder for this process alone. Raises UsageError when it holds something else or is in use."""
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = folder / ".demo.lock"
            if not lock.exists() and any(folder.iterdir()):
                raise UsageError("the folder holds something else", where=str(folder), cure="name an empty or new one")
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = error.strerror or "not usable"
            raise UsageError(f"cannot be used for the demo: {reason}", where=str(folder)) from None
        stack.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError("another demo works there", where=str(folder), cure="stop it, or name another") from None
        yield Place(folder)
