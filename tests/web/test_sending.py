"""The banner while sending is stopped, and who may let letters leave again."""

from __future__ import annotations

from typing import Any

import pytest
from tests.servers.installation import Office
from tests.web.house import Person, add_person, signed_in

from inboxbot.desk.context import Actor
from inboxbot.desk.gate import stop
from inboxbot.store.people import Role
from inboxbot.store.stops import past_stops, standing_stops


@pytest.fixture
def stopped(office: Office) -> Office:
    stop(office.desk, actor=Actor("Nils <b>Ek", "terminal"), now=office.clock(), note="<i>fel mall</i>")
    return office


def test_an_approver_sees_why_and_lets_letters_leave_again(stopped: Office, eva: Person) -> None:
    page = eva.get("/").text
    assert "Utskicken är stoppade" in page
    assert "&lt;i&gt;fel mall" in page
    assert "Nils &lt;b&gt;Ek" in page
    answer = eva.do("/sending/release", stop=eva.field("stop"), back="/account")
    assert "Breven får gå i väg igen" in answer.text
    assert "Utskicken är stoppade" not in answer.text
    with stopped.desk.store.read() as connection:
        (one,) = past_stops(connection, limit=2)
    assert (one.released_by, one.released_door) == ("Eva Ek", "web")
    assert eva.post("/sending/release", stop=str(one.id)).status_code == 409


def test_staff_and_approvers_of_one_company_see_it_and_cannot_release(stopped: Office, app: Any) -> None:
    add_person(stopped, "Olle Annan", Role.APPROVER, "Annat AB")
    for name in ("Stina Staf", "Olle Annan", "Otto Annan"):
        person = signed_in(app, name)
        page = person.get("/").text
        assert "Utskicken är stoppade" in page
        assert "/sending/release" not in page
        assert person.post("/sending/release", stop="1").status_code == 403
    with stopped.desk.store.read() as connection:
        assert standing_stops(connection)


def test_a_stop_the_page_did_not_show_stays(stopped: Office, eva: Person) -> None:
    eva.get("/")
    for wrong in ("7", "x", ""):
        assert eva.post("/sending/release", stop=wrong).status_code == 409
    with stopped.desk.store.read() as connection:
        assert standing_stops(connection)


def test_a_letter_that_was_approved_says_why_it_does_not_leave(office: Office, eva: Person) -> None:
    (case,) = [one for one in office.cases() if one.requester == "anna.berg@example.org"]
    (letter,) = [one for one in office.drafts() if one.case_id == case.id]
    eva.get(f"/cases/{case.reference}")
    eva.approve(case.reference, letter.id)
    stop(office.desk, actor=Actor("Nils Ek", "terminal"), now=office.clock())
    assert "Väntar: utskicken är stoppade" in eva.get(f"/cases/{case.reference}").text
    assert "Väntar: utskicken är stoppade" in eva.get(f"/cases/{case.reference}/letters/{letter.id}/state").text
