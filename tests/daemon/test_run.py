"""`inboxbot run` on a real Dovecot: a pushed mail becomes a draft, faults are survived, and it ends when told."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from tests.servers.dovecot import Dovecot, running_dovecot
from tests.servers.fixtures import shared_dovecot
from tests.servers.installation import COMMAND, Installation
from tests.servers.offices import NewOffice
from tests.servers.postgresql import shared_postgresql
from tests.servers.proxy import Proxy
from tests.servers.quick import Forked
from tests.servers.scripted_smtp import STALL, Script
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.config.load import load_settings
from inboxbot.daemon.lock import sole_worker
from inboxbot.errors import StoreError
from inboxbot.store.opening import open_store
from inboxbot.wiring import open_house

Install = Callable[..., Installation]
PATIENCE_S = 40.0
QUICK = "[daemon]\noutbox_every_s = 1\nround_every_s = 5\n"


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


class Running:
    """A daemon; what it logs goes to a file. As a ``program`` it is started as one, in a process group of its own."""

    process: subprocess.Popen[bytes] | Forked

    def __init__(self, house: Installation, *, program: bool = False) -> None:
        self.house = house
        self.log = house.folder / "log"
        self.log.touch()
        environment = {**os.environ, **house.environment}
        if not program:
            self.process = Forked(["--config", str(house.config), "run"], environment=environment, log=self.log)
            return
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "--config", str(house.config), "run"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )

    def logged(self, word: str) -> bool:
        return word in self.log.read_text(encoding="utf-8")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, group: bool = False) -> tuple[int, float]:
        """Send a signal; return the exit code and how many seconds it took."""
        begun = time.monotonic()
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        return code, time.monotonic() - begun


@contextmanager
def running(house: Installation, *, program: bool = False) -> Iterator[Running]:
    daemon = Running(house, program=program)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait(10)


def count(house: Installation, query: str) -> int:
    """Return a count from the database beside the daemon; 0 while there is none."""
    file = house.folder / "inboxbot.db"
    if not file.exists():
        return 0
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def drafts(house: Installation) -> int:
    return count(house, "SELECT count(*) FROM drafts")


def test_a_pushed_mail_becomes_a_draft_and_an_approved_letter_leaves(
    installation: Install, dovecot: Dovecot, sink: Sink
) -> None:
    house = installation(top_lines=QUICK.replace("round_every_s = 5", "round_every_s = 300"))
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house, program=True) as daemon:
        until(lambda: drafts(house) == 1, "the mail that lay there")
        time.sleep(0.5)  # waiting for the push now
        dovecot.append(house.username, [access("Bo Ek")])
        begun = time.monotonic()
        until(lambda: drafts(house) == 2, "the mail that was pushed")
        assert time.monotonic() - begun < 10
        house.run("drafts", "approve", "1", "--by", "Eva Ek")
        until(lambda: len(sink.box) == 1, "the approved letter")
        assert sink.box[0].recipients == ["anna.berg@example.org"]
        code, took = daemon.stop()
        assert (code, took < 10) == (0, True)
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
        assert "anna.berg" not in daemon.log.read_text(encoding="utf-8"), "personal data in the log"


def test_ctrl_c_ends_it_tidily(installation: Install, dovecot: Dovecot) -> None:
    """F3."""
    house = installation()
    with running(house, program=True) as daemon:
        until(lambda: daemon.logged("event=started"), "the start")
        code, took = daemon.stop(signal.SIGINT, group=True)
        assert (code, took < 10) == (0, True)
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "stalls", [rb"\* OK", rb"A?\w+ OK .*Logged in", rb"\+ idling"], ids=["greeting", "login", "idle"]
)
def test_it_ends_in_time_while_the_mailbox_server_stalls(
    installation: Install, dovecot: Dovecot, stalls: bytes
) -> None:
    """F3, F17."""
    with Proxy(("127.0.0.1", dovecot.port)) as proxy:
        proxy.faults.stall_at = stalls
        house = installation(imap_port=proxy.port)
        with running(house) as daemon:
            until(lambda: daemon.logged("event=started"), "the start")
            until(lambda: proxy.connections, "the connection")
            time.sleep(0.5)
            code, took = daemon.stop()
            assert (code, took < 10) == (0, True)


def test_it_ends_in_time_while_the_smtp_server_stalls_and_the_letter_waits(
    installation: Install, dovecot: Dovecot, smtp: Script
) -> None:
    """F3, F54."""
    smtp.rcpt = STALL
    house = installation(smtp_port=smtp.port, top_lines=QUICK)
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        until(lambda: drafts(house) == 1, "the draft")
        house.run("drafts", "approve", "1", "--by", "Eva Ek")
        until(lambda: smtp.senders, "the try")
        code, took = daemon.stop()
        assert (code, took < 10) == (0, True)
    (draft,) = house.json("drafts", "list")
    assert draft["state"] == "approved"
    smtp.rcpt = Script().rcpt
    assert house.json("once")["sent"] == 1
    assert len(smtp.taken) == 1


def test_a_second_daemon_says_so_and_the_lock_of_a_killed_one_is_free_at_once(
    installation: Install, dovecot: Dovecot
) -> None:
    """F43."""
    house = installation()
    with running(house) as first:
        until(lambda: first.logged("event=started"), "the start")
        told = pytest.raises(StoreError, match="another inboxbot works with this database")
        with told, open_house(load_settings(house.config), lock_wait_s=0.3):
            pass
        house.json("cases", "list")  # the other commands work beside it
        first.process.kill()
        first.process.wait(10)
        assert house.json("once")["errors"] == []


def test_a_kicked_connection_is_made_again(installation: Install, dovecot: Dovecot) -> None:
    """F20."""
    house = installation(top_lines=QUICK)
    with running(house) as daemon:
        until(lambda: daemon.logged("event=started"), "the start")
        until(
            lambda: count(house, "SELECT count(*) FROM folders WHERE role = 'inbox' AND round_at IS NOT NULL"),
            "a round",
        )
        dovecot.doveadm("kick", house.username)
        dovecot.append(house.username, [access("Anna Berg")])
        until(lambda: drafts(house) == 1, "the mail after the kick")
        assert daemon.stop()[0] == 0
        assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


def test_a_server_that_is_down_for_a_while_is_found_again(installation: Install, dovecot: Dovecot) -> None:
    """F21."""
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(("127.0.0.1", dovecot.port)))
        proxy.faults.refuse = True
        house = installation(imap_port=proxy.port, top_lines=QUICK)
        with running(house) as daemon:
            until(lambda: daemon.logged("mailbox_not_served"), "the complaint")
            proxy.faults.refuse = False
            dovecot.append(house.username, [access("Anna Berg")])
            until(lambda: drafts(house) == 1, "the mail after the fault")
            assert daemon.stop()[0] == 0


def test_a_mail_system_that_starts_anew_is_found_again(installation: Install, tmp_path: Path) -> None:
    """F21."""
    shared_dovecot()  # skips where none is installed
    with running_dovecot() as own:
        house = installation(imap_port=own.port, username=own.new_user(), top_lines=QUICK)
        with running(house) as daemon:
            until(lambda: daemon.logged("event=started"), "the start")
            own.doveadm("reload")
            own.append(house.username, [access("Anna Berg")])
            until(lambda: drafts(house) == 1, "the mail after the restart")
            assert daemon.stop()[0] == 0


def test_the_heartbeat_beats_while_rounds_end(installation: Install, dovecot: Dovecot, tmp_path: Path) -> None:
    """F4."""
    beat = tmp_path / "beat"
    house = installation(top_lines=f'{QUICK}heartbeat_file = "{beat}"')
    with running(house) as daemon:
        until(beat.exists, "the heartbeat")
        first = beat.stat().st_mtime_ns
        until(lambda: beat.stat().st_mtime_ns > first, "a second beat")
        assert daemon.stop()[0] == 0


def test_one_worker_at_a_time_on_postgresql_too(tmp_path: Path, new_office: NewOffice) -> None:
    """F43."""
    server = shared_postgresql()
    url = server.new_database()
    office = new_office(url)
    other = open_store(url, tmp_path, now=office.clock())
    with sole_worker(office.desk.store, wait_s=0):
        with pytest.raises(StoreError, match="another inboxbot works"), sole_worker(other, wait_s=0.3):
            pass
        server.kill_connections(url)  # a crashed one's lock is free at once, and its end is no traceback
        with sole_worker(other, wait_s=2):
            pass
    other.close()


def test_systemd_is_told_that_it_is_ready_alive_and_ending(
    installation: Install, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """P3: what hangs says nothing any more, and is started again."""
    address = tmp_path_factory.mktemp("s") / "n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(address))
        heard.settimeout(PATIENCE_S)
        house = installation(environment={"NOTIFY_SOCKET": str(address)})
        with running(house) as daemon:
            assert [heard.recv(100), heard.recv(100), heard.recv(100)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            daemon.process.send_signal(signal.SIGTERM)
            while (word := heard.recv(100)) == b"WATCHDOG=1":
                pass
            assert word == b"STOPPING=1"
            assert daemon.process.wait(PATIENCE_S) == 0
