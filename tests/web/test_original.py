"""A mail as it lies in its mailbox, over Dovecot: its HTML in a frame, its files as downloads, and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from tests.doors.conftest import Opened
from tests.doors.mail_program import MailProgram
from tests.servers.installation import Office
from tests.servers.writing import access
from tests.web.house import BASE, OTHER_COMPANY, Person, add_person, signed_in, with_files

from inboxbot.config.model import WebSettings
from inboxbot.daemon.originals import MailboxOriginals
from inboxbot.reading.attachments import clean_name
from inboxbot.store.history import load_history
from inboxbot.store.people import Role
from inboxbot.web.app import build_app
from inboxbot.web.original import disposition

Open = Callable[..., Opened]
PDF = b"%PDF-1.4 inget farligt\r\n" * 40


@pytest.fixture
def desk(shared_mailbox: Open, pool: Any) -> Callable[..., tuple[Office, MailProgram, Person]]:
    """Take mails from Dovecot and give the desk with somebody signed in who may read them as they lie there."""

    def open_desk(*messages: bytes) -> tuple[Office, MailProgram, Person]:
        office, program = shared_mailbox(mailbox_lines="", more=OTHER_COMPANY)
        office.installation.sound = False  # mails are taken away, and rows changed past the desk
        for one in messages:
            program.save(one, "INBOX")
        office.once()
        add_person(office, "Eva Ek", Role.STAFF, "Exempel AB")
        add_person(office, "Otto Annan", Role.ADMIN, "Annat AB")
        app = build_app(
            office.desk, now=office.clock, settings=WebSettings(), originals=MailboxOriginals(office.desk, pool)
        )
        return office, program, signed_in(app, "Eva Ek")

    return open_desk


def fetched(office: Office) -> list[tuple[str, str, dict[str, Any]]]:
    with office.desk.store.read() as connection:
        return [
            (one["actor"], one["door"], one["detail"])
            for one in load_history(connection, 1)
            if one["event"] == "file_fetched"
        ]


def test_the_html_is_shown_in_a_frame_that_can_do_nothing(desk: Any) -> None:
    _, _, eva = desk(with_files())
    eva.get("/cases/EX-2026-0001")
    assert 'href="/cases/EX-2026-0001/mails/1/as-sent"' in eva.page
    assert "registerutdrag" in eva.page
    page = eva.get("/cases/EX-2026-0001/mails/1/as-sent")
    assert '<iframe sandbox referrerpolicy="no-referrer"' in page.text
    assert "tracker.example" not in page.text
    answer = eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame")
    assert "registerutdrag</b>" in answer.text
    assert "https://evil.example/login›" in answer.text
    for forbidden in ("<script", "tracker", "<img", "href", "http://"):
        assert forbidden not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["cache-control"] == "no-store"


def test_a_file_is_a_download_and_stands_in_the_history(desk: Any) -> None:
    office, _, eva = desk(with_files(('filename="utdrag.pdf"', "application/pdf", PDF)))
    page = eva.get("/cases/EX-2026-0001").text
    assert "utdrag.pdf" in page
    assert "skadlig kod" in page
    answer = eva.post("/cases/EX-2026-0001/mails/1/files/1")
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename=\"utdrag.pdf\"; filename*=UTF-8''utdrag.pdf"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert fetched(office) == [("Eva Ek", "web", {"mail": 1, "part": "2"})]
    assert "fil hämtad" in eva.get("/cases/EX-2026-0001").text


def test_nobody_else_gets_it_and_never_by_a_link(desk: Any) -> None:
    office, _, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)), access("Bo Ek"))
    path = "/cases/EX-2026-0001/mails/1/files/1"
    assert eva.client.get(path).status_code == 405
    eva.get("/cases/EX-2026-0001")
    assert eva.post(path, csrf="wrong").status_code == 403
    for wrong in ("mails/1/files/2", "mails/1/files/0", "mails/2/files/1", "mails/99/files/1"):
        eva.get("/cases/EX-2026-0001")
        assert eva.post(f"/cases/EX-2026-0001/{wrong}").status_code == 404
    assert eva.get("/cases/EX-2026-0001/mails/2/as-sent").status_code == 404
    assert eva.get("/cases/EX-2026-0001/mails/2/as-sent/frame").status_code == 404
    otto = signed_in(eva.client.app, "Otto Annan")
    otto.get("/")
    otto.page = otto.get("/account").text
    assert otto.post(path).status_code == 404
    for page in ("as-sent", "as-sent/frame"):
        assert otto.get(f"/cases/EX-2026-0001/mails/1/{page}").status_code == 404
    nobody = TestClient(eva.client.app, base_url=BASE, follow_redirects=False)
    assert nobody.get("/cases/EX-2026-0001/mails/1/as-sent/frame").headers["location"].startswith("/signin")
    assert fetched(office) == []


def test_a_mail_that_is_gone_is_told_in_words(desk: Any) -> None:
    office, program, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)))
    program.delete("INBOX")
    program.save(access("Någon Annan"), "INBOX")
    eva.get("/cases/EX-2026-0001")
    answer = eva.post("/cases/EX-2026-0001/mails/1/files/1")
    assert answer.status_code == 409
    assert "Mejlet ligger inte kvar i brevlådan" in answer.text
    frame = eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame")
    assert "Mejlet ligger inte kvar i brevlådan" in frame.text
    assert fetched(office) == []


def test_another_message_under_the_same_number_is_not_taken_for_it(desk: Any) -> None:
    office, _, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)), with_files(html="<p>Helt annat"))
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET uid = 99 WHERE id = 2")
        connection.exec_driver_sql("UPDATE ledger SET uid = 2 WHERE id = 1")
    assert "Mejlet ligger inte kvar" in eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame").text


def test_a_mail_in_another_watched_folder_is_found_there(desk: Any) -> None:
    message = with_files(("filename=a.pdf", "application/pdf", PDF))
    office, program, eva = desk(message)
    program.delete("INBOX")
    program.save(message, "INBOX")
    office.once()
    eva.get("/cases/EX-2026-0001")
    assert eva.post("/cases/EX-2026-0001/mails/1/files/1").content == PDF


def test_a_mailbox_that_does_not_answer_is_told_in_words(desk: Any) -> None:
    office, _, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)))
    with office.desk.store.write() as connection:  # the other company's server: nothing listens there
        connection.exec_driver_sql(
            "UPDATE cases SET mailbox_id = (SELECT id FROM mailboxes WHERE company = 'Annat AB')"
        )
    eva = signed_in(eva.client.app, "Otto Annan")
    eva.get("/cases/EX-2026-0001")
    answer = eva.post("/cases/EX-2026-0001/mails/1/files/1")
    assert answer.status_code == 503
    assert "Brevlådan svarar inte just nu" in answer.text
    assert "Brevlådan svarar inte just nu" in eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame").text


def test_a_mailbox_that_is_configured_no_more_is_told_in_words(desk: Any) -> None:
    office, _, eva = desk(with_files())
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE mailboxes SET address = 'gammal@example.se' WHERE company = 'Exempel AB'")
    frame = eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame")
    assert (frame.status_code, "inte längre i inställningarna" in frame.text) == (200, True)


def test_what_cannot_be_shown_safely_is_told_in_words(desk: Any) -> None:
    _, _, eva = desk(with_files(html="<div>" * 400 + "x"), access("Bo Ek"))
    assert "för krångligt" in eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame").text
    assert "as-sent" not in eva.get("/cases/EX-2026-0002").text
    assert "ingen egen utformning" in eva.get("/cases/EX-2026-0002/mails/2/as-sent/frame").text


def test_content_that_retention_emptied_does_not_come_back(desk: Any) -> None:
    office, _, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)))
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE mails SET header = x'', detail = '{}'")
    page = eva.get("/cases/EX-2026-0001").text
    assert "as-sent" not in page
    assert "a.pdf" not in page
    assert eva.get("/cases/EX-2026-0001/mails/1/as-sent/frame").status_code == 404
    eva.get("/cases/EX-2026-0001")
    assert eva.post("/cases/EX-2026-0001/mails/1/files/1").status_code == 404


def test_a_file_that_is_too_large_is_not_fetched(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from inboxbot.desk import originals

    office, _, eva = desk(with_files(("filename=a.pdf", "application/pdf", PDF)))
    monkeypatch.setattr(originals, "MAX_ENCODED", 100)
    eva.get("/cases/EX-2026-0001")
    answer = eva.post("/cases/EX-2026-0001/mails/1/files/1")
    assert answer.status_code == 409
    assert "för stor" in answer.text
    assert fetched(office) == []


HOSTILE = (
    'filename="../../etc/passwd"', "filename=/etc/passwd", 'filename="C:\\\\windows\\\\x.exe"',
    "filename*=utf-8''a%00b%0d%0aSet-Cookie%3a%20x.pdf", f'filename="{"å" * 4000}.pdf"', 'filename="a\u202efdp.exe"',
    "filename=CON", 'filename=""', "filename=...", "filename*=utf-8''rad%0arad.txt", 'filename="<script>x.html"',
    "filename*0*=utf-8''a%22%3b; filename*1=\"b.pdf\"", "filename=same.pdf", "filename=same.pdf",
)  # fmt: skip


def test_hostile_names_are_cleaned_wherever_they_go(desk: Any) -> None:
    files = [(name, "text/html", f"<script>{number}</script>".encode()) for number, name in enumerate(HOSTILE)]
    office, _, eva = desk(with_files(*files))
    page = eva.get("/cases/EX-2026-0001").text
    assert page.count("/files/") == len(HOSTILE)
    assert "<script>x" not in page
    for number, (_, _, content) in enumerate(files, 1):
        eva.get("/cases/EX-2026-0001")
        answer = eva.post(f"/cases/EX-2026-0001/mails/1/files/{number}")
        assert answer.content == content
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "set-cookie" not in answer.headers
        told = answer.headers["content-disposition"]
        assert told.isascii()
        assert told.startswith('attachment; filename="')
        assert not set(told.partition('"')[2].partition('"')[0]) & set("/\\:<>|?*%\r\n\x00")
        assert not told.partition('"')[2].startswith(".")
    assert len(fetched(office)) == len(HOSTILE)


@pytest.mark.parametrize("name", ["utdrag.pdf", "årsbesked 2026 (1).pdf", "a;b=c.txt", "it's.txt"])
def test_a_name_comes_through_as_it_is(name: str) -> None:
    assert disposition(clean_name(name, "application/pdf")).endswith(f"filename*=UTF-8''{quote(name, safe='')}")


def test_the_terminal_lists_and_fetches_them(desk: Any, tmp_path: Any) -> None:
    office, _, _ = desk(with_files(('filename="utdrag.pdf"', "application/pdf", PDF)))
    (listed,) = office.installation.json("cases", "attachment", "EX-2026-0001")
    assert (listed["number"], listed["name"], listed["type"]) == (1, "utdrag.pdf", "application/pdf")
    office.installation.run("cases", "attachment", "EX-2026-0001", "1", "-o", str(tmp_path), "--by", "Eva Ek")
    assert (tmp_path / "utdrag.pdf").read_bytes() == PDF
    assert (tmp_path / "utdrag.pdf").stat().st_mode & 0o777 == 0o600
    again = office.installation.run("cases", "attachment", "EX-2026-0001", "1", "-o", str(tmp_path), check=False)
    assert (again.returncode, "there is a file already" in again.stderr) == (2, True)
    assert office.installation.run("cases", "attachment", "EX-2026-0001", "2", check=False).returncode == 2
    assert fetched(office) == [("Eva Ek", "terminal", {"mail": 1, "part": "2"})]
