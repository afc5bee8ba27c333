"""A mailbox says through which doors its letters may be approved."""

from __future__ import annotations

from tests.requests.commands import Person
from tests.servers.offices import NewOffice


def test_a_closed_door_approves_nothing(new_office: NewOffice) -> None:
    office = new_office(mailbox_lines='approval = ["web"]')
    eva = Person(office)
    letter = eva.letter(eva.opens("erasure"))
    assert "not approved through terminal" in eva.is_refused("drafts", "approve", str(letter["id"]), "--by", "Eva Ek")


def test_the_terminal_is_open_unless_told_otherwise(new_office: NewOffice) -> None:
    eva = Person(new_office())
    letter = eva.letter(eva.opens("erasure"))
    eva.approves(letter["id"])
    assert eva.asks("drafts", "show", str(letter["id"]))["state"] == "approved"
