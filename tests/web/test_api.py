"""The JSON API: the same verbs, with a token."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.servers.installation import Office
from tests.web.house import BASE, person_at, signed_in


def token_of(app: Any, name: str) -> str:
    person = signed_in(app, name)
    person.get("/account")
    person.post("/account/tokens", name="skript")
    found = re.search(r"<code>(ib_[^<]+)</code>", person.page)
    assert found
    return found[1]


@pytest.fixture
def client(app: Any) -> TestClient:
    return TestClient(app, base_url=BASE, headers={"authorization": f"Bearer {token_of(app, 'Eva Ek')}"})


def test_cases_and_letters(office: Office, client: TestClient) -> None:
    listed = client.get("/api/cases").json()
    assert listed["next"] is None
    assert [one["reference"] for one in listed["cases"]] == ["EX-2026-0001", "EX-2026-0002", "EX-2026-0003"]
    shown = client.get("/api/cases/EX-2026-0001").json()
    assert shown["requests"][0]["kind"] == "access"
    letter = client.get(f"/api/drafts/{shown['drafts'][0]['id']}").json()
    assert letter["checks"] == []
    assert client.get("/api/drafts/999").status_code == 404


def test_edit_approve_recall_decline_and_note(office: Office, client: TestClient) -> None:
    letter = client.get("/api/drafts/1").json()
    seen = {"version": letter["version"], "digest": letter["digest"]}
    body = office.draft(1).body.replace("Hej", "God dag")
    assert client.post("/api/drafts/1/edit", json={"version": letter["version"], "body": body}).status_code == 200
    assert client.post("/api/drafts/1/edit", json={"version": letter["version"], "body": "x"}).status_code == 409
    assert client.post("/api/drafts/1/approve", json=seen).status_code == 409
    letter = client.get("/api/drafts/1").json()
    approved = client.post("/api/drafts/1/approve", json={name: letter[name] for name in ("version", "digest")})
    assert approved.status_code == 200, approved.json()
    assert approved.json()["digest"] == office.draft(1).digest
    assert client.post("/api/drafts/1/recall").json()["state"] == "proposed"
    assert client.post("/api/drafts/1/decline").json()["state"] == "declined"
    assert client.post("/api/cases/EX-2026-0001/notes", json={"words": "från ett program"}).status_code == 201
    assert ("noted", "Eva Ek", "web") in office.rows("SELECT event, actor, door FROM history")


def test_wrong_bodies_are_refused_without_an_echo(client: TestClient) -> None:
    for body in ({"words": 5}, {"words": "a", "extra": "hemligt"}, {}):
        answer = client.post("/api/cases/EX-2026-0001/notes", json=body)
        assert answer.status_code == 400
        assert "hemligt" not in answer.text


def test_a_token_is_no_more_than_its_account(office: Office, app: Any) -> None:
    staff = {"authorization": f"Bearer {token_of(app, 'Stina Staf')}"}
    other = {"authorization": f"Bearer {token_of(app, 'Otto Annan')}"}
    client = TestClient(app, base_url=BASE)
    assert client.post("/api/drafts/1/approve", json={"version": 1, "digest": "x"}, headers=staff).status_code == 403
    assert client.get("/api/cases", headers=other).json()["cases"] == []
    for method, path in (
        ("GET", "/api/cases/EX-2026-0001"),
        ("GET", "/api/drafts/1"),
        ("POST", "/api/drafts/1/recall"),
        ("POST", "/api/drafts/1/decline"),
        ("POST", "/api/cases/EX-2026-0001/notes"),
        ("POST", "/api/drafts/1/edit"),
        ("POST", "/api/drafts/1/approve"),
    ):
        body = (
            {"words": "x"}
            if "notes" in path
            else {"version": 1, "digest": "x"}
            if "approve" in path
            else {"version": 1}
        )
        answer = client.request(method, path, headers=other, json=body if method == "POST" else None)
        assert answer.status_code == 404, path


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ib_wrong", "Basic x", "Bearer åäö"])
def test_without_a_token_there_is_nothing(app: Any, header: str) -> None:
    client = TestClient(app, base_url=BASE)
    headers = {"authorization": header.encode()} if header else {}
    assert client.get("/api/cases", headers=headers).status_code == 401


def test_a_session_of_a_browser_opens_no_api(app: Any) -> None:
    eva = signed_in(app, "Eva Ek")
    assert eva.client.get("/api/cases").status_code == 401


def test_a_withdrawn_token_is_none(app: Any) -> None:
    token = token_of(app, "Eva Ek")
    eva = signed_in(app, "Eva Ek")
    eva.get("/account")
    eva.do("/account/tokens/drop", id=eva.field("id"))
    assert person_at(app).client.get("/api/cases", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_it_describes_itself(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert "/api/drafts/{draft_id}/approve" in described["paths"]
    assert described["security"] == [{"token": []}]
