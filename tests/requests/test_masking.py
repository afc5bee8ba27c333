"""A personal number that somebody wrote unasked is not shown whole to anybody at the desk."""

from __future__ import annotations

import pytest
from tests.requests.commands import Person
from tests.servers.offices import NewOffice

from inboxbot.cases.personal_numbers import mask_personal_numbers


@pytest.mark.parametrize("number", ["640823-3234", "19640823-3234", "196408233234"])
def test_the_case_page_masks_it_and_marks_the_same_words(new_office: NewOffice, number: str) -> None:
    office = new_office()
    office.receive(
        "From: Bo <bo@example.org>\r\nTo: kontakt@example.se\r\nSubject: Radera mig\r\nMessage-ID: <p1@example.org>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"Mitt personnummer är {number}. Radera alla mina personuppgifter.\r\n".encode()
    )
    case = Person(office).case("EX-2026-0001")
    shown = case["mails"][0]
    assert number not in str(case)
    assert "****" in shown["text"]
    for one in shown["evidence"]:
        part = shown["text"] if one["part"] == "body" else shown["subject"]
        assert part[one["start"] : one["end"]] == one["text"]


def test_offsets_hold_when_the_length_is_kept() -> None:
    text = "nr 640823-3234 och 811228-9874, kund 5566778899"
    assert len(mask_personal_numbers(text, same_length=True)) == len(text)
    assert mask_personal_numbers("pnr 196408233234", same_length=True) == "pnr 19640823****"
