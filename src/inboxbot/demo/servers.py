"""The embedded servers, in one thread: IMAP with the mailboxes, and an SMTP sink that passes nothing on."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session

from inboxbot.demo.imap import Account, Contents, Imap

LOOPBACK = "127.0.0.1"
_Result = TypeVar("_Result")
# Takes a message the sink accepted: its recipients and its bytes. Called in the servers' thread.
Sink = Callable[[list[str], bytes], None]


def listen(port: int = 0) -> socket.socket:
    """Return a socket that listens on the loopback interface: on ``port`` when that is free, else on any free one."""
    for wished in (port, 0):
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((LOOPBACK, wished))
            found.listen()  # at once: until then another socket can be bound to the same port
        except OSError:
            found.close()
        else:
            return found
    raise OSError("no free port on the loopback interface")


def port_of(bound: socket.socket) -> int:
    """Return the port a socket is bound to."""
    return int(bound.getsockname()[1])


class _Handler:
    """What the sink does with a message: it says yes and keeps it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message; the name is aiosmtpd's."""
        content = envelope.content
        self._sink(list(envelope.rcpt_tos), content if isinstance(content, bytes) else (content or "").encode())
        return "250 kept in the demo, sent nowhere"


class Servers:
    """Both servers, running from ``with`` to its end."""

    def __init__(
        self, imap_socket: socket.socket, smtp_socket: socket.socket, accounts: Sequence[Account], sink: Sink
    ) -> None:
        self._sockets = (imap_socket, smtp_socket)
        self._accounts, self._sink = accounts, sink
        self._imap = Imap()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="demo-servers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._fault is not None:
            raise self._fault
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def deliver(self, address: str, role: str, data: bytes, at: dt.datetime) -> int:
        """Put a message into a mailbox's folder and return its UID; watching clients are told."""
        return self._do(self._imap.append(address, role, data, at))

    def contents(self) -> dict[str, tuple[Contents, ...]]:
        """Return every mailbox's folders as they stand."""
        return self._do(self._imap.contents())

    def _do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            try:
                await self._imap.start(stack, self._sockets[0], self._accounts)
                server = await self._loop.create_server(self._protocol, sock=self._sockets[1])
                stack.callback(server.close)
            except Exception as error:  # noqa: BLE001  (told to the thread that waits for us)
                self._fault = error
                return
            finally:
                self._ready.set()
            await self._stop.wait()

    def _protocol(self) -> SMTP:
        return SMTP(_Handler(self._sink), hostname="demo.example.com", enable_SMTPUTF8=True, loop=self._loop)
