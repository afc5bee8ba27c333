"""A marketing system is told of an opt-out, and the case waits until it has answered."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.requests.commands import Person
from tests.servers.offices import NewOffice

from inboxbot.cases.values import CaseState
from inboxbot.outbox.webhooks import tell_systems


class Newsletter:
    """A newsletter tool: what it was told, and the status it answers with."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, Any], str, bytes]] = []
        self.status = 200
        self.port = 0


@pytest.fixture
def newsletter() -> Iterator[Newsletter]:
    tool = Newsletter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            tool.told.append((json.loads(body), self.headers.get("X-Inboxbot-Signature", ""), body))
            self.send_response(tool.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    tool.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield tool
    server.shutdown()
    server.server_close()
    thread.join()


def company(tool: Newsletter, folder: Path) -> str:
    (folder / "hook-secret").write_text("delad hemlighet\n", encoding="utf-8")
    (folder / "hook-secret").chmod(0o600)
    return f"""
[[company.systems]]
name = "Nyhetsbrev"
holds = "e-postadress"
marketing = true
webhook = "http://127.0.0.1:{tool.port}/optout"
webhook_secret_file = "hook-secret"
"""


def test_the_system_is_told_once_and_signed_and_the_case_closes_then(
    new_office: NewOffice, newsletter: Newsletter, tmp_path: Path
) -> None:
    """E57."""
    office = new_office(company_lines=company(newsletter, tmp_path))
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    office.send()
    assert office.case(reference).state is CaseState.OPEN  # told, but the system is not ticked yet
    assert tell_systems(office.desk, now=office.clock) == 1
    assert tell_systems(office.desk, now=office.clock) == 0
    message, signature, body = newsletter.told[0]
    assert message["address"] == "bo@example.org"
    assert message["channels"] == ["email", "sms", "phone", "post", "ads"]
    assert signature == "sha256=" + hmac.new(b"delad hemlighet", body, hashlib.sha256).hexdigest()
    assert office.case(reference).state is CaseState.CLOSED
    assert office.rows("SELECT address FROM webhooks") == [(None,)]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_system_that_does_not_take_it_is_told_again_later(
    new_office: NewOffice, newsletter: Newsletter, tmp_path: Path, status: int
) -> None:
    office = new_office(company_lines=company(newsletter, tmp_path))
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    office.send()
    newsletter.status = status
    assert tell_systems(office.desk, now=office.clock) == 0
    assert tell_systems(office.desk, now=office.clock) == 0
    assert len(newsletter.told) == 1  # not hammered
    newsletter.status = 204
    office.clock.advance(minutes=6)
    assert tell_systems(office.desk, now=office.clock) == 1
    assert office.case(reference).state is CaseState.CLOSED


def test_staff_tick_a_system_by_hand(new_office: NewOffice, newsletter: Newsletter, tmp_path: Path) -> None:
    office = new_office(company_lines=company(newsletter, tmp_path))
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    office.send()
    eva.says("cases", "line", reference, "unsubscribe", "Nyhetsbrev", "stopped")
    assert office.case(reference).state is CaseState.CLOSED
