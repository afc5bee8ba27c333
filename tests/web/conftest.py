from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.doors.conftest import pool, shared_mailbox
from tests.servers.installation import Office
from tests.servers.offices import NewOffice, database, new_office, smtp
from tests.servers.writing import access, letter
from tests.web.house import OTHER_COMPANY, SYSTEMS, Person, add_person, app_of, signed_in

from inboxbot.desk.intake import take
from inboxbot.store.ledger import folder_uids
from inboxbot.store.mailboxes import load_folder
from inboxbot.store.people import Role

__all__ = ["database", "new_office", "pool", "shared_mailbox", "smtp"]


@pytest.fixture
def office(new_office: NewOffice) -> Office:
    """An installation of two companies with four accounts, and three mails in the first: two cases and one held."""
    one = new_office(company_lines=SYSTEMS, more=OTHER_COMPANY)
    add_person(one, "Eva Ek")
    add_person(one, "Stina Staf", Role.STAFF)
    add_person(one, "Ada Admin", Role.ADMIN)
    add_person(one, "Otto Annan", Role.ADMIN, "Annat AB")
    one.receive(
        access(),
        letter("Öppettider", "Hej!\nHar ni öppet på lördagar?\nMvh Bo", sender="Bo Alm <bo@example.net>"),
    )
    receive_unsure(one, access("Ida Ros"))
    return one


def receive_unsure(office: Office, message: bytes) -> None:
    """Take a mail of which the judge is not sure; what it doubts by itself is not these tests' matter."""
    served = office.served()
    with office.desk.store.read() as connection:
        folder = load_folder(connection, served.id, "inbox")
        assert folder
        uid = max(folder_uids(connection, folder.id, 1)) + 1
    arrival = office._arrival(folder.id, uid, message, "inbox")
    assert arrival.verdict
    unsure = replace(arrival, verdict=replace(arrival.verdict, unsure=True))
    take(office.desk, served, [unsure], now=office.clock())


@pytest.fixture
def app(office: Office) -> Any:
    return app_of(office)


@pytest.fixture
def eva(app: Any) -> Person:
    """An approver who is signed in."""
    return signed_in(app, "Eva Ek")
