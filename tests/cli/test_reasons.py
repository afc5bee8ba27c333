"""Every reason code that the program writes has words, and no words are left for codes that are gone."""

from __future__ import annotations

import re
from pathlib import Path

import inboxbot
from inboxbot.cases import disposition
from inboxbot.cli.reasons import REASONS, in_words
from inboxbot.outbox.smtp import Phase
from inboxbot.sorting import robots

PACKAGE = Path(inboxbot.__file__).parent


def source_of(*names: str) -> str:
    return "\n".join((PACKAGE / name).read_text(encoding="utf-8") for name in names)


def test_every_reason_of_the_disposition_table_has_words() -> None:
    fixed = {reason for *_, reason in disposition.TABLE if isinstance(reason, str)}
    assert len(fixed) > 15
    assert fixed - set(REASONS) == set()


def test_every_rule_that_sees_a_machine_has_words() -> None:
    assert {name for name, *_ in robots.RULES} - set(REASONS) == set()
    assert {robot.value for robot in robots.Robot} - set(REASONS) == set()


def test_every_fault_of_a_mail_has_words() -> None:
    reading = "".join(file.read_text(encoding="utf-8") for file in (PACKAGE / "reading").glob("*.py"))
    codes = set(re.findall(r'UnreadableError\(\s*"([a-z_]+)"', reading))
    codes |= set(re.findall(r'Refused\([a-z.]+, "([a-z_]+)"\)', source_of("mailbox/fetching.py")))
    codes |= set(re.findall(r'Held\("([a-z_]+)"', source_of("mailbox/workers.py")))
    codes |= set(re.findall(r'fault="([a-z_]+)"', source_of("daemon/round.py")))
    assert len(codes) > 8
    assert codes - set(REASONS) == set()


def test_every_reason_why_a_letter_waits_has_words() -> None:
    source = source_of("desk/sending.py", "outbox/runner.py")
    codes = set(re.findall(r'"(limit_[a-z_]+|[a-z]+_not_configured|cut_before_dot|server_refuses_[a-z_]+)"', source))
    codes |= {f"retry_after_{phase.value}" for phase in Phase if phase is not Phase.DOT}
    assert len(codes) > 6
    assert codes - set(REASONS) == set()


def test_no_words_are_left_for_codes_that_are_gone() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "reasons.py"]
    quoted = set(re.findall(r'"([a-z_]+)"', "".join(file.read_text(encoding="utf-8") for file in files)))
    gone = {code for code in REASONS if code not in quoted and not code.startswith("retry_after_")}
    assert gone == set()


def test_a_code_without_words_is_shown_as_it_is() -> None:
    assert in_words("some_new_code") == "some new code"
