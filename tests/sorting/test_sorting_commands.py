"""``classify`` and ``evaluate`` as scripts use them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from inboxbot.cli.sorting import classify, evaluate
from inboxbot.errors import InboxbotError, UsageError
from inboxbot.sorting.kinds import Kind

MAIL = (
    "From: Anna <anna@example.se>\r\nSubject: Hej\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    "Jag vill att ni raderar mitt konto \x1b]0;x\x07och alla mina uppgifter.\r\n"
)


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "a.eml"
    path.write_bytes(MAIL.encode())
    return path


def test_json_of_a_file(mail: Path) -> None:
    data = json.loads(CliRunner().invoke(classify, ["--json", str(mail)], catch_exceptions=False).stdout)

    assert data["kinds"] == ["erasure"]
    assert set(data["confidence"]) == {kind.value for kind in Kind}
    assert {"unsure", "reminder", "language", "robot", "evidence", "subject", "text"} <= set(data)
    for item in data["evidence"]:
        given = data["subject"] if item["part"] == "subject" else data["text"]
        assert given[item["start"] : item["end"]] == item["text"]


def test_several_files_give_an_array(mail: Path) -> None:
    data = json.loads(CliRunner().invoke(classify, ["--json", str(mail), str(mail)], catch_exceptions=False).stdout)

    assert [item["kinds"] for item in data] == [["erasure"], ["erasure"]]


def test_standard_input(mail: Path) -> None:
    result = CliRunner().invoke(classify, ["--json", "-"], input=mail.read_bytes(), catch_exceptions=False)

    assert json.loads(result.stdout)["kinds"] == ["erasure"]


def test_the_words_are_marked_and_explained(mail: Path) -> None:
    shown = CliRunner().invoke(classify, [str(mail)], catch_exceptions=False).stdout

    assert re.search(r"»[^«]*raderar[^«]*«", shown)
    assert re.search(r"^erasure \(\d+%\): wants something about them gone", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_lines_in_and_out(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    rows = [
        {"id": "a", "subject": "STOPP", "body": "", "from": "x@example.se"},
        {"body": "Har ni öppet på lördag?"},
        {"id": "half a pair \ud83d", "body": "Radera mitt konto \ud83d"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    lines = CliRunner().invoke(classify, ["--jsonl", str(path)], catch_exceptions=False).stdout.splitlines()

    assert [json.loads(line)["kinds"] for line in lines] == [["unsubscribe"], ["other"], ["erasure"]]
    assert json.loads(lines[0])["id"] == "a"
    assert json.loads(lines[2])["id"] == rows[2]["id"]
    assert "id" not in json.loads(lines[1])


def test_evaluate(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    rows = [
        {"id": "1", "subject": "", "body": "Radera mitt konto och mina uppgifter.", "labels": ["erasure"]},
        {"id": "2", "subject": "", "body": "Har ni öppet på lördag?", "labels": ["other"]},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    data = json.loads(CliRunner().invoke(evaluate, [str(path), "--json"], catch_exceptions=False).stdout)
    shown = CliRunner().invoke(evaluate, [str(path)], catch_exceptions=False).stdout

    assert data["exact"] == 1.0
    assert data["kinds"]["erasure"]["f1"] == 1.0
    assert "exact set of kinds        100.0 %" in shown


@pytest.mark.parametrize(
    ("arguments", "content", "error"),
    [
        (["missing.eml"], None, UsageError),
        ([], None, UsageError),
        (["--jsonl", "bad.jsonl"], "[1]\n", UsageError),
        (["--jsonl", "bad.jsonl"], "{\n", UsageError),
        (["--jsonl", "bad.jsonl"], "[" * 100_000, UsageError),
    ],
)
def test_faults_are_told(
    arguments: list[str],
    content: str | None,
    error: type[InboxbotError],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(arguments[-1]).write_text(content, encoding="utf-8")
    result = CliRunner().invoke(classify, arguments)

    assert isinstance(result.exception, error)
    assert result.exception.cure


@pytest.mark.parametrize("line", ["{}", '{"labels": ["nonsense"]}', "no json"])
def test_gold_that_is_no_gold_is_told_with_its_line(line: str, tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"labels": ["other"], "body": "x"}\n' + line + "\n", encoding="utf-8")
    result = CliRunner().invoke(evaluate, [str(path)])

    assert isinstance(result.exception, UsageError)
    assert "line 2" in str(result.exception)
