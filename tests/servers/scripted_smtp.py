"""An SMTP server that misbehaves on purpose: one answer, or one fault, for each step of the conversation."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# Instead of an answer:
DROP = "drop"  # close the connection
RESET = "reset"  # close it with a TCP reset
STALL = "stall"  # say nothing more, keep the connection
DRIP = "drip"  # one byte now and then, never a whole answer
ENDLESS = "endless"  # a line without end
LINES = "lines"  # an answer of ever more lines
GARBAGE = "garbage"  # not SMTP at all

_EHLO = ("smtp.example.com", "8BITMIME", "SIZE 10485760", "PIPELINING")


@dataclass
class Script:
    """What the server says at each step; every step may be a fault or an answer such as ``"550 no"``.

    ``tls`` and ``start_tls`` are contexts. ``mid_body`` is a fault once the first
    kilobyte came. ``taken`` holds every message for which the final dot came, whatever was answered; ``said`` every
    command line; ``cut_in`` is set when the server has cut into a text.
    """

    banner: str = "220 ready"
    ehlo: str = ""
    features: tuple[str, ...] = _EHLO
    auth: str = "235 welcome"
    mail: str = "250 ok"
    rcpt: str = "250 ok"
    data: str = "354 go on"
    mid_body: str = ""
    dot: str = "250 2.0.0 queued as 1"
    quit: str = "221 bye"
    tls: ssl.SSLContext | None = None
    start_tls: ssl.SSLContext | None = None
    taken: list[bytes] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    connections: int = 0
    cut_in: threading.Event = field(default_factory=threading.Event)
    port: int = 0


@contextmanager
def scripted_smtp(script: Script) -> Iterator[Script]:
    """Run the server on a free loopback port; the script may be changed between conversations."""
    listener = socket.create_server(("127.0.0.1", 0))
    script.port = int(listener.getsockname()[1])
    open_ends: list[socket.socket] = []
    threads: list[threading.Thread] = []
    ending = threading.Event()

    def accept() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            script.connections += 1
            open_ends.append(end)
            thread = threading.Thread(target=_serve, args=(script, end, ending), daemon=True)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield script
    finally:
        ending.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for end in open_ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in (accepting, *threads):
            thread.join(5)


class _OverError(Exception):
    """The conversation ends here."""


def _serve(script: Script, end: socket.socket, ending: threading.Event) -> None:
    talk = _Talk(script, end, ending)
    with contextlib.suppress(OSError, _OverError, ValueError):
        talk.run()
    talk.close()
    if script.mid_body:
        script.cut_in.set()


class _Talk:
    def __init__(self, script: Script, end: socket.socket, ending: threading.Event) -> None:
        self.script, self.end, self.ending = script, end, ending
        self.lines = end.makefile("rb")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.lines.close()
        self.end.close()

    def secure(self, context: ssl.SSLContext) -> None:
        self.lines.close()
        self.end = context.wrap_socket(self.end, server_side=True)
        self.lines = self.end.makefile("rb")

    def run(self) -> None:
        if self.script.tls is not None:
            self.secure(self.script.tls)
        self.answer(self.script.banner)
        while line := self.lines.readline(4096):
            words = line.decode("utf-8", "replace").strip()
            self.script.said.append(words)
            self.command(words.partition(" ")[0].upper(), words)

    def command(self, verb: str, words: str) -> None:
        script = self.script
        if verb in {"EHLO", "HELO"}:
            self.answer(script.ehlo or self.features())
        elif verb == "STARTTLS" and script.start_tls is not None:
            self.answer("220 go ahead")
            self.secure(script.start_tls)
        elif verb == "AUTH":
            self.answer(script.auth)
        elif verb == "MAIL":
            script.senders.append(words)
            self.answer(script.mail)
        elif verb == "RCPT":
            self.answer(script.rcpt)
        elif verb == "DATA":
            self.answer(script.data)
            if script.data.startswith("354"):
                self.body()
        elif verb == "QUIT":
            self.answer(script.quit)
            raise _OverError
        else:
            self.answer("250 ok")

    def features(self) -> str:
        names = [*self.script.features, *(["STARTTLS"] if self.script.start_tls else [])]
        return "\r\n".join(f"250{'-' if place < len(names) else ' '}{name}" for place, name in enumerate(names, 1))

    def body(self) -> None:
        held = b""
        while line := self.lines.readline(4096):
            if line == b".\r\n":
                self.script.taken.append(held)
                self.answer(self.script.dot)
                return
            held += line
            if self.script.mid_body and len(held) > 1000:
                self.answer(self.script.mid_body)
                self.script.cut_in.set()
                raise _OverError

    def answer(self, what: str) -> None:
        if what == DROP:
            with contextlib.suppress(OSError):
                self.end.shutdown(socket.SHUT_RDWR)
            raise _OverError
        if what == RESET:
            self.end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _OverError
        if what == STALL:
            self.ending.wait(60)
            raise _OverError
        if what == DRIP:
            while not self.ending.wait(0.1):
                self.end.sendall(b"2")
            raise _OverError
        if what == ENDLESS:
            while not self.ending.is_set():
                self.end.sendall(b"2" * 65536)
        if what == LINES:
            while not self.ending.is_set():
                self.end.sendall(b"250-and more\r\n" * 100)
        if what == GARBAGE:
            self.end.sendall(b"\xff\xfe\x00what is this?\r\n")
            return
        self.end.sendall(what.encode() + b"\r\n")


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the server's side of TLS with the certificate that `make_certificate` wrote into ``folder``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
