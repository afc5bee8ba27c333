"""Every letter in every language: its golden file, its check, and that no mandatory part can go missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.replies.make_golden import GOLDEN, golden_path, golden_text

from inboxbot.replies.check import check_letter, part_patterns, required_parts
from inboxbot.replies.check_rules import Weight
from inboxbot.replies.facts import LANGUAGES
from inboxbot.replies.render import LETTERS, languages_of
from inboxbot.replies.samples import ADDRESS, Sample, check_sample, sample_letter, samples

ALL = [sample for language in LANGUAGES for sample in samples(language)]
NAMES = [f"{sample.facts.language}-{sample.template}-{sample.label}" for sample in ALL]


def rules(sample: Sample, body: str) -> set[str]:
    letter = replace(sample_letter(sample), body=body)
    found = check_letter(letter, sample.facts, to=ADDRESS, allowed_to=(ADDRESS,))
    return {one.rule for one in found if one.weight is Weight.BLOCKING}


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_the_letter_is_its_golden_file(sample: Sample) -> None:
    path = golden_path(sample)
    assert path.is_file(), "new letter: run `python -m tests.replies.make_golden` and read it"
    assert golden_text(sample) == path.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_letter() -> None:
    assert {path.relative_to(GOLDEN) for path in GOLDEN.rglob("*.txt")} == {
        golden_path(sample).relative_to(GOLDEN) for sample in ALL
    }
    shown = {(sample.facts.language, sample.template) for sample in ALL}
    assert shown == {(language, name) for name in LETTERS for language in languages_of(name)}


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_the_letter_passes_its_check(sample: Sample) -> None:
    assert check_sample(sample) == ()


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_no_mandatory_part_can_go_missing(sample: Sample) -> None:
    letter = sample_letter(sample)
    text = " ".join(letter.body.split())
    tried = 0
    for part in required_parts(letter, sample.facts):
        for pattern in part_patterns(part, letter, sample.facts):
            assert pattern.search(text), part
            assert f"missing_{part}" in rules(sample, pattern.sub("", text)), part
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_no_system_of_the_checklist_can_go_missing(sample: Sample) -> None:
    """Nothing that was handed out, erased or frozen, or held back and why, can be left out of the letter about it."""
    facts, letter = sample.facts, sample_letter(sample)
    told = {
        "access": (*facts.found, *facts.kept),
        "portability": facts.kept,
        "rectification": facts.kept,
        "restriction": (*facts.stopped, *facts.kept),
        "erasure": facts.erased,
        "erasure_partial": facts.erased,
        "consent_withdrawn": facts.erased,
    }
    for line in told.get(sample.template, ()):
        assert rules(sample, letter.body.replace(line.system, "…")) & {"missing_system", "missing_held_back"}
        if line in facts.kept:
            without = " ".join(letter.body.split()).replace(line.detail, "…")
            assert "missing_held_back" in rules(sample, without)
    outside = facts.texts.get("outside") if sample.template == "portability" else None
    if outside:
        assert "missing_outside" in rules(sample, " ".join(letter.body.split()).replace(outside, "…"))


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_the_name_of_a_person_cannot_go_missing(sample: Sample) -> None:
    body = sample_letter(sample).body
    assert "missing_signature" in rules(sample, body.replace("[[name]]", ""))
    assert "missing_signature" not in rules(sample, body.replace("[[name]]", "Eva Exempel"))


@pytest.mark.parametrize("sample", ALL, ids=NAMES)
def test_lines_are_short_and_nothing_is_left_over(sample: Sample) -> None:
    letter = sample_letter(sample)
    assert max(len(line) for line in letter.body.splitlines()) <= 120
    assert "\n\n\n" not in letter.body
    assert letter.body.endswith("\n")
    assert not [line for line in letter.body.splitlines() if line != line.rstrip()]
    for word in ("{{", "{%", "None", "Undefined", "Datainspektionen"):
        assert word not in letter.body


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_receipt_names_each_kind_that_the_mail_holds(language: str) -> None:
    several = next(one for one in samples(language) if one.label == "several")
    body = sample_letter(several).body
    paragraphs = body.split("\n- ")
    assert len(paragraphs) == 1 + len(several.facts.kinds)
    for number, kind in enumerate(several.facts.kinds, start=1):
        without = "\n- ".join(paragraphs[:number] + paragraphs[number + 1 :])
        if number == len(several.facts.kinds):
            tail = paragraphs[number].partition("\n\n")[2]
            without = f"{without}\n\n{tail}"
        assert f"missing_kind_{kind}" in rules(several, without)


def test_the_partial_erasure_names_the_day_of_the_law() -> None:
    partly = next(one for one in samples("sv") if one.template == "erasure_partial" and one.label == "partly")
    body = sample_letter(partly).body
    assert "31 december 2031 enligt 7 kap. 2 § bokföringslagen (1999:1078)" in " ".join(body.split())
    assert "missing_until" in rules(partly, body.replace("31 december 2031", "2 maj 2031"))
    assert "missing_ground" in rules(partly, body.replace("1999:1078", ""))
    assert "missing_system" in rules(partly, body.replace("Webbutiken", ""))


def test_a_letter_may_be_approved_only_without_blocking_findings() -> None:
    sample = ALL[0]
    letter = sample_letter(sample)
    wrong = check_letter(letter, sample.facts, to="mallory@example.net", allowed_to=(ADDRESS,))
    assert [one.rule for one in wrong] == ["recipient"]
    assert wrong[0].weight is Weight.BLOCKING
    warned = check_letter(replace(letter, subject="Re: x"), sample.facts, to=ADDRESS.upper(), allowed_to=(ADDRESS,))
    assert [(one.rule, one.weight) for one in warned] == [("subject", Weight.WARNING)]
