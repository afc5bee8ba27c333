"""The sole right to work with a database is lost while the daemon runs (promises.md D10, F79)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from tests.daemon.test_run import QUICK, Running, running, until
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation
from tests.servers.offices import NewOffice
from tests.servers.postgresql import shared_postgresql
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.daemon.lock import require, sole_worker
from inboxbot.desk import sending
from inboxbot.errors import RefusedError, StoreError
from inboxbot.store.drafts import Turn

Install = Callable[..., Installation]
HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 743202 AND granted"


def taken(house: Installation) -> int:
    return len(house.json("cases", "list"))


def start(house: Installation, daemon: Running) -> None:
    until(lambda: daemon.logged("event=started"), "the start")
    until(lambda: taken(house) == 1, "the first mail")


@contextmanager
def somebody_else(url: str) -> Iterator[None]:
    """Take the lock away from whoever holds it, as a second daemon on another machine does after the first was cut."""
    address = url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as mine, psycopg.connect(address, autocommit=True) as killer:
        waiting = threading.Thread(target=lambda: mine.execute("SELECT pg_advisory_lock(743202)"))
        waiting.start()
        until(
            lambda: killer.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND objid = 743202").fetchone(), "a queue"
        )
        killer.execute(f"SELECT pg_terminate_backend(pid) FROM ({HOLDER}) AS holders".encode())
        waiting.join(20)
        yield


def test_a_lock_that_is_lost_is_taken_again_and_the_work_goes_on(installation: Install, dovecot: Dovecot) -> None:
    server = shared_postgresql()
    url = server.new_database()
    house = installation(database=url, top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        start(house, daemon)
        server.kill_connections(url)  # as when the database starts anew
        until(lambda: daemon.logged("event=sole_right_lost"), "the loss")
        until(lambda: daemon.logged("event=sole_right_regained"), "the lock")
        dovecot.append(house.username, [access("Bo Ek")])
        until(lambda: taken(house) == 2, "the mail after the loss")
        assert daemon.stop()[0] == 0
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


def test_it_ends_in_words_when_another_one_took_the_work_over(
    installation: Install, dovecot: Dovecot, sink: Sink
) -> None:
    url = shared_postgresql().new_database()
    house = installation(database=url, top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        start(house, daemon)
        with somebody_else(url):
            until(lambda: daemon.logged("event=sole_right_lost"), "the loss")
            house.run("drafts", "approve", "1", "--by", "Eva Ek")
            dovecot.append(house.username, [access("Bo Ek")])
            assert daemon.process.wait(40) == 1
        told = daemon.log.read_text(encoding="utf-8")
        assert "another inboxbot took the work over" in told
        assert "Traceback" not in told
        assert taken(house) == 1
        assert sink.box == []


def test_a_lock_file_that_was_removed_is_made_anew(installation: Install, dovecot: Dovecot) -> None:
    house = installation(top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        start(house, daemon)
        file = house.folder / "inboxbot.db.lock"
        file.unlink()
        until(lambda: daemon.logged("event=sole_right_regained"), "the lock")
        assert file.exists()
        assert daemon.stop()[0] == 0


def test_who_lost_the_right_in_the_midst_of_a_run_stops(new_office: NewOffice) -> None:
    office = new_office()
    with sole_worker(office.desk.store, wait_s=0) as right:
        require(right)
        (office.installation.folder / "inboxbot.db.lock").unlink()
        with pytest.raises(StoreError, match="right to work with the database was lost"):
            require(right)
        assert right.regain()
        require(right)


@pytest.mark.parametrize("phase", ["data", "dot"])
def test_a_try_that_another_one_settled_sends_nothing_more(new_office: NewOffice, database: str, phase: str) -> None:
    """Two outboxes at once, for moments: the one that was cut off must not send what the other will send."""
    office = new_office(database)
    office.receive(access("Anna Berg"))
    office.approve(1)
    now = office.clock()
    letter = sending.next_letter(office.desk, now=now, turn=Turn())
    assert letter is not None
    attempt = sending.begin(office.desk, letter, phase="greeting", now=now)
    sending.claim(office.desk, letter, attempt, phase="data", now=now)
    if phase == "dot":
        sending.reach(office.desk, attempt, phase="dot")
    assert sending.recover(office.desk, {}, dot="dot", now=now) == 1
    with pytest.raises(RefusedError, match="settled"):
        sending.reach(office.desk, attempt, phase="dot")
    state = office.draft(1).state
    assert state is (DraftState.UNKNOWN if phase == "dot" else DraftState.APPROVED)
    office.clock.advance(minutes=6)
    assert office.send().sent == (phase == "data")
    assert dt.timedelta(minutes=6) <= office.clock() - now
