"""An IMAP server for tests that may be made to say what no real one does: reused UIDs, wrong literals, silence.

It serves one mailbox from memory. ``answers`` replaces its answer to a command: the key is a pattern searched in the
command line (without the tag), the value what to send instead (``@TAG@`` stands for the tag) or a function for it.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Scripted = bytes | Callable[["ScriptedImap", str], bytes | None]


@dataclass
class ScriptedImap:
    """The server's state, all of it open to change between commands; a context manager."""

    messages: dict[int, bytes] = field(default_factory=dict)
    uidvalidity: int = 1
    uidnext: int | None = None
    internaldate: str = "22-Nov-2026 10:00:00 +0000"
    capabilities: str = "IMAP4rev1 IDLE UIDPLUS AUTH=PLAIN"
    greeting: bytes = b"* OK ready\r\n"
    folders: tuple[str, ...] = ('(\\HasNoChildren) "/" INBOX',)
    answers: dict[str, Scripted] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    appended: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for wire in self._open:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        for thread in self._threads:
            thread.join(5)

    def say(self, data: bytes) -> None:
        """Send something unasked on every open connection (``* 2 EXISTS``)."""
        for wire in self._open:
            with contextlib.suppress(OSError):
                wire.sendall(data)

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(wire)
            thread = threading.Thread(target=self._serve, args=(wire,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, wire: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), wire.makefile("rb") as lines:
            wire.sendall(self.greeting)
            for raw in lines:
                tag, _, command = raw.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
                if literal := re.search(r"\{(\d+)\+?\}$", command):
                    if not command.endswith("+}"):
                        wire.sendall(b"+ go on\r\n")
                    self.appended.append(lines.read(int(literal[1])))
                    lines.readline()
                self.commands.append(command)
                answer = self._answer(command, wire, lines)
                wire.sendall(answer.replace(b"@TAG@", tag.encode()))
                if command.upper() == "LOGOUT" or answer.startswith(b"* BYE"):
                    break
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_RDWR)
        wire.close()

    def _answer(self, command: str, wire: socket.socket, lines: object) -> bytes:
        for pattern, scripted in self.answers.items():
            if re.search(pattern, command, re.IGNORECASE):
                said = scripted(self, command) if callable(scripted) else scripted
                if said is not None:
                    return said
        word = command.upper().split(" ")[0]
        if word == "UID":
            word = " ".join(command.upper().split(" ")[:2])
        if word in ("AUTHENTICATE", "IDLE"):
            wire.sendall(b"+ \r\n")
            line = lines.readline()  # type: ignore[attr-defined]
            if word == "AUTHENTICATE":
                self.commands.append(base64.b64decode(line).decode("utf-8", "replace"))
            return b"@TAG@ OK done\r\n"
        handlers: dict[str, Callable[[str], bytes]] = {
            "CAPABILITY": self._capability,
            "LIST": self._list,
            "SELECT": self._select,
            "EXAMINE": self._select,
            "UID SEARCH": self._search,
            "UID FETCH": self._fetch,
            "APPEND": self._append,
            "LOGOUT": lambda _: b"* BYE see you\r\n",
        }
        handler = handlers.get(word)
        return (handler(command) if handler else b"") + b"@TAG@ OK done\r\n"

    def _capability(self, command: str) -> bytes:
        return f"* CAPABILITY {self.capabilities}\r\n".encode()

    def _list(self, command: str) -> bytes:
        return b"".join(f"* LIST {line}\r\n".encode() for line in self.folders)

    def _append(self, command: str) -> bytes:
        uid = self.next_uid()
        self.messages[uid] = self.appended[-1]
        return b""

    def next_uid(self) -> int:
        return self.uidnext if self.uidnext is not None else max(self.messages, default=0) + 1

    def _select(self, command: str) -> bytes:
        return (
            f"* FLAGS (\\Seen)\r\n* {len(self.messages)} EXISTS\r\n* 0 RECENT\r\n"
            f"* OK [UIDVALIDITY {self.uidvalidity}] ok\r\n* OK [UIDNEXT {self.next_uid()}] ok\r\n"
        ).encode()

    def _chosen(self, text: str) -> list[int]:
        chosen: list[int] = []
        highest = max(self.messages, default=0)
        for piece in text.split(","):
            low, _, high = piece.partition(":")
            first = highest if low == "*" else int(low)
            last = first if not high else highest if high == "*" else int(high)
            low_uid, high_uid = min(first, last), max(first, last)
            chosen += [uid for uid in sorted(self.messages) if low_uid <= uid <= high_uid]
        return chosen

    def _search(self, command: str) -> bytes:
        found = re.search(r"UID SEARCH UID (\S+)", command, re.IGNORECASE)
        uids = self._chosen(found[1]) if found else sorted(self.messages)
        return f"* SEARCH {' '.join(map(str, uids))}\r\n".encode()

    def _fetch(self, command: str) -> bytes:
        return b"".join(self.fetch_answer(uid, command) for uid in self._chosen(command.split(" ")[2]))

    def fetch_answer(self, uid: int, command: str) -> bytes:
        """Return one right FETCH answer for a message, with the sections the command names (whole, header, 1)."""
        message = self.messages[uid]
        place = sorted(self.messages).index(uid) + 1
        items = f'UID {uid} RFC822.SIZE {len(message)} INTERNALDATE "{self.internaldate}" FLAGS ()'.encode()
        head, _, body = message.partition(b"\r\n\r\n")
        for section, limit in re.findall(r"BODY\.PEEK\[(|HEADER|1)\](?:<0\.(\d+)>)?", command):
            data = {"": message, "1": body}.get(section, head + b"\r\n\r\n")
            data = data[: int(limit)] if limit else data
            name = f"BODY[{section}]" + ("<0>" if limit else "")
            items += f" {name} {{{len(data)}}}\r\n".encode() + data
        if "BODYSTRUCTURE" in command:
            items += f' BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" {len(body)} 1)'.encode()
        return f"* {place} FETCH (".encode() + items + b")\r\n"
