from __future__ import annotations

from typing import Any

import pytest
from tests.doors.conftest import pool, shared_mailbox
from tests.servers.installation import Office
from tests.servers.offices import NewOffice, database, new_office, smtp
from tests.servers.writing import access, letter
from tests.web.house import OTHER_COMPANY, SYSTEMS, Person, add_person, app_of, signed_in

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
    one.receive(access("Ida Ros"))
    with one.desk.store.write() as connection:  # what the judge doubts is not these tests' matter
        connection.exec_driver_sql("UPDATE cases SET state = 'held', held_reason = 'unsure' WHERE id = 3")
    return one


@pytest.fixture
def app(office: Office) -> Any:
    return app_of(office)


@pytest.fixture
def eva(app: Any) -> Person:
    """An approver who is signed in."""
    return signed_in(app, "Eva Ek")
