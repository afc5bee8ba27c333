"""The log holds ids and codes, never personal data; errors say what, where and the cure."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from inboxbot import logs
from inboxbot.errors import ConfigError, ConfigFault, InboxbotError, MailboxError, StoreError, UsageError

MARKS = ("anna.berg@example.com", "811218-9876", "19811218-9876", "8112189876")


@pytest.fixture(autouse=True)
def reset() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def logged(capsys: pytest.CaptureFixture[str], **fields: object) -> dict[str, object]:
    logs.configure(form="json")
    logs.get_logger().info("tried", **fields)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    for mark in MARKS:
        assert mark not in line
    found: dict[str, object] = json.loads(line)
    return found


def test_addresses_and_numbers_are_taken_out_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    """E80."""
    inner = {"who": [f"Anna <{MARKS[0]}>", (MARKS[1], {MARKS[2]: MARKS[3]})], MARKS[0]: MARKS[0].encode()}
    line = logged(capsys, case="EX-2026-0001", mailbox=3, inner=inner)
    assert (line["case"], line["mailbox"], line["event"], line["level"]) == ("EX-2026-0001", 3, "tried", "info")
    assert "[address]" in str(line["inner"])
    assert "[number]" in str(line["inner"])


def test_line_breaks_cannot_make_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """E81."""
    logs.configure(form="text")
    logs.get_logger().info("tried", text='a\nlevel=error event="forged"\x1b[31m\u2028b')
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\u2028" not in text


def test_an_error_is_told_by_its_type_and_place_not_by_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """E80."""
    try:
        raise ValueError(f"cannot read the mail of {MARKS[0]}: Radera mig")
    except ValueError as error:
        line = logged(capsys, error=error)
    assert line["error"] == "ValueError"
    assert str(line["at"]).rpartition(":")[2].isdigit()
    assert "Radera" not in json.dumps(line)


def test_long_values_are_cut_and_levels_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """E81."""
    assert len(str(logged(capsys, text="x" * 5000)["text"])) == logs.MAX_VALUE
    logs.configure(level="warning")
    logs.get_logger().info("quiet")
    logs.get_logger().warning("loud", empty=None, yes=True)
    assert "loud" in (text := capsys.readouterr().err)
    assert "quiet" not in text


def test_other_libraries_are_not_heard_below_errors(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("imapclient").warning("> LOGIN %s", MARKS[0])
    logging.getLogger("imapclient").error("lost %s", MARKS[0])
    text = capsys.readouterr().err
    assert "imapclient" in text
    for mark in MARKS:
        assert mark not in text
    assert "LOGIN" not in text


def test_errors_say_what_where_and_the_cure() -> None:
    error = InboxbotError("nothing listens there", where="mail.example.se:993", cure="check imap.port")
    assert str(error) == "mail.example.se:993: nothing listens there (check imap.port)"
    assert str(InboxbotError("it broke")) == "it broke"
    codes = {kind("x").exit_code for kind in (InboxbotError, StoreError, MailboxError)}
    assert (codes, UsageError("x").exit_code) == ({1}, 2)
    assert MailboxError("x").retry is True


def test_wrong_settings_list_every_fault_on_a_line_of_its_own() -> None:
    faults = [
        ConfigFault("limits.per_hour", "must be a whole number"),
        ConfigFault("a.b", "is not a setting", "did you mean c?"),
    ]
    error = ConfigError(faults, where="config.toml")
    assert error.exit_code == 2
    assert str(error).splitlines() == [
        "config.toml: 2 setting(s) are wrong:",
        "  limits.per_hour: must be a whole number",
        "  a.b: is not a setting (did you mean c?)",
    ]
