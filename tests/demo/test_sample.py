"""The sample inbox: every file listed, readable people's mail at example domains, all kinds and languages in it."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from importlib.resources import files

import pytest

from inboxbot.demo.sample import load_samples
from inboxbot.mailbox.workers import shipped_judge
from inboxbot.reading.read import read_whole

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
SAMPLES = load_samples()
_ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+\w)")


def test_every_file_is_listed_once() -> None:
    there = sorted(file.name for file in (files("inboxbot.demo") / "mails").iterdir() if file.name.endswith(".eml"))
    assert sorted(f"{one.name}.eml" for one in SAMPLES) == there


def test_enough_mails_lie_there_at_the_start_and_some_come_later() -> None:
    ages = [one.hours for one in SAMPLES]
    at_start = [hours for hours in ages if hours is not None]
    assert len(at_start) >= 45
    assert at_start == sorted(at_start, reverse=True)
    assert len(at_start) < len(ages)
    assert set(ages[len(at_start) :]) == {None}
    assert {one.mailbox for one in SAMPLES} == {"support@ljuslagret.example.com", "kontakt@kursverket.example.org"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
def test_only_example_domains(sample) -> None:
    """E88."""
    text = sample.data.decode("utf-8", "replace")
    domains = {found[1].lower() for found in _ADDRESS.finditer(text)}
    assert all(re.search(r"(?:^|\.)example\.(?:com|org|net|se)$", domain) for domain in domains), domains


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
def test_a_message_has_the_line_ends_and_the_date_of_its_delivery(sample) -> None:
    message = sample.message(NOW)
    assert message.startswith(b"Date: Sun, 22 Nov 2026 09:00:00 +0100\r\n")
    assert b"\n" not in message.replace(b"\r\n", b"")


def test_message_ids_are_unique_and_follow_ups_name_a_mail_of_the_sample() -> None:
    mails = [read_whole(one.message(NOW)) for one in SAMPLES]
    ids = Counter(mail.message_id for mail in mails)
    assert max(ids.values()) == 1
    answered = {ref for mail in mails for ref in mail.in_reply_to}
    assert answered
    assert answered <= set(ids)


# What each mail asks for by kinds.md; the others ask for nothing. `s27` only asks whether the first mail came.
ASKED = {
    "access": "s01 s17 s18 s20 s25 s28 s30 k01 k14 k18 k23 x01",
    "erasure": "s02 s18 s19 s21 s23 s26 s29 s31 s35 k02 k13 k14 k17 k20 x05",
    "unsubscribe": "s03 s21 s22 s23 k03 k16 x04",
    "complaint": "s04 k04",
    "rectification": "s05 k05 k21",
    "portability": "s06 k06",
    "objection": "s07 k07",
    "restriction": "s08 k08",
}


def judged():
    judge = shipped_judge()
    return {one.name[:3]: judge(read_whole(one.message(NOW))) for one in SAMPLES if one.role != "sent"}


def test_robots_and_languages_are_all_there() -> None:
    verdicts = judged().values()
    assert {one.robot.value for one in verdicts if one.robot} == {"bounce", "autoreply", "list"}
    assert {"sv", "en", "de", "da"} <= {one.language for one in verdicts}


def test_every_kind_is_there_and_the_judge_sees_it() -> None:
    found = {kind.value for one in judged().values() if not one.robot for kind in one.kinds}
    assert found == {*ASKED, "other"}


def test_the_judge_knows_what_the_mails_ask_for() -> None:
    """The demo is the judge's first impression: a few of these may be missed, not many."""
    asked = {name: {kind for kind, names in ASKED.items() if name in names.split()} or {"other"} for name in judged()}
    wrong = {
        name: [kind.value for kind in verdict.kinds]
        for name, verdict in judged().items()
        if not verdict.robot and name != "s27" and asked[name] != {kind.value for kind in verdict.kinds}
    }
    assert len(wrong) <= 8, wrong
