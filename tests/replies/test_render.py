"""Rendering: what a template may do, what it may not, and that values are never code."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from jinja2.meta import find_undeclared_variables
from tests.replies.samples import facts

from inboxbot.replies.choose import TEXTS
from inboxbot.replies.facts import clean_line, clean_name, clean_text, signed_name
from inboxbot.replies.render import LETTERS, TemplateError, finish_letter, languages_of, render, shipped_templates
from inboxbot.sorting.kinds import Kind

PAYLOADS = ["{{ 7*7 }}", "{% for x in range(9) %}a{% endfor %}", "${7*7}", "#{7*7}", "{{ ''.__class__ }}", "{{config}}"]


def own(folder: Path, text: str, name: str = "receipt") -> Path:
    (folder / "sv").mkdir(exist_ok=True)
    (folder / "sv" / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("payload", PAYLOADS)
def test_code_in_a_value_stays_words(payload: str) -> None:
    """C57, E30."""
    letter = render("receipt", replace(facts("sv", Kind.ACCESS), company=payload, name=payload))
    assert clean_line(payload) in letter.body


@pytest.mark.parametrize(
    "source",
    [
        "{{ company.__class__ }}",
        "{{ company.upper() }}",
        "{{ company | attr('x') }}",
        "{{ company | format }}",
        "{{ kinds | map(attribute='x') }}",
        "{{ range(10) }}",
        "{{ 'a' * 999999999 }}",
        "{{ 10 ** 10 }}",
        "{{ company ~ company }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'sv/_bye.txt' as b %}",
        "{% extends 'sv/receipt.txt' %}",
        "{% include company %}",
        "{% include '/etc/hostname' %}",
        "{% include '../../pyproject.toml' %}",
        "{% include 'https://example.com/x' %}",
        "{% for a in kinds %}{% for b in kinds %}{% for c in kinds %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in kinds recursive %}x{% endfor %}",
        "{{ kinds[0] }}",
        "{{ [1, 2] }}",
        "{{ self }}",
        "{{ kinds.index }}",
        "{% for a in kinds %}{% include 'sv/_bye.txt' %}{% endfor %}",
        "{{ company is eq(company) }}",
        "{% if %}",
        "{{ nobody_knows_this }}",
        "{{ fee }}",
        "{{ kinds | listed(1, 2, 3) }}",
        "{{ retention_years | length }}",
        "{% for one in retention_years %}x{% endfor %}",
        "{% if company < retention_years %}x{% endif %}",
    ],
)
def test_what_a_template_may_not_do_is_refused_with_its_place(tmp_path: Path, source: str) -> None:
    """E31, E32, E33, E37."""
    folder = own(tmp_path, f"Subject: x\nHej\n{source}\n")
    with pytest.raises(TemplateError) as caught:
        render("receipt", facts("sv", Kind.ACCESS), folder=folder)
    assert caught.value.where


def test_what_a_template_may_do(tmp_path: Path) -> None:
    source = (
        "{% for one in kinds %}{{ loop.index }} {{ one }}{% if not loop.last %}, {% endif %}{% else %}-{% endfor %}"
    )
    source += "{# a note #}{% if kinds | length > 1 and company is defined %} ({{ received_on | weekday }}){% endif %}"
    folder = own(tmp_path, f"Subject: x\n{source}\n")
    letter = render("receipt", facts("sv", Kind.ACCESS, Kind.ERASURE), folder=folder)
    assert letter.body == "1 access, 2 erasure (torsdag)\n"


def test_a_template_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (own(tmp_path, "") / "sv" / "receipt.txt").write_bytes("Subject: åäö\n".encode("latin-1"))
    with pytest.raises(TemplateError, match="cannot be used"):
        render("receipt", facts("sv", Kind.ACCESS), folder=tmp_path)


@given(st.text(max_size=100), st.text(max_size=300))
def test_no_foreign_words_can_hurt_a_letter(name: str, words: str) -> None:
    """E35, E38."""
    letter = render("complaint", facts("sv", Kind.COMPLAINT, name=clean_name(name), texts=dict.fromkeys(TEXTS, words)))
    assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs") or one in "\n\u00ad" for one in letter.body)
    assert letter.subject == "Svar på ditt klagomål"


def test_a_missing_value_is_named_or_left_as_a_gap(tmp_path: Path) -> None:
    """E34."""
    folder = own(tmp_path, "Subject: x\nSkälet är {{ reason }}.\n")
    with pytest.raises(TemplateError, match="'reason' is undefined"):
        render("receipt", facts("sv", Kind.ACCESS), folder=folder)
    assert render("receipt", facts("sv", Kind.ACCESS), folder=folder, gaps=True).body == "Skälet är [[reason]].\n"
    given = facts("sv", Kind.ACCESS, texts={"reason": "ordern pågår"})
    assert render("receipt", given, folder=folder).body == "Skälet är ordern pågår.\n"


def test_a_value_that_is_not_there_never_prints_none() -> None:
    """E34."""
    without = facts("sv", Kind.ACCESS, answer_by=None)
    assert "None" not in render("receipt", without).body
    assert "senast den" not in render("receipt", without).body


def test_a_companys_own_template_goes_first_and_is_seen_when_it_changes(tmp_path: Path) -> None:
    folder = own(tmp_path, "Subject: Eget\nHej från {{ company }}\n")
    assert render("receipt", facts("sv", Kind.ACCESS), folder=folder).subject == "Eget"
    assert render("unsubscribe", facts("sv", Kind.UNSUBSCRIBE), folder=folder).subject == "Din avregistrering"
    own(tmp_path, "Subject: Nytt och längre\nHej\n")
    assert render("receipt", facts("sv", Kind.ACCESS), folder=folder).subject == "Nytt och längre"


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    """E36."""
    secret = tmp_path / "secret.txt"
    secret.write_text("Subject: x\nhemligt\n")
    (tmp_path / "own" / "sv").mkdir(parents=True)
    (tmp_path / "own" / "sv" / "receipt.txt").symlink_to(secret)
    assert "hemligt" not in render("receipt", facts("sv", Kind.ACCESS), folder=tmp_path / "own").body


@pytest.mark.parametrize("name", ["../sv/receipt", "nothing", "_bye/../receipt", "/etc/hostname"])
def test_letters_have_fixed_names(name: str) -> None:
    """E36."""
    with pytest.raises(TemplateError, match="no such letter"):
        render(name, facts("sv", Kind.ACCESS))


def test_a_template_needs_a_subject_and_a_body(tmp_path: Path) -> None:
    for source in ("Hej\n", "Subject:\nHej\n", "Subject: x\n\n"):
        with pytest.raises(TemplateError, match="Subject"):
            render("receipt", facts("sv", Kind.ACCESS), folder=own(tmp_path, source, "receipt"))


def test_the_name_and_the_day_are_filled_in_at_approval() -> None:
    letter = finish_letter(
        render("unsubscribe", facts("sv", Kind.UNSUBSCRIBE)), "Eva Exempel\r\nX", dt.date(2026, 3, 6)
    )
    assert "den 6 mars 2026" in letter.body
    assert "Vänliga hälsningar\nEva Exempel X\n" in letter.body
    assert "[[" not in letter.body


@pytest.mark.parametrize(
    "name",
    [
        "you owe 500 EUR, pay at example.net",
        "www.example.com",
        "a@example.com",
        "https://x",
        "Ev3",
        "a" * 61,
        "x\ny z w v u t",
        "<b>",
        "",
    ],
)
def test_what_is_no_name_greets_nobody(name: str) -> None:
    """E38."""
    assert clean_name(name) == ""


@pytest.mark.parametrize("name", ["Anna", "Åsa Öberg", "Jean-Luc O'Neill", "J. R. Svensson", "José María"])
def test_names_are_names(name: str) -> None:
    """E38."""
    assert clean_name(name) == name


def test_a_name_is_used_only_when_the_mail_is_signed_with_it() -> None:
    """E38."""
    assert signed_name("Anna Öberg", "Hej, radera mig.\n\nMvh\nAnna") == "Anna"
    assert signed_name("Anna Öberg", "Hej, radera mig.") == ""
    assert signed_name("Anna Öberg", "hanna vill inte\n") == ""
    assert signed_name("kontakt@example.com", "kontakt@example.com") == ""


def test_foreign_words_lose_what_cannot_be_seen() -> None:
    """E3."""
    assert clean_line("a\u202eb\u200bc\x00d\ud800e\r\nf") == "a b c d e f"
    assert clean_text("ett\r\ntvå\n\ntre\u2028fyra") == "ett\ntvå\n\ntre fyra"
    assert len(clean_line("x" * 999)) == 300


def test_templates_print_only_what_is_known_and_every_text_of_staff_is_printed() -> None:
    """E33."""
    parser, printed = Environment(autoescape=True), set()
    parser.filters.update({"date": str, "weekday": str, "listed": str})
    for path in shipped_templates().rglob("*.txt"):
        printed |= find_undeclared_variables(parser.parse(path.read_text(encoding="utf-8")))
    day = dt.date(2026, 6, 5)
    full = facts("sv", Kind.ACCESS, attachment="", extended_to=day, backups_until=day, automated=False)
    known = set(full.context())
    assert printed <= known | set(TEXTS)
    assert set(TEXTS) <= printed


def test_every_template_of_the_list_ships() -> None:
    for name in LETTERS:
        for language in languages_of(name):
            assert (shipped_templates() / language / f"{name}.txt").is_file(), (language, name)
