"""The socket under IMAPClient: bounded reads, a pace that must be kept, and no logging of what passes.

imaplib reads a literal of whatever length the server names into memory at once (promises.md F16) and trusts a slow
server for ever; IMAPClient sets its debug level so that every response is formatted for a log (speed.md 1).
"""

from __future__ import annotations

import contextlib
import imaplib
import select
import socket
import ssl
import time
from typing import Any, Final, cast

from imapclient import IMAPClient, SocketTimeout

LONGEST_LITERAL: Final = 64 * 1024 * 1024
LONGEST_LINE: Final = 32 * 1024 * 1024  # a UID SEARCH answer of some millions of messages is one line
PATIENCE_S: Final = 120.0
SLOWEST_BYTES_PER_S: Final = 2_000.0
CONNECT_S: Final = 30.0


class Connection(imaplib.IMAP4):
    """imaplib over a socket that it reads through bounds of ours."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, connect_s: float) -> None:
        self._context = context
        self._buffer = bytearray()
        self.begin()
        super().__init__(host, port, connect_s)

    def begin(self) -> None:
        """Start the clock by which one command is called too slow."""
        self._since = time.monotonic()
        self._received = 0

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect, with TLS from the first byte when there is a context."""
        self.host, self.port = host, port
        plain = socket.create_connection((host, port), timeout)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=host) if self._context else plain
        except BaseException:
            plain.close()
            raise

    def read(self, size: int) -> bytes:
        """Read exactly ``size`` bytes of a literal."""
        if size > LONGEST_LITERAL:
            raise self.abort("the server announced a literal that is too large")
        while len(self._buffer) < size:
            if not self._receive():
                raise self.abort("socket error: EOF")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def readline(self) -> bytes:
        """Read one line; empty at the end of the connection."""
        looked = 0
        while (end := self._buffer.find(b"\n", looked)) < 0:
            looked = len(self._buffer)
            if looked > LONGEST_LINE:
                raise self.abort("the server sent a line without end")
            if not self._receive():
                return b""
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def _receive(self) -> bool:
        data = self.sock.recv(256 * 1024)
        self._buffer += data
        self._received += len(data)
        elapsed = time.monotonic() - self._since
        if elapsed > PATIENCE_S and self._received / elapsed < SLOWEST_BYTES_PER_S:
            raise self.abort("the server is too slow")
        return bool(data)

    def wait(self, timeout_s: float) -> bool:
        """Wait until a line begins to come; False when nothing came in time. Raises abort at the end of the stream."""
        deadline = time.monotonic() + timeout_s
        while not self._buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            pending = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
            if not pending and not _readable(self.sock, left):
                return False
            if not self._receive_within(left):
                raise self.abort("socket error: EOF")
        return True

    def _receive_within(self, timeout_s: float) -> bool:
        """Receive what poll promised; under TLS that may have been a record without data."""
        usual = self.sock.gettimeout()
        self.sock.settimeout(max(timeout_s, 0.01))
        try:
            return self._receive()
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(usual)

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Go over to TLS; what a stranger slipped in before it is refused."""
        if isinstance(self.sock, ssl.SSLSocket) or "STARTTLS" not in self.capabilities:
            raise self.abort("the server does not offer STARTTLS")
        typ, data = self._simple_command("STARTTLS")
        if typ != "OK" or self._buffer:
            raise self.abort("the server refused TLS, or spoke on in clear")
        context = ssl_context or ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self._get_capabilities()
        return self._untagged_response(typ, data, "STARTTLS")

    def interrupt(self) -> None:
        """End the connection under a thread that waits on it; the socket stays open for that thread to close."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def shutdown(self) -> None:
        """Close the socket, whatever state it is in."""
        self.interrupt()
        self.sock.close()


def _readable(sock: socket.socket, timeout_s: float) -> bool:
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


class Client(IMAPClient):  # type: ignore[misc]  # IMAPClient has no types
    """IMAPClient over `Connection`."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None, *, tls_first: bool, read_s: float) -> None:
        self._first_context = context if tls_first else None
        self._connect_s = min(CONNECT_S, read_s)
        super().__init__(
            host, port, ssl=tls_first, ssl_context=context, timeout=SocketTimeout(connect=self._connect_s, read=read_s)
        )
        # IMAPClient's own debug level would format every response, mail content included, for a log.
        self._imap.debug = 0
        self._imap._mesg = _say_nothing

    def _create_IMAP4(self) -> Connection:  # noqa: N802  # the name is IMAPClient's
        return Connection(self.host, self.port, self._first_context, self._connect_s)

    @property
    def wire(self) -> Connection:
        """The connection beneath."""
        return cast("Connection", self._imap)


def _say_nothing(*_: object) -> None:
    """Take the place of imaplib's log."""
