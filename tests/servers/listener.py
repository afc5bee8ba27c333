"""An HTTP server that keeps what it is told, as a program that listens to webhooks would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

SECRET = "delad hemlighet å"
ALL = '["opened", "held", "due_soon", "overdue", "sent", "sending_stopped", "mailbox_blind"]'


@dataclass
class Heard:
    """One request: its headers, its body as it came, and what that says."""

    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Listening:
    """The server: what it heard, and the status it answers with."""

    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    port: int = 0

    @property
    def events(self) -> list[str]:
        return [one.message["event"] for one in self.heard]


@contextmanager
def serving(server: HTTPServer) -> Iterator[None]:
    """Let a server answer in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_listener() -> Iterator[Listening]:
    """Run a listener on a free loopback port."""
    listening = Listening()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listening.heard.append(Heard(dict(self.headers.items()), body))
            self.send_response(listening.status)
            self.send_header("Location", f"http://127.0.0.1:{listening.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    listening.port = server.server_port
    with serving(server):
        yield listening


def hook(folder: Path, port: int, *, name: str = "intranet", events: str = ALL, more: str = "") -> str:
    """Return the settings of a webhook that leads to a listener, with its secret in ``folder``."""
    (folder / "hook").write_text(f"{SECRET}\n", encoding="utf-8")
    (folder / "hook").chmod(0o600)
    return f"""
[[company.webhooks]]
name = "{name}"
url = "http://127.0.0.1:{port}/told?by=inboxbot"
secret_file = "hook"
events = {events}
{more}
"""
