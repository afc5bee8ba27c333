"""Printing: nothing from outside can command a terminal, tables keep their shape, JSON has one form."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from inboxbot.cases.values import CaseState
from inboxbot.cli.output import cut, local_text, print_json, print_table, safe, utc_text, width_of

MOMENT = dt.datetime(2026, 11, 22, 8, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\nc\x07", "a\\x0db\\x0ac\\x07"),
        ("\u202eedoc", "\\x202eedoc"),
        ("\u2066x\u2069", "\\x2066x\\x2069"),
        ("\u200b\ufeff", "\\x200b\\xfeff"),
        ("\u2028", "\\x2028"),
        ("\ud800", "\\xd800"),
        ("Åsa – “hej” 日本", "Åsa – “hej” 日本"),
    ],
)
def test_control_and_direction_characters_are_shown_not_sent(text: str, shown: str) -> None:
    """E82, C8."""
    assert safe(text) == shown


def test_line_breaks_stay_only_where_lines_are_meant() -> None:
    assert safe("a\nb\r\n", newlines=True) == "a\nb\\x0d\n"


def test_a_table_is_as_wide_as_its_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_table(["no", "subject"], [["1", "日本" * 40], ["22", "kort\x1b"]], shrink=1)
    lines = capsys.readouterr().out.splitlines()
    assert max(width_of(line) for line in lines) <= 60
    assert lines[2].endswith("…")
    assert lines[3] == "22  kort\\x1b"
    print_table(["no"], [])
    assert capsys.readouterr().out == "nothing to show\n"


def test_cutting_never_leaves_half_a_wide_letter() -> None:
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 3) == "abc"
    assert width_of("e\u0301") == 1


def test_json_has_utc_moments_dates_and_codes(capsys: pytest.CaptureFixture[str]) -> None:
    local = MOMENT.astimezone(ZoneInfo("Europe/Stockholm"))
    print_json({"at": local, "on": MOMENT.date(), "state": CaseState.OPEN, "name": "Åsa", "kinds": {"b", "a"}})
    text = capsys.readouterr().out
    assert "Åsa" in text
    assert json.loads(text) == {
        "at": "2026-11-22T08:30:00Z",
        "on": "2026-11-22",
        "state": "open",
        "name": "Åsa",
        "kinds": ["a", "b"],
    }
    with pytest.raises(TypeError):
        print_json({"what": object()})


def test_moments_for_people_and_for_programs() -> None:
    assert local_text(MOMENT, ZoneInfo("Europe/Stockholm")) == "2026-11-22 09:30"
    assert (local_text(None, ZoneInfo("UTC")), utc_text(None)) == ("–", None)
    assert utc_text(MOMENT.replace(microsecond=5)) == "2026-11-22T08:30:00.000005Z"
