"""Broken mail of other projects, read where it lies beside this repository; skipped where it is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.reading.test_fuzz import mail_or_code, sound

from inboxbot.reading.read import raw_of, read_whole
from inboxbot.reading.values import Mail

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
FILES = sorted(CORPORA.glob("*/*.eml"))


def test_every_broken_mail_is_read() -> None:
    if not FILES:
        pytest.skip(f"no corpora in {CORPORA}")
    for path in FILES:
        mail = mail_or_code(raw_of(path.read_bytes()))
        assert isinstance(mail, Mail), path
        sound(mail)


def test_subjects_are_those_another_reader_finds() -> None:
    if not FILES:
        pytest.skip(f"no corpora in {CORPORA}")
    compared = 0
    for path in FILES:
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        for header in expected["parts"][0]["headers"]:
            if header["name"] == "subject" and isinstance(header["value"], dict) and "Text" in header["value"]:
                assert read_whole(path.read_bytes()).subject == " ".join(header["value"]["Text"].split())
                compared += 1
    assert compared >= 5
