"""A TCP proxy for tests: records what is said, and cuts, stalls, slices, delays, replaces or refuses it."""

from __future__ import annotations

import contextlib
import queue
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

# The IMAP verbs that change nothing; whatever else passes while mail is taken breaks promise I8.
_READING = "CAPABILITY AUTHENTICATE LOGIN STARTTLS ENABLE NAMESPACE LIST EXAMINE STATUS NOOP IDLE LOGOUT"
HARMLESS = {*_READING.split(), "UID SEARCH", "UID FETCH"}


@dataclass
class Faults:
    """What the proxy does to a connection. Patterns are searched in what the server has sent on that connection."""

    refuse: bool = False
    cut_after: int | None = None  # bytes from the server, then both ends are closed
    cut_at: bytes | None = None  # pattern: everything up to its end is passed on, then cut
    cut_at_client: bytes | None = None  # pattern in what the client says: passed on, then cut
    stall_at: bytes | None = None  # pattern: everything up to its end is passed on, then silence
    reset: bool = False  # cuts are TCP resets
    slice: bool = False  # one byte at a time
    delay_s: float = 0.0  # one way
    bytes_per_s: float | None = None
    replace: tuple[bytes, bytes] | None = None


@dataclass
class Proxy:
    """A proxy on a free loopback port before ``target``; a context manager."""

    target: tuple[str, int]
    faults: Faults = field(default_factory=Faults)
    said: bytearray = field(default_factory=bytearray)
    from_server: int = 0
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._lines: list[queue.Queue[tuple[float, bytes | None]]] = []
        self._closing = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for line in self._lines:
            line.put((0, None))
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """Close every open connection now."""
        for end in list(self._open):
            self._close(end)

    def commands(self) -> list[str]:
        """Return the IMAP commands that were sent, without tags: ``UID FETCH 1:3 (…)``."""
        lines = re.findall(rb"(?m)^[A-Z]{4}\d+ ([^\r\n]*)", bytes(self.said))
        return [line.decode("utf-8", "replace") for line in lines]

    def verbs(self) -> list[str]:
        """Return the first word of each command, with ``UID`` before it where it stood there."""
        found = []
        for command in self.commands():
            words = command.split()
            found.append(" ".join(words[:2]) if words[0] == "UID" else words[0])
        return found

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.faults.refuse:
                client.close()
                continue
            try:
                server = socket.create_connection(self.target, 10)
            except OSError:
                client.close()
                continue
            self.connections += 1
            self._open += [client, server]
            for source, sink, is_server in ((client, server, False), (server, client, True)):
                due: queue.Queue[tuple[float, bytes | None]] = queue.Queue()
                self._lines.append(due)
                for work in (
                    threading.Thread(target=self._read, args=(source, due, is_server), daemon=True),
                    threading.Thread(target=self._write, args=(sink, source, due, is_server), daemon=True),
                ):
                    self._threads.append(work)
                    work.start()

    def _read(self, source: socket.socket, due: queue.Queue[tuple[float, bytes | None]], is_server: bool) -> None:
        seen = bytearray()
        passed = 0
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if not data:
                due.put((0, None))
                return
            if is_server and self.faults.replace:
                data = data.replace(*self.faults.replace)
            seen += data
            end = self._fault(seen, is_server)
            when = time.monotonic() + self.faults.delay_s
            due.put((when, bytes(seen[passed : len(seen) if end is None else end[0]])))
            passed = len(seen)
            if end is not None and end[1] == "cut":
                due.put((when, None))
                return
            if end is not None:
                return  # stalled: the connection stays, nothing more comes

    def _fault(self, seen: bytearray, is_server: bool) -> tuple[int, str] | None:
        """Return up to where to pass on what was seen, and what happens then; None when nothing does."""
        faults = self.faults
        if not is_server:
            found = re.search(faults.cut_at_client, seen) if faults.cut_at_client else None
            return (found.end(), "cut") if found else None
        if faults.cut_after is not None and len(seen) >= faults.cut_after:
            return faults.cut_after, "cut"
        for pattern, act in ((faults.cut_at, "cut"), (faults.stall_at, "stall")):
            found = re.search(pattern, seen) if pattern else None
            if found:
                return found.end(), act
        return None

    def _write(
        self, sink: socket.socket, source: socket.socket, due: queue.Queue[tuple[float, bytes | None]], is_server: bool
    ) -> None:
        while True:
            when, data = due.get()
            time.sleep(max(0.0, when - time.monotonic()))
            if data is None:
                self._close(sink)
                self._close(source)
                return
            if is_server:
                self.from_server += len(data)
            else:
                self.said += data
            try:
                for piece in [data[i : i + 1] for i in range(len(data))] if self.faults.slice else [data]:
                    sink.sendall(piece)
                    if self.faults.bytes_per_s:
                        time.sleep(len(piece) / self.faults.bytes_per_s)
            except OSError:
                self._close(source)
                return

    def _close(self, end: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.faults.reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                end.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            end.close()
