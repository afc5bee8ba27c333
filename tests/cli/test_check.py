"""`inboxbot check` finds everything at once, names key or server with a cure, and changes nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.conftest import Install
from tests.servers.dovecot import PASSWORD, Dovecot, free_port
from tests.servers.installation import Installation
from tests.servers.sink import Sink

from inboxbot.config.load import load_settings
from inboxbot.daemon.checks import SAFE_PATCH, check_all, check_database, check_machine
from inboxbot.daemon.findings import Level
from inboxbot.store.engine import Store
from inboxbot.store.schema import upgrade

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def change(place: Installation, old: str, new: str) -> None:
    text = place.config.read_text(encoding="utf-8")
    assert old in text
    place.config.write_text(text.replace(old, new, 1), encoding="utf-8")


def findings(place: Installation, *, code: int) -> list[dict[str, str]]:
    import json

    done = place.run("check", "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] is (code == 0)
    found: list[dict[str, str]] = document["findings"]
    return found


def errors(found: list[dict[str, str]]) -> list[dict[str, str]]:
    return [one for one in found if one["level"] == "error"]


def test_a_good_installation_has_no_errors_and_is_left_as_it_was(
    installation: Install, dovecot: Dovecot, sink: Sink
) -> None:
    place = installation()
    dovecot.append(place.username, [b"Subject: Hej\r\nFrom: anna@example.com\r\n\r\nRadera mig.\r\n"])
    before, files = dovecot.state(place.username), sorted(place.folder.iterdir())
    found = findings(place, code=0)
    told = {(one["area"], one["level"]) for one in found}
    assert {("settings", "ok"), ("database", "ok"), ("imap", "ok"), ("smtp", "ok"), ("templates", "ok")} <= told
    assert {one["what"].partition(":")[0] for one in found if one["area"] == "folder"} == {
        "inbox",
        "junk",
        "sent",
        "drafts",
    }
    assert dovecot.state(place.username) == before
    assert sorted(place.folder.iterdir()) == files
    assert sink.box == []
    table = place.run("check").stdout
    assert "not there yet; it is made at the first start" in table
    assert table.splitlines()[-1].startswith("0 errors, ")


def test_several_problems_are_told_at_once_each_with_its_cure(installation: Install, dovecot: Dovecot) -> None:
    place = installation(password="fel lösen", smtp_port=free_port())
    (place.folder / "inboxbot.db.installed").touch()
    found = errors(findings(place, code=1))
    assert {one["area"] for one in found} == {"imap", "smtp", "database"}
    by_area = {one["area"]: one for one in found}
    assert "sign-in was refused" in by_area["imap"]["what"]
    assert "company[1].mailbox[1].imap.username" in by_area["imap"]["cure"]
    assert f"127.0.0.1:{place.smtp_port}" in by_area["smtp"]["where"]
    assert "nothing listens there" in by_area["smtp"]["what"]
    assert "the database is gone" in by_area["database"]["what"]
    assert not (place.folder / "inboxbot.db").exists()
    table = place.run("check", check=False).stdout
    assert table.splitlines()[-1].startswith("3 errors, ")
    assert "fel lösen" not in table


def test_missing_folders_that_are_named_are_errors_and_none_hides_another(installation: Install) -> None:
    place = installation()
    change(
        place,
        "[company.mailbox.smtp]",
        '[company.mailbox.folders]\nsent = "Utgått"\njunk = "Sopor"\n[company.mailbox.smtp]',
    )
    found = findings(place, code=1)
    assert [one["area"] for one in errors(found)] == ["folder", "folder"]
    text = " ".join(one["what"] + one["cure"] for one in errors(found))
    for word in (
        "Utgått",
        "Sopor",
        "company[1].mailbox[1].folders.sent",
        "company[1].mailbox[1].folders.junk",
        "Skickat",
    ):
        assert word in text
    assert any(one["what"].startswith("inbox: INBOX") for one in found)


def test_a_folder_that_is_not_found_by_itself_is_a_warning(installation: Install, dovecot: Dovecot) -> None:
    place = installation()
    connection = dovecot.imap(place.username)
    for name in ("Skickat", "Utkast"):
        connection.delete(name)
    connection.logout()
    found = findings(place, code=0)
    warned = [one["what"] for one in found if (one["area"], one["level"]) == ("folder", "warning")]
    there = {one["what"].partition(":")[0] for one in found if (one["area"], one["level"]) == ("folder", "ok")}
    assert len(warned) + len(there) == 4
    assert "inbox" in there


def test_a_certificate_that_is_not_trusted_names_the_key(installation: Install, dovecot: Dovecot) -> None:
    place = installation(imap_port=dovecot.tls_port)
    change(place, 'security = "none"', 'security = "tls"')
    (found,) = errors(findings(place, code=1))
    assert "certificate" in found["what"]
    assert "company[1].mailbox[1].imap.ca_file" in found["cure"]
    once = place.run("once", check=False)
    assert once.returncode == 1
    assert "certificate" in once.stderr
    assert f"127.0.0.1:{dovecot.tls_port}" in once.stderr
    change(place, 'security = "tls"', f'security = "tls"\nca_file = "{dovecot.certificate}"')
    assert errors(findings(place, code=0)) == []


def test_encryption_where_the_mail_server_for_sending_has_none(installation: Install) -> None:
    place = installation()
    head, _, tail = place.config.read_text(encoding="utf-8").rpartition('security = "none"')
    for security, word in (("tls", "encrypted"), ("starttls", "STARTTLS")):
        place.config.write_text(f'{head}security = "{security}"{tail}', encoding="utf-8")
        (found,) = errors(findings(place, code=1))
        assert found["area"] == "smtp"
        assert word in found["what"]
        assert "company[1].mailbox[1].smtp.security" in found["cure"]


class _AnyPort(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def sending_server() -> Iterator[int]:
    """Run an SMTP server that wants a sign-in, and give its port."""

    def judge(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    controller = _AnyPort(Sink(), hostname="127.0.0.1", port=0, authenticator=judge, auth_require_tls=False)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def test_the_sign_in_for_sending_is_tried(installation: Install) -> None:
    with sending_server() as port:
        good = installation(smtp_port=port)
        assert any("signed in as" in one["what"] for one in findings(good, code=0) if one["area"] == "smtp")
        wrong = installation(smtp_port=port)
        (wrong.folder / "other").write_text("fel\n", encoding="utf-8")
        (wrong.folder / "other").chmod(0o600)
        wrong.config.write_text(
            wrong.config.read_text(encoding="utf-8") + 'password_file = "other"\n', encoding="utf-8"
        )
        (found,) = errors(findings(wrong, code=1))
        assert (found["area"], "sign-in was refused" in found["what"]) == ("smtp", True)
        assert "company[1].mailbox[1].smtp.username" in found["cure"]


def test_wrong_settings_are_exit_code_2_and_the_machine_is_looked_at_all_the_same(tmp_path: Path) -> None:
    place = Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    change(place, "556000-0001", "556000-0002")
    change(place, "password_file", "pasword_file")
    found = findings(place, code=2)
    assert [one["where"].rpartition(": ")[2] for one in errors(found)] == [
        "company[1].mailbox[1].imap.pasword_file",
        "company[1].organisation_number",
    ]
    assert {"python", "user", "clock"} <= {one["area"] for one in found}


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    place = Installation(
        folder=tmp_path, imap_port=silent.getsockname()[1], smtp_port=free_port(), username="k", password="h"
    )
    taken: list[socket.socket] = []
    accepting = threading.Thread(target=lambda: taken.append(silent.accept()[0]), daemon=True)
    accepting.start()
    found = check_all(load_settings(place.config), place.config, now=NOW, limit_s=0.5)
    accepting.join(10)
    for one in (*taken, silent):
        one.close()
    told = {one.area: one for one in found if one.level is Level.ERROR}
    assert "did not come to an end within 0.5 s" in told["imap"].what
    assert "nothing listens there" in told["smtp"].what


# --- the database and the machine, without servers ----------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    return Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")


def made(place: Installation) -> Path:
    store = Store("sqlite:///inboxbot.db", folder=place.folder)
    upgrade(store, now=NOW)
    store.close()
    return place.folder / "inboxbot.db"


def database_levels(place: Installation, *, now: dt.datetime = NOW) -> dict[str, str]:
    found = check_database(load_settings(place.config), now=now)
    return {f"{one.area} {one.level.value}": one.what + one.cure for one in found if one.area != "disk"}


def test_a_good_database(place: Installation) -> None:
    made(place)
    assert set(database_levels(place)) == {"database ok"}


def test_a_database_that_others_can_read(place: Installation) -> None:
    """E70."""
    made(place).chmod(0o644)
    assert "chmod 600" in database_levels(place)["database error"]


def test_a_database_of_a_newer_program(place: Installation) -> None:
    with contextlib.closing(sqlite3.connect(made(place))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert "newer than this program" in database_levels(place)["database error"]


def test_a_file_that_is_no_database(place: Installation) -> None:
    (place.folder / "inboxbot.db").write_bytes(b"not a database, but long enough to be taken for one " * 100)
    (place.folder / "inboxbot.db").chmod(0o600)
    assert set(database_levels(place)) == {"database error"}


def test_an_emptied_database_in_the_place_of_the_real_one(place: Installation) -> None:
    (place.folder / "inboxbot.db").touch(mode=0o600)
    assert "empty" in database_levels(place)["database ok"]
    (place.folder / "inboxbot.db.installed").touch()
    assert "empty" in database_levels(place)["database error"]


def test_a_folder_that_is_not_there(place: Installation) -> None:
    change(place, "sqlite:///inboxbot.db", "sqlite:///nowhere/inboxbot.db")
    assert "does not exist" in database_levels(place)["database error"]


def test_a_clock_behind_the_newest_entry(place: Installation) -> None:
    """F90."""
    with contextlib.closing(sqlite3.connect(made(place))) as connection:
        moment = "2026-11-22 12:00:00.000000"
        connection.execute(
            "INSERT INTO mailboxes (id, address, company) VALUES (1, 'kontakt@example.se', 'Exempel AB')"
        )
        connection.execute(
            "INSERT INTO folders (id, mailbox_id, name, role, uidvalidity, uidnext, uid_mark, baseline_uid)"
            " VALUES (1, 1, 'INBOX', 'inbox', 1, 1, 0, 0)"
        )
        connection.execute(
            "INSERT INTO ledger (id, folder_id, uidvalidity, uid, digest, size, received_at, fetched_at, state, reason)"
            " VALUES (1, 1, 1, 1, 'x', 1, ?, ?, 'ordinary', 'ordinary')",
            (moment, moment),
        )
        connection.commit()
    assert set(database_levels(place)) == {"database ok"}
    late = database_levels(place, now=NOW - dt.timedelta(days=1))
    assert "before the newest entry" in late["clock error"]


def test_a_password_in_the_address_of_the_database(place: Installation) -> None:
    """E71."""
    change(place, "sqlite:///inboxbot.db", f"postgresql+psycopg://anna:hemligt@127.0.0.1:{free_port()}/inboxbot")
    place.config.chmod(0o644)
    found = check_all(load_settings(place.config), place.config, now=NOW, limit_s=10)
    told = [one for one in found if one.level is Level.ERROR]
    assert any("database's password" in one.what for one in told)
    assert any(one.area == "database" for one in told)
    assert all("hemligt" not in one.what + one.where + one.cure for one in told)


@pytest.mark.parametrize(
    ("version", "user", "now", "levels"),
    [
        ((3, 11, SAFE_PATCH[3, 11]), 1000, NOW, ["ok", "ok", "ok", "ok"]),
        ((3, 11, SAFE_PATCH[3, 11] - 1), 0, NOW, ["warning", "ok", "warning", "ok"]),
        ((3, 99, 0), 1, dt.datetime(1970, 1, 2, tzinfo=dt.UTC), ["ok", "ok", "ok", "error"]),
    ],
)
def test_the_machine(version: tuple[int, int, int], user: int, now: dt.datetime, levels: list[str]) -> None:
    found = check_machine(now=now, version=version, user=user)
    assert [one.area for one in found] == ["python", "judge", "user", "clock"]
    assert [one.level.value for one in found] == levels
    assert all(bool(one.cure) == (one.level is not Level.OK) for one in found)
