"""`inboxbot review`, as a person at a terminal uses it: on a real pseudo-terminal, key by key."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.servers.installation import COMMAND, Installation, Office, open_office
from tests.servers.writing import access, letter

from inboxbot.cases.values import CaseState, DraftState
from inboxbot.cli.main import cli
from inboxbot.cli.review_page import marked_lines, span
from inboxbot.sorting.judge import Judge

UNSURE = "Ta bort mig"  # asks for two things at once by kinds.md, and a person looks


class Terminal:
    """A terminal of 80 columns with `inboxbot review` running in it."""

    def __init__(self, installation: Installation, **environment: str) -> None:
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.shown = ""
        self.process = subprocess.Popen(
            [*COMMAND, "--config", str(installation.config), "review"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "COLUMNS": "80", "LINES": "40", "TERM": "xterm", **environment},
        )
        os.close(slave)

    def until(self, text: str) -> str:
        """Wait until the terminal shows a text, and return everything since the last key."""
        deadline = time.monotonic() + 60
        while text not in self.shown:
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} never came: {self.shown[-2000:]}")
            if select.select([self.master], [], [], 1)[0]:
                try:
                    self.shown += os.read(self.master, 65536).decode()
                except OSError:
                    raise AssertionError(f"it ended without {text!r}: {self.shown[-2000:]}") from None
        return self.shown

    def press(self, keys: str) -> None:
        """Press keys once the program waits for one (a terminal drops what comes while it is being switched)."""
        deadline = time.monotonic() + 60
        while termios.tcgetattr(self.master)[3] & termios.ICANON and "\r" not in keys:
            if time.monotonic() > deadline:
                raise AssertionError("it never waited for a key")
            time.sleep(0.01)
        self.shown = ""
        os.write(self.master, keys.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    with open_office(made) as opened:
        yield opened


@pytest.fixture
def terminal(office: Office) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(**environment: str) -> Terminal:
        started.append(Terminal(office.installation, **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


def review(office: Office, keys: str, *more: str) -> Result:
    arguments = ["--config", str(office.installation.config), "review", *more]
    return CliRunner().invoke(cli, arguments, input=keys, catch_exceptions=False)


def test_an_empty_queue_says_so_kindly(office: Office) -> None:
    done = review(office, "")
    assert done.exit_code == 0
    assert done.output == "Nothing waits for a person. Everything is looked after.\n"


def test_on_a_terminal_one_reads_and_approves_with_one_key(office: Office, terminal: Callable[..., Terminal]) -> None:
    mail = message_from_bytes(access("Anna Berg"), policy=policy.default)
    found = Judge.load().judge_text(mail["subject"], mail.get_content()).evidence
    assert found, "something is decisive"
    office.receive(access("Anna Berg"))
    screen = terminal()
    shown = screen.until("help")
    marked = re.findall(r"\x1b\[1m\x1b\[4m([^\x1b]+)", shown)
    assert marked == [span.text for span in found], "the decisive words, and only they, are bold and underlined"
    plain = re.sub(r"\x1b\[\d*m", "", shown)
    assert "1 of 1" in plain
    assert "EX-2026-0001 · open" in plain
    assert "asks  access" in plain
    assert "answer within" in plain
    assert "by law 20" in plain
    assert "│ Hej Anna," in plain
    assert all(len(line) <= 80 for line in plain.splitlines())
    screen.press("a")
    screen.until("Your name")
    screen.press("Eva Ek\r")
    screen.until("approved by Eva Ek")
    screen.until("nothing waits any more")
    approved = office.draft(1)
    assert (approved.state, approved.approver) == (DraftState.APPROVED, "Eva Ek")


def test_no_color_is_respected_and_the_words_are_marked_all_the_same(
    office: Office, terminal: Callable[..., Terminal]
) -> None:
    office.receive(access("Anna Berg"))
    screen = terminal(NO_COLOR="1")
    shown = screen.until("help")
    assert "\x1b" not in shown
    assert re.search(r"\*[^*\n]*registerutdrag", shown)
    screen.press("q")
    screen.until("1 still waits")


def test_the_words_of_a_mail_cannot_speak_to_the_terminal(office: Office, terminal: Callable[..., Terminal]) -> None:
    office.receive(
        letter(
            "Mina uppgifter \x1b]0;ha\x07",
            "Hej!\x1b[2J\x1b[31m Vilka uppgifter har ni om mig? Registerutdrag tack, enligt artikel 15. \u202eabc",
            sender="=?utf-8?q?A=1B[31m?= <a@example.org>",
        )
    )
    shown = terminal().until("help")
    assert not re.search(r"\x1b(?!\[(?:0|1|2|4)m)", shown)
    assert "\x07" not in shown
    assert "\u202e" not in shown


def test_ctrl_c_ends_it_without_a_traceback(office: Office, terminal: Callable[..., Terminal]) -> None:
    office.receive(access("Anna Berg"))
    screen = terminal()
    screen.until("help")
    screen.press("\x03")
    screen.until("1 still waits")
    assert office.draft(1).state is DraftState.PROPOSED


def test_edited_in_the_editor_and_approved(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/Vänliga hälsningar/Hör av dig.\\n\\nVänliga hälsningar/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.setenv("VISUAL", str(editor))
    office.receive(access("Anna Berg"))
    done = review(office, "ea", "--by", "Eva Ek")
    assert "│ Hör av dig." in done.output
    assert office.draft(1).state is DraftState.APPROVED
    assert "Hör av dig." in (office.draft(1).final or "")


def test_the_most_urgent_comes_first_and_skipping_passes_on(office: Office) -> None:
    office.receive(access("Anna Berg"))
    office.clock.advance(hours=2)
    office.receive(access("Bo Ek"))
    done = review(office, "ss")
    assert done.output.index("anna.berg@example.org") < done.output.index("bo.ek@example.org")
    assert "2 skipped; 2 still wait" in done.output


def test_a_held_case_is_dismissed_confirmed_or_relabelled(office: Office) -> None:
    for person in ("Bo", "Cia", "Dan"):
        office.receive(letter("", UNSURE, sender=f"{person} <{person.lower()}@example.org>"))
    held = [one.reference for one in office.cases() if one.state is CaseState.HELD]
    assert len(held) == 3, "a bare removal is always held"
    done = review(office, "d" + "ks" + "rae\ns")
    states = [one.state for one in office.cases()]
    assert states == [CaseState.DISMISSED, CaseState.OPEN, CaseState.OPEN], done.output
    undecided = {one.kind.value for one in office.cases()[2].requests if one.outcome is None}
    assert undecided == {"access", "erasure"}


def test_thanks_need_no_answer(office: Office) -> None:
    office.receive(letter("Hej", "Hej! När har ni öppet på lördag?", sender="Eva <eva@example.org>"))
    done = review(office, "n")
    assert "closed: nobody waits for an answer" in done.output
    assert [one.state for one in office.cases()] == [CaseState.CLOSED]


def test_a_key_that_does_nothing_here_says_so_and_help_lists_the_rest(office: Office) -> None:
    office.receive(access("Anna Berg"))
    done = review(office, "dx?q")
    assert "d does nothing here" in done.output
    assert "x does nothing here" in done.output
    assert "approve the letter: exactly the words above" in done.output
    assert office.cases()[0].state is CaseState.OPEN


def test_a_letter_that_may_not_go_out_is_told_and_stays(office: Office) -> None:
    office.receive(access("Anna Berg"))
    from inboxbot.desk.context import Actor
    from inboxbot.desk.edit import edit

    edit(office.desk, 1, actor=Actor("Eva Ek", "terminal"), now=office.clock(), body="Hej!\n\nMvh")
    done = review(office, "aq", "--by", "Eva Ek")
    assert "must be mended:" in done.output
    assert "the letter may not go out" in done.output
    assert office.draft(1).state is DraftState.PROPOSED


@pytest.mark.parametrize("width", [8, 20, 80])
@pytest.mark.parametrize(
    "text", ["", "kort", "ord " * 40, "x" * 200, "å" * 50 + " 汉字汉字汉字 " + "e\u0301" * 30, "a  b   c\n\n d"]
)
def test_wrapping_loses_no_word_and_keeps_the_width(text: str, width: int) -> None:
    lines = list(marked_lines(text, (), width))
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line.encode("utf-32-le")) // 4 <= width + line.count("\u0301") for line in lines)


def test_spans_are_told_as_people_say_them() -> None:
    import datetime as dt

    assert span(dt.timedelta(minutes=59)) == "59 min"
    assert span(dt.timedelta(hours=23, minutes=5)) == "23 h 5 min"
    assert span(dt.timedelta(days=3, hours=1)) == "3 days"
