"""What the tests of the web desk share: an office with accounts, and people who click in it."""

from __future__ import annotations

import base64
import email
import hashlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from tests.servers.installation import Office
from tests.servers.writing import fresh_id

from inboxbot.config.model import WebSettings
from inboxbot.desk.originals import GoneError
from inboxbot.reading.headers import split_header
from inboxbot.reading.html_shown import ShownPage, show_page
from inboxbot.reading.read import raw_of
from inboxbot.store.ledger import Place
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


HTML = (
    "<html><body><p style='color:#a00'>Hej, jag vill ha ett <b>registerutdrag</b> enligt artikel 15.</p>"
    "<img src='http://tracker.example/p.gif'><script>document.title='ojsan'</script>"
    "<a href='https://evil.example/login'>Logga in</a></body></html>"
)


def with_files(*files: tuple[str, str, bytes], html: str = HTML) -> bytes:
    """Return a request with HTML and files, each (name as the header spells it, type, bytes)."""
    lines = [
        "From: Anna Berg <anna.berg@example.org>", "To: kontakt@example.se", "Subject: Mina uppgifter",
        f"Message-ID: {fresh_id()}", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=gr1", "",
        "--gr1", "Content-Type: multipart/alternative; boundary=gr2", "",
        "--gr2", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
        "Hej, jag vill ha ett registerutdrag enligt artikel 15.", "",
        "--gr2", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", html, "--gr2--",
    ]  # fmt: skip
    for name, kind, content in files:
        lines += ["--gr1", f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
        lines += [f"Content-Disposition: attachment; {name}", "", base64.encodebytes(content).decode().strip()]
    return "\r\n".join([*lines, "--gr1--", ""]).replace("\r\n", "\n").replace("\n", "\r\n").encode()


class Remembered:
    """Mails as they lie in a mailbox, without a server: those handed over, known by the digest of their header."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = {hashlib.sha256(split_header(one)[0]).hexdigest(): one for one in messages}

    def page(self, mailbox: str, at: Sequence[Place]) -> ShownPage | None:
        return show_page(raw_of(self._message(at)))

    def file(self, mailbox: str, at: Sequence[Place], part: str, limit: int) -> bytes:
        mail = email.message_from_bytes(self._message(at))
        for number in part.split("."):
            mail = mail.get_payload(int(number) - 1)  # type: ignore[assignment]
        content = mail.get_payload(decode=True)
        assert isinstance(content, bytes)
        return content[:limit]

    def _message(self, at: Sequence[Place]) -> bytes:
        found = next((self.messages[one.digest] for one in at if one.digest in self.messages), None)
        if found is None:
            raise GoneError("the mail does not lie in the mailbox any more")
        return found


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
