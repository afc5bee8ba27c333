"""Who is behind a web form: never our own mailbox, whatever the form puts beside the person (promises.md C75)."""

from __future__ import annotations

import pytest
from tests.servers.offices import NewOffice
from tests.servers.writing import letter

FORMS = """
[[company.mailbox.web_forms]]
sender = "form@example.se"
requester = "reply-to"
[[company.mailbox.web_forms]]
sender = "old-form@example.se"
requester = "body"
field = "E-post"
"""
WORDS = "E-post: {}\nJag vill ha ut alla uppgifter som ni har om mig, enligt artikel 15."
US, CIA = "kontakt@example.se", "cia.dahl@example.org"


@pytest.mark.parametrize(
    ("sender", "headers", "field", "requester"),
    [
        ("form", [("Reply-To", CIA)], "", CIA),
        ("form", [("Reply-To", CIA), ("Cc", US)], "", CIA),
        ("form", [("Reply-To", f"{CIA}, Exempel AB <{US}>")], "", CIA),
        ("form", [("Reply-To", US)], "", None),
        ("form", [("Reply-To", f"{CIA}, dan.falk@example.org")], "", None),
        ("old-form", [("Cc", US)], CIA, CIA),
        ("old-form", [], US, None),
    ],
)
def test_c75_a_form_names_a_person_and_never_us(
    new_office: NewOffice, sender: str, headers: list[tuple[str, str]], field: str, requester: str | None
) -> None:
    office = new_office(mailbox_lines=FORMS)
    office.receive(letter("Formulär", WORDS.format(field), sender=f"{sender}@example.se", headers=headers))
    (case,) = office.cases()
    assert case.requester == requester
    assert (case.state.value, case.held_reason) == (("open", None) if requester else ("held", "form_without_requester"))


def test_c75_from_alone_says_that_a_mail_claims_to_be_ours(new_office: NewOffice) -> None:
    office = new_office()
    to_us = [("Cc", US), ("Reply-To", US)]
    office.receive(letter("Mina uppgifter", WORDS.format(""), sender=f"Cia <{CIA}>", headers=to_us))
    office.receive(letter("Mina uppgifter", WORDS.format(""), sender=f"Chefen <{US}>"))
    assert [(one["state"], one["reason"]) for one in office.ledger()] == [
        ("case", "request"),
        ("held", "spoofed_own_address"),
    ]
