"""An SMTP server that keeps what it gets, for tests: real on the wire, harmless behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


@dataclass
class Delivered:
    """One mail as the server took it."""

    sender: str
    recipients: list[str]
    content: bytes


@dataclass
class Sink:
    """The server's handler: ``box`` is what it took; the answers are replies at RCPT or DATA, used up in order.

    ``record`` is a file that gets a line with the recipient before a mail is acknowledged: it outlives this process.
    """

    box: list[Delivered] = field(default_factory=list)
    rcpt_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    port: int = 0
    record: Path | None = None

    async def handle_RCPT(  # noqa: N802  (the library's name)
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answers:
            return self.rcpt_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.data_answers:
            return self.data_answers.pop(0)
        if self.record is not None:
            with self.record.open("a", encoding="utf-8") as kept:
                kept.writelines(f"{one}\n" for one in envelope.rcpt_tos)
            return "250 2.0.0 queued"
        self.box.append(Delivered(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 2.0.0 queued"


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        sockets: Any = getattr(self.server, "sockets", None)
        self.port = sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def running_sink(record: Path | None = None) -> Iterator[Sink]:
    """Run a sink on a free loopback port."""
    sink = Sink(record=record)
    controller = _AnyPort(sink, hostname="127.0.0.1", port=0)
    controller.start()
    sink.port = controller.port
    try:
        yield sink
    finally:
        controller.stop()
