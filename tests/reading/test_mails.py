"""Every oddity of promises.md C1 to C3 that fits in a file: tests/mails/*.eml with tests/mails/expected.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from inboxbot.reading.read import read_whole
from inboxbot.reading.values import Mail

MAILS = Path(__file__).parents[1] / "mails"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((MAILS / "expected.toml").read_text(encoding="utf-8"))
DEFAULT = EXPECTED.pop("default")


def told(mail: Mail) -> dict[str, Any]:
    """Put a mail into the words of the table."""
    found: dict[str, Any] = {
        "subject": mail.subject,
        "text": mail.text,
        "flags": sorted(mail.flags),
        "attachments": [[item.part, item.name, item.content_type] for item in mail.attachments],
        "message_id": mail.message_id or "-",
        "references": list(mail.references),
    }
    if mail.sender is not None:
        found |= {"sender": mail.sender.address, "name": mail.sender.name}
    if mail.sender_fault is not None:
        found["fault"] = mail.sender_fault
    if mail.inner_sender is not None:
        found["inner_sender"] = mail.inner_sender.address.address
    if mail.report is not None:
        report = mail.report
        found["report"] = [
            list(values) for values in (report.original_ids, report.actions, report.statuses, report.recipients)
        ]
    return found


def test_every_mail_has_an_expectation_and_the_other_way_round() -> None:
    assert {path.stem for path in MAILS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_mail(name: str) -> None:
    expected = DEFAULT | EXPECTED[name]
    if "fault" in expected:
        del expected["sender"], expected["name"]
    mail = read_whole((MAILS / f"{name}.eml").read_bytes())
    assert told(mail) == expected
    assert "".join(mail.text[part.start : part.end] for part in mail.segments) == mail.text


def test_c16_every_line_end_reads_alike() -> None:
    texts = {read_whole((MAILS / f"c16_{name}.eml").read_bytes()).text for name in ("bare_lf", "bare_cr", "cr_cr_lf")}
    assert len(texts) == 1


def test_c21_own_headers_of_strangers_are_not_kept() -> None:
    mail = read_whole((MAILS / "c21_own_headers.eml").read_bytes())
    assert not any(name.startswith("x-inboxbot") for name, _ in mail.headers)
