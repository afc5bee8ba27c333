"""The queue: order, filters, search, pages, many at once."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.servers.writing import access, letter
from tests.web.house import Person, add_person, app_of, signed_in

from inboxbot.cases.values import CaseState
from inboxbot.store.queue import Wanted, mailboxes_of, queue_page
from inboxbot.web import queue as pages
from inboxbot.web.queue import cursor, gist, place_of


def shown(page: str) -> list[str]:
    """Return the references on a page, in order."""
    return re.findall(r'class="open" href="/cases/([^"]+)"', page)


def test_the_most_urgent_stands_first(office: Office, eva: Person) -> None:
    office.clock.advance(hours=20)
    office.receive(access("Nils Ny"))
    eva.sign_in("Eva Ek")
    assert shown(eva.get("/").text) == ["EX-2026-0001", "EX-2026-0002", "EX-2026-0003", "EX-2026-0004"]
    assert "4 h 0 min kvar" in eva.page or "3 h 59 min kvar" in eva.page
    assert re.findall(r"<b>(\d+)</b> (försenade|inom|att)", eva.page) == [
        ("0", "försenade"),
        ("3", "inom"),
        ("1", "att"),
    ]
    office.clock.advance(hours=5)
    eva.sign_in("Eva Ek")
    assert eva.get("/").text.count("min sent</time>") == 3
    assert re.findall(r"<b>(\d+)</b> (försenade|inom|att)", eva.page) == [
        ("3", "försenade"),
        ("0", "inom"),
        ("1", "att"),
    ]


def test_a_letter_that_went_wrong_stands_before_all(office: Office, eva: Person) -> None:
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE drafts SET state = 'failed' WHERE case_id = 2")
    assert shown(eva.get("/").text)[0] == "EX-2026-0002"


def test_order_and_pages_are_the_same_on_every_database(new_office: NewOffice, database: str) -> None:
    office = new_office(database=database)
    office.installation.sound = False  # rows are changed past the desk
    for number in range(7):
        office.clock.advance(hours=1)
        office.receive(access(f"Person Nummer{number}"))
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE promises SET answered_at = received_at WHERE case_id IN (1, 4)")
        connection.exec_driver_sql("UPDATE requests SET outcome = 'granted' WHERE case_id = 4")
    with office.desk.store.read() as connection:
        ids = tuple(one for one, _, _ in mailboxes_of(connection, None))
        whole = queue_page(connection, Wanted("todo", ids), after=None, limit=100)
        paged, after = [], None
        while found := queue_page(connection, Wanted("todo", ids), after=after, limit=2):
            paged += found
            after = place_of(cursor(found[-1]))
        newest = queue_page(connection, Wanted("all", ids, search="nummer6"), after=None, limit=9)
    assert [one.case_id for one in whole] == [2, 3, 5, 6, 7, 1, 4]
    assert paged == whole
    assert [one.case_id for one in newest] == [7]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("kind=access", {"EX-2026-0001", "EX-2026-0003"}),
        ("kind=other", {"EX-2026-0002"}),
        ("q=bo@example", {"EX-2026-0002"}),
        ("q=ÖPPETTIDER", {"EX-2026-0002"}),
        ("q=ex-2026-0003", {"EX-2026-0003"}),
        ("q=%25", set()),
        ("q=_", set()),
        ("q='; DROP TABLE cases; --", set()),
        ("mailbox=annat@example.org", set()),
        ("mine=1", set()),
        ("view=done", set()),
        ("view=nonsense", {"EX-2026-0001", "EX-2026-0002", "EX-2026-0003"}),
        ("kind=nonsense", {"EX-2026-0001", "EX-2026-0002", "EX-2026-0003"}),
        ("after=nonsense", {"EX-2026-0001", "EX-2026-0002", "EX-2026-0003"}),
        ("after=9999-99-99T00:00:00Z.1", {"EX-2026-0001", "EX-2026-0002", "EX-2026-0003"}),
    ],
)
def test_filters_and_search(eva: Person, question: str, found: set[str]) -> None:
    """E55."""
    assert set(shown(eva.get(f"/?{question}").text)) == found


def test_empty_queues_say_so_and_what_to_do(office: Office, eva: Person) -> None:
    nothing = eva.get("/?q=finns-inte").text
    assert "Inget ärende passar" in nothing
    assert "inte texten i mejlen" in nothing
    assert 'href="/?view=all&amp;q=finns-inte"' in nothing
    assert "Sök bland alla" not in eva.get("/?view=all&q=finns-inte").text
    assert "Inget svar är att vänta" in eva.get("/?view=waiting").text
    assert "Inget är avslutat än" in eva.get("/?view=done").text
    office.installation.sound = False  # rows are changed past the desk
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE cases SET state = 'closed'")
    assert "Allt är gjort" in eva.get("/").text
    assert shown(eva.get("/?view=done").text) == ["EX-2026-0003", "EX-2026-0002", "EX-2026-0001"]


def test_the_next_page_begins_where_the_first_ended(
    office: Office, eva: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(pages.PAGE):
        office.receive(letter(f"Fråga {number}", "Har ni öppet?", sender=f"p{number}@example.org"))
    first = shown(eva.get("/").text)
    link = re.search(r'href="([^"]+)" rel="next"', eva.page)
    assert link
    second = shown(eva.get(link[1].replace("&amp;", "&")).text)
    assert (len(first), len(second)) == (pages.PAGE, 3)
    assert not set(first) & set(second)


def test_several_need_no_answer_at_once_and_that_is_taken_back(office: Office, eva: Person) -> None:
    office.receive(letter("Tack", "Tack för hjälpen i fredags, det blev bra!", sender="pia@example.org"))
    eva.get("/")
    chosen = ["EX-2026-0001", "EX-2026-0002", "EX-2026-0004"]
    answer = eva.do("/bulk", what="no_answer", reason="thanks", reference=chosen)
    assert "2 behöver inget svar. Gick inte för EX-2026-0001." in answer.text
    assert [office.case(one).state for one in chosen] == [CaseState.OPEN, CaseState.CLOSED, CaseState.CLOSED]
    eva.do("/undo", back="/")
    assert [office.case(one).state for one in chosen] == [CaseState.OPEN] * 3
    assert {one.state.value for one in office.drafts() if one.case_id == 2} == {"superseded", "proposed"}


def test_several_are_dismissed_and_assigned_at_once(office: Office, eva: Person) -> None:
    eva.get("/")
    eva.do("/bulk", what="dismiss", reference=["EX-2026-0003"])
    assert office.case("EX-2026-0003").state is CaseState.DISMISSED
    eva.do("/bulk", what="assign", to="Eva Ek", reference=["EX-2026-0001", "EX-2026-0002"])
    assert set(shown(eva.get("/?mine=1").text)) == {"EX-2026-0001", "EX-2026-0002"}
    assert eva.do("/bulk", what="assign").status_code == 200
    assert "Markera minst ett" in eva.page
    assert eva.post("/bulk", what="explode", reference=["EX-2026-0001"]).status_code == 404


def test_a_second_undo_changes_nothing(office: Office, eva: Person) -> None:
    eva.get("/")
    eva.do("/bulk", what="dismiss", reference=["EX-2026-0003"])
    eva.do("/undo", back="/")
    before = office.rows("SELECT count(*) FROM history")
    eva.do("/undo", back="//evil.example")
    assert office.rows("SELECT count(*) FROM history") == before


def test_the_queue_of_one_company_has_its_own_cases_only(office: Office, app: Any) -> None:
    otto = signed_in(app, "Otto Annan")
    assert shown(otto.get("/?view=all").text) == []
    assert "kontakt@example.se" not in otto.page


@pytest.mark.parametrize(("language", "words"), [("en-GB,en", "To do"), ("sv", "Att göra"), ("fr", "Att göra")])
def test_the_language_of_the_browser_or_of_the_account(office: Office, app: Any, language: str, words: str) -> None:
    eva = signed_in(app, "Eva Ek")
    assert words in eva.client.get("/", headers={"accept-language": language}).text
    eva.get("/account")
    eva.do("/account/language", language="en")
    assert "To do" in eva.client.get("/", headers={"accept-language": language}).text


def test_after_a_case_comes_the_next_and_after_the_last_the_queue(eva: Person) -> None:
    ways = [eva.client.get(f"/cases/EX-2026-000{number}/next").headers["location"] for number in (1, 2, 3)]
    assert ways == ["/cases/EX-2026-0002", "/cases/EX-2026-0003", "/"]


def test_a_gist_is_one_line_without_the_greeting() -> None:
    assert gist("Hej!\n\nJag vill\nveta   mer.") == "Jag vill veta mer."
    assert gist("Hejdå alla") == "Hejdå alla"
    assert gist("") == ""
    assert len(gist("ord " * 200)) < 160


def test_a_place_is_read_as_it_was_written(office: Office) -> None:
    del office
    for moment in (dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC)):
        place = pages.Place(moment, 7)
        assert place_of(cursor(place)) == place


def test_nothing_configured_any_more_is_still_shown(new_office: NewOffice) -> None:
    office = new_office()
    office.receive(access())
    add_person(office, "Eva Ek")
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE mailboxes SET address = 'gammal@example.se'")
    eva = signed_in(app_of(office), "Eva Ek")
    assert shown(eva.get("/").text) == ["EX-2026-0001"]
    assert eva.get("/cases/EX-2026-0001").status_code == 200
