"""What the tests of the web desk share: an office with accounts, and people who click in it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from tests.servers.installation import Office

from inboxbot.config.model import WebSettings
from inboxbot.store.people import EVERY_COMPANY, Role, add_user
from inboxbot.web.app import build_app
from inboxbot.web.passwords import hash_password

BASE = "http://127.0.0.1:8025"
PASSWORD = "en lång mening som ingen gissar"
KEPT = hash_password(PASSWORD)
OTHER_COMPANY = """
[[company]]
name = "Annat AB"
organisation_number = "556000-0019"
reference_prefix = "AN"
[[company.mailbox]]
address = "annat@example.org"
promise_hours = 24
start = "beginning"
[company.mailbox.imap]
host = "127.0.0.1"
port = 9
security = "none"
username = "annat"
password_file = "imap-password"
[company.mailbox.smtp]
host = "127.0.0.1"
port = 9
security = "none"
"""
SYSTEMS = """
data_categories = ["namn och adress"]
[[company.systems]]
name = "Webbutiken"
holds = "konto och beställningar"
purpose = "att leverera det du har beställt"
retention = "så länge du har ett konto"
source = "dig själv"
[[company.recipients]]
name = "Frakt AB"
role = "processor"
purpose = "leverans"
"""


def add_person(office: Office, name: str, role: Role = Role.APPROVER, *companies: str) -> None:
    """Make an account with `PASSWORD`."""
    with office.desk.store.write() as connection:
        add_user(
            connection,
            name,
            role=role,
            companies=list(companies) or [EVERY_COMPANY],
            password=KEPT,
            now=office.clock(),
        )


def app_of(office: Office, **settings: Any) -> Any:
    return build_app(office.desk, now=office.clock, settings=WebSettings(**settings))


@dataclass
class Person:
    """Somebody at a browser without JavaScript."""

    client: TestClient
    page: str = ""

    def get(self, path: str) -> Response:
        answer = self.client.get(path)
        self.page = answer.text
        return answer

    def post(self, path: str, *, csrf: str | None = None, **fields: Any) -> Response:
        """Send a form of the page that was shown last."""
        files = fields.pop("files", None)
        token = self.field("csrf") if csrf is None else csrf
        answer = self.client.post(path, data={"csrf": token, **fields}, files=files, headers={"origin": BASE})
        if answer.status_code != 303:
            self.page = answer.text
        return answer

    def do(self, path: str, **fields: Any) -> Response:
        """Send a form and follow where it leads."""
        answer = self.post(path, **fields)
        if answer.status_code == 303:
            return self.get(answer.headers["location"])
        return answer

    def field(self, name: str, after: str = "") -> str:
        """Return the value of a hidden field, the first one after some words of the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page[self.page.index(after) :])
        assert found, f"no field {name}"
        return html.unescape(found[1])

    def sign_in(self, name: str, password: str = PASSWORD, **fields: Any) -> Response:
        self.get("/signin")
        return self.post("/signin", name=name, password=password, **fields)

    def approve(self, reference: str, letter: int, **fields: Any) -> Response:
        """Approve a letter as the page shows it now."""
        return self.do(f"/cases/{reference}/letters/{letter}/approve", **{**self.seen(letter), **fields})

    def seen(self, letter: int) -> dict[str, str]:
        """Return what the form of a letter says was looked at."""
        after = f'letters/{letter}/approve"'
        return {name: self.field(name, after) for name in ("version", "seen", "words")}


def person_at(app: Any) -> Person:
    return Person(TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False))


def signed_in(app: Any, name: str) -> Person:
    person = person_at(app)
    assert person.sign_in(name).status_code == 303
    return person
