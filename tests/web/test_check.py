"""`inboxbot check` looks at the desk: where it listens, how people reach it, and who can sign in and approve."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from tests.servers.installation import Office
from tests.servers.offices import NewOffice
from tests.web.house import OTHER_COMPANY, add_person

from inboxbot.config.model import WebSettings
from inboxbot.daemon.checks_web import check_web
from inboxbot.store.people import Role
from inboxbot.web.serve import served


def told(office: Office, **web: Any) -> list[tuple[str, str, str]]:
    settings = office.desk.settings.model_copy(update={"web": WebSettings(**{"port": 0, **web})})
    return [(one.level.value, one.where, one.what) for one in check_web(settings)]


def test_without_a_desk_there_is_nothing_to_say(office: Office) -> None:
    assert check_web(office.desk.settings) == []


def test_a_free_port_and_somebody_for_everything(office: Office) -> None:
    assert told(office) == [("ok", "127.0.0.1:0", "free for the desk"), ("ok", "accounts", "4 can sign in")]


def test_a_port_that_the_desk_has_already_is_fine(office: Office) -> None:
    with served(office.desk, now=office.clock, settings=WebSettings(port=0)) as address:
        port = int(address.rpartition(":")[2])
        assert told(office, port=port)[0][0::2] == ("ok", "the desk answers there already")


def test_a_port_that_something_else_has_is_an_error(office: Office) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.listen()
        (level, _, what), *_ = told(office, port=other.getsockname()[1])
    assert (level, "cannot listen there" in what) == ("error", True)


@pytest.mark.parametrize(
    ("web", "level", "words"),
    [
        ({"base_url": "http://desk.example.se"}, "error", "without encryption"),
        ({"base_url": "http://127.0.0.1:8025"}, None, ""),
        ({"base_url": "https://desk.example.se"}, None, ""),
        ({"base_url": "https://desk.example.se", "listen": "0.0.0.0"}, "warning", "past the web server with TLS"),
    ],
)
def test_how_people_reach_it(office: Office, web: dict[str, str], level: str | None, words: str) -> None:
    found = [one for one in told(office, **web) if one[2] != "free for the desk" and one[1] != "accounts"]
    assert [(one[0], words in one[2]) for one in found] == ([(level, True)] if level else [])


def test_who_is_missing_is_named(new_office: NewOffice) -> None:
    office = new_office(more=OTHER_COMPANY)
    assert told(office)[1:] == [("warning", "accounts", "nobody can sign in: there are no accounts")]
    add_person(office, "Stina Staf", Role.STAFF)
    add_person(office, "Eva Ek", Role.APPROVER, "Exempel AB")
    assert [(level, where) for level, where, _ in told(office)[1:]] == [("warning", "accounts"), ("error", "Annat AB")]
    add_person(office, "Ada Admin", Role.ADMIN)
    assert told(office)[1:] == [("ok", "accounts", "3 can sign in")]
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE users SET disabled_at = created_at WHERE name <> 'Stina Staf'")
    assert [level for level, _, _ in told(office)[1:]] == ["warning", "error", "error"]
