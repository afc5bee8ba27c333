"""Who gets in, and what every answer and every form is held to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Mount
from tests.servers.installation import Office
from tests.web.house import BASE, PASSWORD, Person, add_person, app_of, person_at, signed_in

from inboxbot.cases.values import CaseState
from inboxbot.desk.context import Actor
from inboxbot.desk.enter import Entry, enter
from inboxbot.sorting.kinds import Kind
from inboxbot.store.people import Role, disable_user, find_user
from inboxbot.web.limits import PER_ACCOUNT, PER_ADDRESS, WITHIN_S, Tries
from inboxbot.web.render import own_path
from inboxbot.web.shell import CONTENT_POLICY

PUBLIC = {("GET", "/signin"), ("POST", "/signin")}


def every_route(app: Any) -> list[tuple[str, str]]:
    """Return (method, path) of every route; anything that is no guarded route and not our own files is a failure."""
    found = []
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting += inner.routes
        elif isinstance(route, Mount):
            assert route.path == "/static"
        else:
            assert isinstance(route, APIRoute), route
            found += [(method, route.path) for method in route.methods]
    assert len(found) > 40
    return found


def filled(path: str) -> str:
    return re.sub(r"\{draft_id\}", "1", path.replace("{reference}", "EX-2026-0001"))


def test_every_route_but_the_sign_in_asks_who_is_there(office: Office, app: Any) -> None:
    """E45, E46."""
    client = TestClient(app, base_url=BASE, follow_redirects=False)
    for method, path in every_route(app):
        answer = client.request(method, filled(path), headers={"origin": BASE})
        if (method, path) in PUBLIC:
            assert answer.status_code in (200, 403), path
        elif path.startswith("/api/"):
            assert answer.status_code == 401, path
        else:
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/signin"), path
    assert {draft.state.value for draft in office.drafts()} == {"proposed"}


def test_nothing_of_another_company_is_shown_or_changed(office: Office, app: Any) -> None:
    """E45."""
    otto = signed_in(app, "Otto Annan")
    otto.get("/account")
    case = office.cases()[0]
    before = office.rows("SELECT count(*) FROM history")
    for method, path in every_route(app):
        if "{reference}" not in path or path.startswith("/api/"):
            continue
        real = path.replace("{reference}", case.reference).replace("{draft_id}", str(office.drafts()[0].id))
        real = real.replace("{mail_id}", "1").replace("{number}", "1")
        answer = otto.client.get(real) if method == "GET" else otto.post(real, csrf=otto.field("csrf"))
        assert answer.status_code == 404, (method, path)
        otto.get("/account")
    assert otto.do("/bulk", reference=case.reference, what="dismiss").status_code == 404
    otto.get("/?view=all")
    assert case.reference not in otto.page
    assert office.rows("SELECT count(*) FROM history") == before


def test_staff_may_edit_but_neither_approve_nor_manage_people(office: Office, app: Any) -> None:
    stina = signed_in(app, "Stina Staf")
    draft = office.drafts()[0]
    page = stina.get(f"/cases/{draft.reference}")
    assert f"letters/{draft.id}/edit" in page.text
    assert f"letters/{draft.id}/approve" not in page.text
    assert stina.post(f"/cases/{draft.reference}/letters/{draft.id}/approve").status_code == 403
    stina.get("/account")
    assert stina.client.get("/people").status_code == 403
    assert office.draft(draft.id).state.value == "proposed"


def test_a_form_from_elsewhere_does_nothing(office: Office, eva: Person) -> None:
    """E43, E49."""
    reference = office.cases()[0].reference
    eva.get(f"/cases/{reference}")
    token = eva.field("csrf")
    path, notes = f"/cases/{reference}/note", "SELECT count(*) FROM mails WHERE direction = 'note'"
    for headers, csrf in (
        ({"origin": "https://evil.example"}, token),
        ({"origin": "null"}, token),
        ({}, token),
        ({"sec-fetch-site": "cross-site"}, token),
        ({"origin": BASE}, ""),
        ({"origin": BASE}, token + "x"),
        ({"origin": BASE}, "ä" * 20),
    ):
        sent = eva.client.post(path, data={"csrf": csrf, "words": "nej"}, headers=headers)
        assert sent.status_code == 403, headers
    assert office.rows(notes) == [(0,)]
    assert eva.client.post(path, data={"csrf": token, "words": "ja"}, headers={"origin": BASE}).status_code == 303
    assert office.rows(notes) == [(1,)]


def test_nothing_is_changed_by_looking(office: Office, app: Any, eva: Person) -> None:
    """E44."""
    before = office.rows("SELECT count(*) FROM history"), [one.version for one in office.drafts()]
    for method, path in every_route(app):
        if method == "GET":
            eva.client.get(filled(path))
        else:
            assert eva.client.get(filled(path)).status_code in (200, 303, 404, 405, 403, 401), path
    assert before == (office.rows("SELECT count(*) FROM history"), [one.version for one in office.drafts()])


def test_every_answer_carries_the_headers(eva: Person) -> None:
    """E42, E50, E51."""
    for path in ("/", "/signin", "/nothing", "/cases/NO-1", "/account", "/api/cases", "/static/desk.css"):
        headers = eva.client.get(path).headers
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert ("immutable" in headers["cache-control"]) if "static" in path else headers["cache-control"] == "no-store"
    assert "unsafe" not in CONTENT_POLICY


def test_pages_hold_no_script_and_no_style_of_their_own(office: Office, eva: Person) -> None:
    """E40."""
    for path in ("/", f"/cases/{office.cases()[0].reference}", "/account", "/signin"):
        page = eva.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)|<style|\son\w+=|\sstyle=|javascript:", page), path
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page), path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8026", "", "localhost:8025.evil.example"])
def test_a_foreign_host_is_refused(app: Any, host: str) -> None:
    """E50."""
    assert person_at(app).client.get("/signin", headers={"host": host}).status_code == 400


def test_too_much_is_refused(eva: Person) -> None:
    """E54."""
    eva.get("/")
    answer = eva.client.post("/bulk", content=b"x", headers={"origin": BASE, "content-length": str(10**9)})
    assert answer.status_code == 413
    many = "&".join(f"a{number}=1" for number in range(1000))
    headers = {"origin": BASE, "content-type": "application/x-www-form-urlencoded"}
    assert eva.client.post("/bulk", content=many.encode(), headers=headers).status_code == 400


def test_the_session_is_a_new_one_after_signing_in_and_ends_with_signing_out(app: Any) -> None:
    """E47."""
    eva = person_at(app)
    eva.client.cookies.set("inboxbot", "chosen-by-somebody-else")
    answer = eva.sign_in("  eva   EK ")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("inboxbot="))
    assert "chosen" not in cookie
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    kept = {"inboxbot": cookie.partition("=")[2].partition(";")[0]}
    eva.client.cookies.clear()
    eva.client.cookies.update(kept)
    eva.get("/")
    assert eva.post("/signout").headers["location"] == "/signin"
    eva.client.cookies.clear()
    eva.client.cookies.update(kept)
    assert eva.client.get("/").status_code == 303


def test_the_cookie_is_bound_to_the_host_behind_tls(office: Office) -> None:
    """E47."""
    app = app_of(office, base_url="https://desk.example.se")
    client = TestClient(app, base_url="https://desk.example.se", follow_redirects=False)
    page = client.get("/signin")
    assert page.headers["strict-transport-security"]
    token = re.search(r'name="csrf" value="([^"]*)"', page.text)
    assert token
    fields = {"csrf": token[1], "name": "Eva Ek", "password": PASSWORD}
    answer = client.post("/signin", data=fields, headers={"origin": "https://desk.example.se"})
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-inboxbot="))
    assert "Secure" in cookie


def test_sessions_that_nobody_can_use_any_more_are_removed(office: Office, app: Any, eva: Person) -> None:
    del eva
    office.clock.advance(hours=13)
    signed_in(app, "Ada Admin")
    assert office.rows("SELECT count(*) FROM sessions") == [(1,)]


@pytest.mark.parametrize(("trusted", "counted_apart"), [([], False), (["testclient"], True)])
def test_a_server_in_front_is_believed_only_when_it_is_trusted(
    office: Office, trusted: list[str], counted_apart: bool
) -> None:
    """E59."""
    app = app_of(office, trusted_proxies=trusted)
    for number in range(PER_ADDRESS):
        app.state.site.tries.failed(f"name {number}", "203.0.113.9" if trusted else "testclient")
    guest = person_at(app)
    guest.client.headers["x-forwarded-for"] = "198.51.100.1, 203.0.113.7"
    assert (guest.sign_in("Eva Ek").status_code == 303) is counted_apart


def test_one_case_that_is_not_shown_stops_all_of_them(office: Office, app: Any, new_case_elsewhere: str) -> None:
    stina = signed_in(app, "Stina Staf")
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE users SET companies = '[\"Exempel AB\"]' WHERE name = 'Stina Staf'")
    stina.get("/")
    answer = stina.post("/bulk", what="dismiss", reference=["EX-2026-0003", new_case_elsewhere])
    assert answer.status_code == 404
    assert office.case("EX-2026-0003").state is CaseState.HELD


@pytest.fixture
def new_case_elsewhere(office: Office) -> str:
    """A case of the other company."""
    entry = Entry(received_at=office.clock(), kinds=(Kind.ACCESS,), requester="ulf@example.org")
    made = enter(office.desk, "annat@example.org", entry, actor=Actor("Otto Annan", "terminal"), now=office.clock())
    return made.reference


def test_a_session_ends_after_two_hours_without_a_click(office: Office, eva: Person) -> None:
    """E47."""
    office.clock.advance(minutes=119)
    assert eva.client.get("/").status_code == 200
    office.clock.advance(minutes=121)
    assert eva.client.get("/").status_code == 303


def test_a_session_ends_after_half_a_day_in_any_case(office: Office, eva: Person) -> None:
    """E47."""
    for _ in range(11):
        office.clock.advance(hours=1)
        assert eva.client.get("/").status_code == 200
    office.clock.advance(minutes=61)
    assert eva.client.get("/").status_code == 303


def test_a_clock_that_is_set_back_makes_no_session_eternal(office: Office, eva: Person) -> None:
    """F90, E47."""
    office.clock.advance(days=-30)
    assert eva.client.get("/").status_code == 303


def test_a_closed_account_is_out_at_once(office: Office, eva: Person) -> None:
    """F102."""
    with office.desk.store.write() as connection:
        user = find_user(connection, "Eva Ek")
        assert user
        disable_user(connection, user.id, office.clock())
    assert eva.client.get("/").status_code == 303
    assert eva.sign_in("Eva Ek").status_code == 401


def test_wrong_names_and_wrong_passwords_are_answered_alike(office: Office, app: Any) -> None:
    """E48."""
    add_person(office, "Stängd", Role.STAFF)
    with office.desk.store.write() as connection:
        user = find_user(connection, "Stängd")
        assert user
        disable_user(connection, user.id, office.clock())
    texts = set()
    for name, password in (("Eva Ek", "fel"), ("Ingen", PASSWORD), ("Stängd", PASSWORD), ("Eva Ek", "å" * 5000)):
        answer = person_at(app).sign_in(name, password)
        assert answer.status_code == 401
        texts.add(re.search(r'role="alert">([^<]*)<', answer.text)[1])  # type: ignore[index]
    assert len(texts) == 1


def test_tries_are_limited_for_the_account_and_it_is_told(app: Any) -> None:
    """E48."""
    guesser = person_at(app)
    answers = [guesser.sign_in("Eva Ek", f"gissning {number}").status_code for number in range(PER_ACCOUNT + 1)]
    assert answers == [401] * PER_ACCOUNT + [429]
    assert guesser.sign_in("Eva Ek").status_code == 429
    assert guesser.sign_in("Stina Staf").status_code == 303


def test_tries_are_counted_per_account_and_per_address_and_forgotten_in_time() -> None:
    """E48."""
    moment = 1000.0
    tries = Tries(lambda: moment)
    for number in range(PER_ADDRESS):
        tries.failed(f"name {number}", "192.0.2.1")
    assert tries.wait_s("somebody", "192.0.2.1") == WITHIN_S
    assert tries.wait_s("somebody", "192.0.2.2") == 0
    moment += WITHIN_S + 1
    assert tries.wait_s("somebody", "192.0.2.1") == 0


@pytest.mark.parametrize(
    ("wish", "where"),
    [
        ("/cases/EX-1?a=b", "/cases/EX-1?a=b"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(wish: str, where: str) -> None:
    """E50."""
    assert own_path(wish) == where


def test_a_fault_tells_nothing_of_the_inside(office: Office, eva: Person) -> None:
    """E56."""
    office.desk.store.engine.dispose()
    office.desk.store.url = ""
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE cases RENAME TO cases_gone")
    answer = eva.get("/")
    assert answer.status_code in (500, 503)
    assert "Traceback" not in answer.text
    assert "SELECT" not in answer.text
