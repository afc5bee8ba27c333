"""Mail past its period is moved to the folder that the settings name: that mail alone, once, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Install
from tests.daemon.test_run import running, until
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office
from tests.servers.offices import DATABASES, fresh_database
from tests.servers.proxy import HARMLESS, Proxy
from tests.servers.writing import access, letter

from inboxbot.config.load import load_settings
from inboxbot.desk.context import Actor
from inboxbot.desk.retention import set_hold
from inboxbot.desk.settle import no_answer_needed, reopen
from inboxbot.errors import ConfigError
from inboxbot.mailbox.workers import ReadingPool

NAME, WIRE = "Inboxbot/Utgånget", '"Inboxbot/Utg&AOU-nget"'
AT_ONCE = "[company.retention]\ncases_years = 0"
EVA = Actor("Eva Ek", "terminal")
KILLED = 137


@pytest.fixture(scope="module")
def pool() -> Iterator[ReadingPool]:
    with ReadingPool(1) as pool:
        yield pool


class Post:
    """A mailbox with two cases: Anna's question is closed and due to be emptied at once, Bo's request is open."""

    def __init__(self, place: Installation, dovecot: Dovecot, pool: ReadingPool) -> None:
        self.place, self.dovecot, self.pool = place, dovecot, pool
        self.anna = letter("Öppettider", "Hej! När har ni öppet på lördag?")
        dovecot.append(place.username, [self.anna, access("Bo Ek")])
        with self.office() as office:
            assert office.once().cases_opened == 2
            self.act(office, no_answer_needed)

    def office(self) -> Any:
        return open_office(self.place, pool=self.pool)

    def act(self, office: Office, verb: Callable[..., Any], *more: Any) -> None:
        case = next(one for one in office.cases() if one.reference == "EX-2026-0001")
        verb(office.desk, case.id, *more, actor=EVA, now=office.clock())

    def name_folder(self, name: str = NAME) -> None:
        """Name the folder for expired mail in the settings."""
        self.place.more = f'[company.mailbox.folders]\nexpired = "{name}"\n' + self.place.more
        self.place.write()

    def make_folder(self) -> None:
        connection = self.dovecot.imap(self.place.username)
        assert connection.create(WIRE)[0] == "OK"
        connection.logout()

    def lying(self, folder: str = "INBOX") -> list[bytes]:
        """Return the messages of a folder, byte for byte."""
        connection = self.dovecot.imap(self.place.username, folder)
        _, data = connection.uid("FETCH", "1:*", "(BODY.PEEK[])")
        connection.logout()
        return [one[1] for one in data if isinstance(one, tuple)]

    def move_back(self) -> None:
        connection = self.dovecot.imap(self.place.username, WIRE)
        assert connection.uid("MOVE", "1:*", "INBOX")[0] == "OK"
        connection.logout()

    def retention(self, *options: str, code: int = 0) -> Any:
        import json

        done = self.place.run("retention", "--json", *options, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def post(installation: Install, dovecot: Dovecot, pool: ReadingPool) -> Post:
    return Post(installation(company_lines=AT_ONCE), dovecot, pool)


def test_the_mail_of_an_emptied_case_is_moved_once_and_no_other(post: Post) -> None:
    post.make_folder()
    post.name_folder()
    planned = post.retention("--dry-run")
    assert [(one["uid"], one["to"]) for one in planned["left_in_mailbox"]] == [(1, NAME)]
    assert len(post.lying()) == 2

    before = post.dovecot.state(post.place.username)
    done = post.retention()
    assert [(one["folder"], one["moved"], one["why"]) for one in done["moved"]] == [(NAME, 1, "")]
    assert done["left_in_mailbox"] == []
    assert post.lying(WIRE) == [post.anna]
    assert post.dovecot.state(post.place.username)[1] == [one.replace(b"2 (UID", b"1 (UID") for one in before[1][1:]]

    assert post.retention()["moved"] == []
    assert len(post.lying(WIRE)) == 1
    assert post.place.json("audit")["findings"] == []


def test_only_looking_and_moving_passes_the_door(post: Post) -> None:
    post.make_folder()
    post.name_folder()
    with Proxy(("127.0.0.1", post.dovecot.port)) as proxy:
        post.place.imap_port = proxy.port
        post.place.write()
        post.retention()
        verbs = proxy.verbs()
    assert verbs.count("UID MOVE") == 1
    assert set(verbs) <= {*HARMLESS, "SELECT", "UID MOVE"}


def test_mail_that_is_moved_back_opens_nothing_and_goes_again(post: Post) -> None:
    post.make_folder()
    post.name_folder()
    post.retention()
    post.move_back()
    with post.office() as office:
        tally = office.once()
        assert (tally.cases_opened, tally.drafts, tally.errors) == (0, 0, [])
        assert len(office.cases()) == 2
        assert [one["reason"] for one in office.ledger()][-1] == "same_mail"
    assert [one["moved"] for one in post.retention()["moved"]] == [1]
    assert post.lying(WIRE) == [post.anna]


@pytest.mark.parametrize("point", ["expired_moved", "expired_noted"])
def test_killed_between_it_is_neither_lost_nor_moved_twice(post: Post, point: str) -> None:
    post.make_folder()
    post.name_folder()
    post.place.environment = {"INBOXBOT_CRASH_AT": point}
    assert post.place.run("retention", check=False).returncode == KILLED
    post.place.environment = {}
    assert post.lying(WIRE) == [post.anna]
    with post.office() as office:
        assert office.once().taken == 0
    done = post.retention()
    assert sum(one["moved"] for one in done["moved"]) == 0
    assert done["left_in_mailbox"] == []
    assert post.retention()["moved"] == []
    assert (len(post.lying()), post.lying(WIRE)) == (1, [post.anna])


def test_another_message_under_the_number_stays(post: Post) -> None:
    post.make_folder()
    post.name_folder()
    with post.office() as office, office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET size = size + 1 WHERE uid = 1")
    done = post.retention()
    assert [one["moved"] for one in done["moved"]] == [0]
    assert [one["uid"] for one in done["left_in_mailbox"]] == [1]
    assert len(post.lying()) == 2


def test_a_server_that_cannot_move_only_gets_a_list(post: Post) -> None:
    post.make_folder()
    post.name_folder()
    with Proxy(("127.0.0.1", post.dovecot.port)) as proxy:
        proxy.faults.replace = (b" MOVE", b"")
        post.place.imap_port = proxy.port
        post.place.write()
        done = post.retention(code=1)
        assert "no MOVE" in done["moved"][0]["why"]
        assert [one["uid"] for one in done["left_in_mailbox"]] == [1]
        assert {"SELECT", "STORE", "UID STORE", "COPY", "UID COPY"}.isdisjoint(proxy.verbs())
        found = post.place.json("check")["findings"]
        assert [one["what"] for one in found if "no MOVE" in one["what"]] == [
            "the server cannot move a message (no MOVE), so expired mail is only listed"
        ]
    assert len(post.lying()) == 2


def test_a_folder_that_is_missing_is_told_and_stops_no_intake(post: Post) -> None:
    post.name_folder()
    done = post.retention(code=1)
    assert NAME in done["moved"][0]["why"]
    assert len(post.lying()) == 2
    checked = post.place.run("check", check=False)
    assert checked.returncode == 1
    assert f'the folder "{NAME}" cannot be opened' in checked.stdout
    assert "folders.expired" in checked.stdout
    post.dovecot.append(post.place.username, [access("Cia Dahl")])
    assert post.place.json("once")["cases_opened"] == 1
    post.make_folder()
    assert post.place.run("check").returncode == 0


def test_the_sent_folder_is_no_place_for_it(post: Post) -> None:
    post.name_folder("Skickat")
    done = post.retention(code=1)
    assert "expired mail is not moved to the sent folder" in done["moved"][0]["why"]
    assert "Skickat is the sent folder" in post.place.run("check", check=False).stdout
    assert len(post.lying()) == 2


def test_a_case_that_needs_its_mail_again_keeps_it(post: Post) -> None:
    post.retention()
    post.make_folder()
    post.name_folder()
    with post.office() as office:
        post.act(office, set_hold, "tvist")
    assert post.retention()["left_in_mailbox"] == []
    with post.office() as office:
        post.act(office, set_hold, None)
        post.act(office, reopen)
    assert post.retention()["moved"] == []
    assert len(post.lying()) == 2


@pytest.mark.parametrize("kind", DATABASES)
def test_mail_without_a_case_goes_too(installation: Install, dovecot: Dovecot, kind: str) -> None:
    place = installation(company_lines=AT_ONCE, promise_hours=None, database=fresh_database(kind))
    dovecot.append(place.username, [letter("Öppettider", "Hej! När har ni öppet på lördag?")])
    assert place.json("once")["ordinary"] == 1
    connection = dovecot.imap(place.username)
    connection.create(WIRE)
    connection.logout()
    place.more = f'[company.mailbox.folders]\nexpired = "{NAME}"'
    place.write()
    assert [one["moved"] for one in place.json("retention")["moved"]] == [1]
    assert dovecot.state(place.username, WIRE)[0] == 1


def test_the_daemon_moves_what_retention_emptied(post: Post) -> None:
    post.retention()
    post.make_folder()
    post.name_folder()
    with running(post.place):
        until(lambda: post.lying(WIRE) == [post.anna], "it is moved")
    assert len(post.lying()) == 1


@pytest.mark.parametrize("name", ["INBOX", "Sopor"])
def test_a_watched_folder_is_refused_in_the_settings(tmp_path: Path, name: str) -> None:
    lines = f'[company.mailbox.folders]\njunk = "Sopor"\nexpired = "{name}"'
    place = Installation(tmp_path, 1, 1, "kontakt", "secret", more=lines)
    with pytest.raises(ConfigError, match=r"folders: expired must be a folder of its own"):
        load_settings(place.config)


def test_nor_may_it_be_watched_for_another_mailbox(tmp_path: Path) -> None:
    second = """
[company.mailbox.folders]
expired = "Gammalt"
[[company.mailbox]]
address = "info@example.se"
[company.mailbox.imap]
host = "127.0.0.1"
port = 1
security = "none"
username = "kontakt"
[company.mailbox.smtp]
host = "127.0.0.1"
port = 1
security = "none"
[company.mailbox.folders]
inbox = "Gammalt"
"""
    place = Installation(tmp_path, 1, 1, "kontakt", "secret", more=second)
    with pytest.raises(ConfigError, match=r"is watched for info@example\.se"):
        load_settings(place.config)
