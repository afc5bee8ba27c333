"""The commands as people and cron run them: real child processes on a real mailbox."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from tests.conftest import Install
from tests.servers.dovecot import Dovecot, free_port
from tests.servers.installation import Installation

from inboxbot.cli.reasons import in_words
from inboxbot.store import schema
from inboxbot.store.engine import Store

ESCAPES = "\x1b[31m\x1b]0;pwned\x07\x9b2J\u202eedoc\u2066"


def mail(subject: str, text: str, *, sender: str = "Anna Berg <anna@example.com>", number: int = 1) -> bytes:
    return (
        f"From: {sender}\r\nTo: kontakt@example.se\r\nSubject: {subject}\r\nMessage-ID: <{number}@mail.example.com>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


@pytest.mark.parametrize("trouble", ["login", "folder", "server"])
def test_a_mailbox_that_cannot_be_served_is_one_clear_message_and_exit_code_1(
    installation: Install, dovecot: Dovecot, trouble: str
) -> None:
    fields = {"login": {"password": "fel lösen"}, "server": {"imap_port": free_port()}}.get(trouble, {})
    lines = '[company.mailbox.folders]\nsent = "Utgått"' if trouble == "folder" else ""
    place = installation(**fields)
    place.config.write_text(f"{place.config.read_text(encoding='utf-8')}\n{lines}\n", encoding="utf-8")
    done = place.run("once", check=False)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("127.0.0.1:")]
    words = {
        "login": ("sign-in was refused", "company[1].mailbox[1].imap.username"),
        "folder": ("Utgått", "folders.sent"),
        "server": ("nothing listens there", "company[1].mailbox[1].imap.port"),
    }[trouble]
    assert len(told) == 1
    assert all(word in told[0] for word in words)
    assert "Traceback" not in done.stderr
    document = json.loads(place.run("once", "--json", check=False).stdout)
    assert [error["mailbox"] for error in document["errors"]] == ["kontakt@example.se"]
    assert document["taken"] == 0


def test_nothing_a_mail_says_reaches_the_terminal_as_a_command(installation: Install, dovecot: Dovecot) -> None:
    """E82."""
    place = installation()
    dovecot.append(
        place.username,
        [
            mail(f"Radera mig {ESCAPES}", f"Radera alla mina uppgifter. {ESCAPES}"),
            mail(
                f"Hej {ESCAPES}", f"Hur dags öppnar ni? {ESCAPES}", sender=f'"Bo {ESCAPES}" <bo@example.com>', number=2
            ),
            mail("Hej", "Hej", sender=f"{ESCAPES}", number=3),
        ],
    )
    assert place.json("once")["taken"] == 3
    references = [case["reference"] for case in place.json("cases", "list")]
    letters = [str(draft["id"]) for draft in place.json("drafts", "list")]
    assert references
    assert letters
    commands = [["cases", "list"], ["drafts", "list"], ["ledger"], ["status"], ["drafts", "show", letters[0]]]
    commands += [["cases", "show", reference] for reference in references]
    for words in commands:
        text = place.run(*words, check=False).stdout
        assert text
        assert not {letter for letter in text if letter in "\x1b\x07\x9b\u202e\u2066"}, words
    assert any("Radera alla mina uppgifter." in place.run("cases", "show", one).stdout for one in references)


def test_the_ledger_tells_every_message_newest_first_and_why(installation: Install, dovecot: Dovecot) -> None:
    place = installation(promise_hours=None, start="now")
    dovecot.append(place.username, [mail("Gammalt", "Hej", number=9)])
    assert place.json("once")["taken"] == 0
    dovecot.append(
        place.username,
        [mail("Radera", "Radera alla mina personuppgifter.", number=1), mail("Öppettider", "När öppnar ni?", number=2)],
    )
    assert place.json("once")["taken"] == 2
    rows = place.json("ledger")
    assert [(one["subject"], one["state"]) for one in rows] == [("Öppettider", "ordinary"), ("Radera", "case")]
    assert rows[1]["case"] == place.json("cases", "list")[0]["reference"]
    assert all(one["because"] == in_words(one["reason"]) for one in rows)
    assert dt.datetime.fromisoformat(rows[0]["received_at"]).tzinfo is not None
    assert [one["state"] for one in place.json("ledger", "--state", "ordinary")] == ["ordinary"]
    assert len(place.json("ledger", "--limit", "1")) == 1
    assert [one["state"] for one in place.json("ledger", "--older")][-1] == "baseline"
    assert [one["state"] for one in place.json("ledger", "--state", "baseline")] == ["baseline"]
    text = place.run("ledger").stdout
    assert "a right is asked for" in text
    assert "Öppettider" in text


def test_status_tells_what_waits_and_fails_when_a_promise_is_broken(installation: Install, dovecot: Dovecot) -> None:
    """F67."""
    place = installation()
    empty = place.json("status")
    assert empty["broken"] is False
    assert empty["mailboxes"] == [{"address": "kontakt@example.se", "served_at": None, "blind": False}]
    assert "last served never" in place.run("status").stdout
    dovecot.append(place.username, [mail("Radera", "Radera alla mina personuppgifter.", number=1)])
    place.run("once")
    running = place.json("status")
    assert (running["broken"], running["promises"]["running"], running["promises"]["overdue"]) == (False, 1, [])
    assert running["promises"]["next_case"] == place.json("cases", "list")[0]["reference"]
    assert (running["legal"]["running"], running["legal"]["missed"]) == (1, [])
    assert running["letters"]["proposed"] == 1
    assert running["ledger"]["case"] == 1
    assert running["mailboxes"][0]["served_at"] is not None
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=70)
    dovecot.append(
        place.username,
        [mail("Radera", "Radera alla mina personuppgifter.", sender="bo@example.com", number=2)],
        at=long_ago,
    )
    place.run("once")
    done = place.run("status", check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("Broken (2)")
    assert "the answer was due" in done.stdout
    assert "the legal date of erasure was" in done.stdout
    broken = json.loads(place.run("status", "--json", check=False).stdout)
    assert broken["broken"] is True
    assert len(broken["promises"]["overdue"]) == len(broken["legal"]["missed"]) == 1
    letters = [str(one["id"]) for one in place.json("drafts", "list")]
    place.run("drafts", "approve", *letters, "--by", "Anna Exempel")
    place.run("once")
    after = json.loads(place.run("status", "--json", check=False).stdout)
    assert (after["promises"]["running"], after["promises"]["overdue"]) == (0, [])
    assert after["broken"] is True, "the legal date stays missed until the outcome was told"


def test_letters_that_cannot_go_out_are_told_with_the_reason(installation: Install, dovecot: Dovecot) -> None:
    place = installation(smtp_port=free_port())
    dovecot.append(place.username, [mail("Radera", "Radera alla mina personuppgifter.")])
    place.run("once")
    (letter,) = place.json("drafts", "list")
    place.run("drafts", "approve", str(letter["id"]), "--by", "Anna Exempel")
    done = place.run("once", check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{place.smtp_port}: cannot send" in done.stderr
    standing = place.json("status")
    assert (standing["letters"]["approved"], standing["letters"]["waiting"][0]["id"]) == (1, letter["id"])
    assert standing["letters"]["waiting"][0]["why"]
    assert f"letter {letter['id']} of" in place.run("status").stdout


def test_config_show_hides_secrets_and_names_each_source(tmp_path: Path) -> None:
    """E72."""
    place = Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    text = place.config.read_text(encoding="utf-8").replace('password_file = "imap-password"', 'password = "Hemlig-77"')
    text = text.replace(
        "sqlite:///inboxbot.db", "postgresql+psycopg://anna:Hemlig-78@127.0.0.1/x?sslpassword=Hemlig-79"
    )
    place.config.write_text(text, encoding="utf-8")
    place.config.chmod(0o600)
    place.environment["INBOXBOT_LIMITS__PER_HOUR"] = "7"
    shown = place.json("config", "show")
    values, sources = shown["settings"], shown["sources"]
    assert shown["file"] == str(place.config)
    assert values["company[1].mailbox[1].imap.password"] == "***"
    assert values["database.url"] == "postgresql+psycopg://anna:***@127.0.0.1/x?sslpassword=***"
    assert (values["limits.per_hour"], sources["limits.per_hour"]) == (7, "environment: INBOXBOT_LIMITS__PER_HOUR")
    assert (values["company[1].name"], sources["company[1].name"]) == ("Exempel AB", "file")
    assert (values["daemon.round_every_s"], sources["daemon.round_every_s"]) == (300, "default")
    printed = place.run("config", "show").stdout
    assert "Hemlig" not in printed + json.dumps(shown)
    assert 'company[1].name = "Exempel AB"  # file' in printed


def test_db_upgrade_tells_from_what_to_what_and_keeps_a_copy(tmp_path: Path) -> None:
    place = Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    oldest, *_, head = schema.known_revisions()
    store = Store("sqlite:///inboxbot.db", folder=tmp_path)
    with store.write() as connection:
        command.upgrade(schema._alembic(connection), oldest)
    store.close()
    (tmp_path / "inboxbot.db").chmod(0o600)
    assert any(
        "older than the program" in one["what"]
        for one in json.loads(place.run("check", "--json", check=False).stdout)["findings"]
    )
    first = place.json("db", "upgrade")
    assert (first["before"], first["after"]) == (oldest, head)
    with closing(sqlite3.connect(first["copy"])) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == (oldest,)
    assert place.json("db", "upgrade") == {**first, "before": head, "copy": None}
    assert "up to date" in place.run("db", "upgrade").stdout
    fresh = Installation(folder=tmp_path / "fresh", imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    assert f"made with the schema {head}" in fresh.run("db", "upgrade").stdout


def test_a_database_that_is_gone_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    """F74."""
    place = Installation(folder=tmp_path, imap_port=1, smtp_port=1, username="kontakt", password="hemligt")
    place.run("db", "upgrade")
    (tmp_path / "inboxbot.db").unlink()
    for words in (["status"], ["db", "upgrade"]):
        done = place.run(*words, check=False)
        assert done.returncode == 1
        assert "the database is gone" in done.stderr
    assert not (tmp_path / "inboxbot.db").exists()
