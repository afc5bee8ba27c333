"""A marketing system is told of an opt-out, and the case waits until it has answered."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.requests.commands import Person
from tests.servers.listener import Listening, running_listener
from tests.servers.offices import NewOffice

from inboxbot.cases.values import CaseState
from inboxbot.outbox.webhooks import tell_systems


@pytest.fixture
def newsletter() -> Iterator[Listening]:
    """A newsletter tool."""
    with running_listener() as one:
        yield one


def company(tool: Listening, folder: Path) -> str:
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
    new_office: NewOffice, newsletter: Listening, tmp_path: Path
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
    heard = newsletter.heard[0]
    message = heard.message
    assert message["address"] == "bo@example.org"
    assert message["channels"] == ["email", "sms", "phone", "post", "ads"]
    timestamp = heard.headers["X-Inboxbot-Timestamp"]
    signed = hmac.new(b"delad hemlighet", timestamp.encode() + b"." + heard.body, hashlib.sha256).hexdigest()
    assert heard.headers["X-Inboxbot-Signature"] == f"sha256={signed}"
    assert abs(int(timestamp) - office.clock().timestamp()) < 60
    assert office.case(reference).state is CaseState.CLOSED
    assert office.rows("SELECT address FROM webhooks") == [(None,)]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_system_that_does_not_take_it_is_told_again_later(
    new_office: NewOffice, newsletter: Listening, tmp_path: Path, status: int
) -> None:
    office = new_office(company_lines=company(newsletter, tmp_path))
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    office.send()
    newsletter.status = status
    assert tell_systems(office.desk, now=office.clock) == 0
    assert tell_systems(office.desk, now=office.clock) == 0
    assert len(newsletter.heard) == 1  # not hammered
    newsletter.status = 204
    office.clock.advance(minutes=6)
    assert tell_systems(office.desk, now=office.clock) == 1
    assert office.case(reference).state is CaseState.CLOSED


def test_staff_tick_a_system_by_hand(new_office: NewOffice, newsletter: Listening, tmp_path: Path) -> None:
    office = new_office(company_lines=company(newsletter, tmp_path))
    eva = Person(office)
    reference = eva.opens("unsubscribe")
    eva.approves(eva.letter(reference)["id"])
    office.send()
    eva.says("cases", "line", reference, "unsubscribe", "Nyhetsbrev", "stopped")
    assert office.case(reference).state is CaseState.CLOSED
