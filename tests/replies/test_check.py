"""The letter check on letters that a person has edited: what stops the approval, and what only warns."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from inboxbot.replies.check import Finding, check_letter
from inboxbot.replies.check_rules import Weight
from inboxbot.replies.render import finish_letter, render
from inboxbot.replies.samples import ADDRESS, FILE, Sample, check_sample, sample_company, sample_letter, samples


def sample(template: str, label: str | None = None, language: str = "sv") -> Sample:
    return next(one for one in samples(language) if one.template == template and label in (None, one.label))


def found(one: Sample, add: str, **more: object) -> list[Finding]:
    letter = sample_letter(one)
    body = letter.body.replace("Vänliga hälsningar", f"{add}\n\nVänliga hälsningar").replace(
        "Kind regards", f"{add}\n\nKind regards"
    )
    assert add in body
    given: dict[str, object] = {"to": ADDRESS, "allowed_to": (ADDRESS,), **more}
    return list(check_letter(replace(letter, body=body), one.facts, **given))  # type: ignore[arg-type]


BLOCKED = [
    ("receipt", "sv", "Du kan också klaga hos Datainspektionen.", "old_authority"),
    ("refusal", "sv", "Du kan överklaga till förvaltningsrätten.", "wrong_court"),
    ("refusal", "en", "You can appeal to the administrative court.", "wrong_court"),
    ("receipt", "sv", "Skälet är [[reason]].", "placeholder"),
    ("receipt", "sv", "Hej {{ name }}!", "placeholder"),
    ("receipt", "sv", "TODO skriv mer", "placeholder"),
    ("identity", "sv", "Skicka en kopia på ditt pass.", "identity_papers"),
    ("identity", "sv", "Vi behöver ditt personnummer.", "identity_papers"),
    ("receipt", "en", "Please send us a copy of your passport.", "identity_papers"),
    ("receipt", "sv", "Fyll i vår blankett och skicka den till oss.", "paper_form"),
    ("receipt", "en", "Please send a signed letter.", "paper_form"),
    ("receipt", "sv", "Passa på att handla med rabattkod HEJ.", "marketing"),
    ("receipt", "en", "Get 10% off, visit our shop.", "marketing"),
    ("unsubscribe", "sv", "Är du säker på det?", "question"),
    ("receipt", "sv", "Ditt nummer är 811228-9874.", "personal_number"),
    ("receipt", "sv", "Vi skriver också till bo.berg@example.org.", "foreign_address"),
    ("identity", "sv", "Är din adress Storgatan 12 fortfarande rätt?", "held_fact"),
    ("identity", "sv", "Stämmer kundnummer 48213?", "held_fact"),
    ("identity", "sv", "Är ditt nummer 070-123 45 67?", "held_fact"),
    ("objection_refused", "sv", "Vi skickar marknadsföring även i fortsättningen.", "marketing_is_absolute"),
    ("receipt", "sv", "Vi har avslutat alla utskick.", "not_done_yet"),
]


@pytest.mark.parametrize(
    ("template", "language", "words", "rule"), BLOCKED, ids=[f"{row[3]}-{row[1]}" for row in BLOCKED]
)
def test_words_that_stop_the_approval(template: str, language: str, words: str, rule: str) -> None:
    hits = [one for one in found(sample(template, language=language), words) if one.rule == rule]
    assert [one.weight for one in hits] == [Weight.BLOCKING]
    assert hits[0].source
    assert hits[0].message


WARNED = [
    ("refusal", "sv", "Beslutet kan inte överklagas.", "appeal"),
    ("receipt", "sv", "Vi svarar inom 30 dagar.", "days"),
    ("receipt", "sv", "Detta kostar en avgift.", "fee"),
    ("receipt", "sv", "Detta följer av personuppgiftslagen.", "old_law"),
    ("receipt", "sv", "Bäste kund, vi har sett det.", "stiff"),
    ("receipt", "sv", "Tyvärr dröjer det, tyvärr.", "sorry_chain"),
    ("receipt", "sv", "Läs mer på https://example.net/x", "link"),
    ("extension", "sv", "Det beror också på semester.", "extension_reason"),
]


@pytest.mark.parametrize(("template", "language", "words", "rule"), WARNED, ids=[row[3] for row in WARNED])
def test_words_that_only_warn(template: str, language: str, words: str, rule: str) -> None:
    hits = found(sample(template, language=language), words)
    assert [(one.rule, one.weight) for one in hits] == [(rule, Weight.WARNING)]


@pytest.mark.parametrize(
    "words",
    [
        "Skicka inte kopia på legitimation.",
        "Vi behöver inget personnummer.",
        "Vi har talat om det för IMY, imy@imy.se.",
        "Ärende EX-2026-0001 hos Exempel AB, 556000-0001.",
        "Box 8114, 104 20 Stockholm",
        "Vi ringer dig den 12 mars 2026.",
    ],
)
def test_words_that_are_fine(words: str) -> None:
    assert found(sample("receipt", "complaint"), words) == []


def test_a_sole_traders_number_is_no_fault() -> None:
    company = sample_company().model_copy(update={"name": "Anna Andersson Foto", "organisation_number": "811228-9874"})
    letters = list(samples("sv", company))
    assert all("811228-9874" in sample_letter(one).body for one in letters)
    assert [hit for one in letters for hit in check_sample(one)] == []


def test_what_a_company_says_of_itself_is_no_fault() -> None:
    told = {
        "name": "Aurora  Exempel AB (publ)",
        "contact_address": "support@example.org",
        "privacy_contact": "Eva Ek, dataskydd@example.org, 08-123 45 67",
        "policy_url": "https://example.org/policy?version=2",
    }
    company = sample_company().model_copy(update=told)
    for language in ("sv", "en", "fi"):
        assert [hit for one in samples(language, company) for hit in check_sample(one)] == []


def test_the_language_of_the_letter_is_that_of_the_case() -> None:
    one = sample("receipt", "access")
    english = sample_letter(sample("receipt", "access", "en"))
    rules = {hit.rule for hit in check_letter(english, one.facts, to=ADDRESS, allowed_to=(ADDRESS,))}
    assert "wrong_language" in rules


def test_a_late_extension_is_stopped_and_a_late_refusal_warned_of() -> None:
    due, late = dt.date(2026, 4, 7), dt.date(2026, 4, 8)
    assert found(sample("extension"), "x", today=due, notice_by=due) == []
    [extension] = found(sample("extension"), "x", today=late, notice_by=due)
    assert (extension.rule, extension.weight) == ("late_extension", Weight.BLOCKING)
    [refusal] = found(sample("refusal"), "x", today=late, notice_by=due)
    assert (refusal.rule, refusal.weight) == ("late_refusal", Weight.WARNING)


def test_the_file_a_letter_names_has_to_be_attached() -> None:
    one = sample("access", "granted")
    assert found(one, "x", attachments=(FILE,)) == []
    assert found(one, "x", attachments=None) == []
    for files in ((), ("other.zip",)):
        assert [hit.rule for hit in found(one, "x", attachments=files)] == ["missing_file"]


def test_every_gap_is_named_at_once_that_of_the_subject_too() -> None:
    one = sample("receipt")
    letter = sample_letter(one)
    letter = replace(letter, subject="Om [[matter]]", body=f"{letter.body}[[reason]] och [[reason]], [[until]]\n")
    hits = check_letter(letter, one.facts, to=ADDRESS, allowed_to=(ADDRESS,))
    assert [hit.excerpt for hit in hits if hit.rule == "placeholder"] == ["[[matter]], [[reason]], [[until]]"]


def test_one_file_that_is_no_archive_may_lack_the_overview_the_letter_speaks_of() -> None:
    facts = replace(sample("portability", "granted").facts, attachment=None)
    proposed = render("portability", facts, gaps=True)
    for files, rules in ((("data.json",), ["overview"]), (("data.json", "läs.pdf"), []), (("allt.zip",), [])):
        letter = finish_letter(proposed, "Eva Exempel", dt.date(2026, 3, 6), files=files)
        hits = check_letter(letter, facts, to=ADDRESS, allowed_to=(ADDRESS,), attachments=files)
        assert [hit.rule for hit in hits if hit.rule != "subject"] == rules


def test_files_are_named_at_approval_and_an_access_letter_without_one_is_stopped() -> None:
    one = sample("access", "granted")
    facts = replace(one.facts, attachment=None)
    proposed = render("access", facts, gaps=True)
    assert "[[attachment]]" in proposed.body
    for files, rules in (((), {"placeholder", "missing_file"}), (("a.zip", "b.csv"), set())):
        letter = finish_letter(proposed, "Eva Exempel", dt.date(2026, 3, 6), files=files)
        hits = check_letter(letter, facts, to=ADDRESS, allowed_to=(ADDRESS,), attachments=files)
        assert {hit.rule for hit in hits if hit.weight is Weight.BLOCKING} == rules
    assert "bifogade filen a.zip och b.csv" in " ".join(letter.body.split())


def test_an_access_letter_names_every_recipient() -> None:
    one = sample("access", "encrypted")
    letter = sample_letter(one)
    shorter = replace(letter, body=letter.body.replace("Mail Exempel Inc.", "en leverantör"))
    rules = [hit.rule for hit in check_letter(shorter, one.facts, to=ADDRESS, allowed_to=(ADDRESS,))]
    assert rules == ["missing_recipient"]


def test_a_code_letter_needs_the_place_of_the_code() -> None:
    one = sample("code")
    letter = sample_letter(one)
    without = replace(letter, body=letter.body.replace("[[code]]", ""))
    assert [hit.rule for hit in check_letter(without, one.facts, to=ADDRESS, allowed_to=(ADDRESS,))] == ["missing_code"]
    filled = replace(letter, body=letter.body.replace("[[code]]", "K7PM-2XWQ"))
    assert check_letter(filled, one.facts, to=ADDRESS, allowed_to=(ADDRESS,)) == ()
