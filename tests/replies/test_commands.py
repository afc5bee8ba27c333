"""`inboxbot deadline` and `inboxbot templates check`, without any settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inboxbot.cli.main import cli
from inboxbot.errors import UsageError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    return invoke


def test_deadline_gives_the_shape_of_the_contract(run) -> None:  # type: ignore[no-untyped-def]
    document = json.loads(run("deadline", "2026-03-05T09:00", "--json").stdout)
    explanation = document.pop("explanation")
    assert document == {
        "received_at": "2026-03-05T08:00:00Z",
        "received_on": "2026-03-05",
        "unrolled": "2026-04-05",
        "due_on": "2026-04-07",
        "due_at": "2026-04-07T21:59:59Z",
        "rolled_because": ["2026-04-05 Påskdagen", "2026-04-06 Annandag påsk"],
    }
    assert "Tuesday 7 April 2026" in explanation


def test_several_moments_give_an_array_and_extension_counts_from_receipt(run) -> None:  # type: ignore[no-untyped-def]
    documents = json.loads(run("deadline", "2026-01-31T10:00", "2026-10-31T10:00", "--extended", "--json").stdout)
    assert [one["due_on"] for one in documents] == ["2026-04-30", "2027-02-01"]


def test_people_get_a_sentence_in_their_language(run) -> None:  # type: ignore[no-untyped-def]
    assert run("deadline", "2026-03-05", "--language", "sv").stdout.startswith("2026-04-07  Begäran kom 5 mars 2026.")


def test_what_is_no_moment_is_a_usage_error(run) -> None:  # type: ignore[no-untyped-def]
    result = run("deadline", "tomorrow", "--json")
    assert isinstance(result.exception, UsageError)
    assert result.stdout == ""


def test_our_templates_pass(run) -> None:  # type: ignore[no-untyped-def]
    result = run("templates", "check", "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["ok"] is True
    assert document["letters"] > 100
    assert document["findings"] == []


def test_a_companys_own_templates_are_checked_with_their_place(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "own" / "sv").mkdir(parents=True)
    (tmp_path / "own" / "sv" / "ordinary.txt").write_text("Subject: Hej\nHej {{ kinds.__class__ }}\n")
    (tmp_path / "own" / "sv" / "refusal.txt").write_text("Subject: Nej\nVi gör inte det.\n")
    result = run("templates", "check", "--folder", str(tmp_path / "own"), "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["findings"]
    assert {one["template"] for one in found} == {"sv/ordinary.txt", "sv/refusal.txt"}
    assert {"template", "missing_remedy", "missing_reason"} <= {one["rule"] for one in found}
    told = run("templates", "check", "--folder", str(tmp_path / "own"))
    assert "sv/refusal.txt (plain): blocking: the right to a judicial remedy is missing" in told.stdout
