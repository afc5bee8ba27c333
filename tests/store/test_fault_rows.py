"""Faults of the database, the disk and the clock, from the mail to the letter (promises.md B5, B6)."""

from __future__ import annotations

import contextlib
import datetime as dt
import subprocess
import sys
import threading
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from tests.servers.audited import audit_database
from tests.servers.installation import COMMAND, Installation, open_office
from tests.servers.offices import NewOffice
from tests.servers.postgresql import shared_postgresql
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access

from inboxbot.cases.promise import promise_status
from inboxbot.cases.threading import ThreadMarks
from inboxbot.cases.values import DraftState, PromiseStatus
from inboxbot.config.load import load_settings
from inboxbot.desk.context import Actor
from inboxbot.desk.edit import edit
from inboxbot.desk.notice import SentMail, notice
from inboxbot.errors import ConfigError, RefusedError, StoreError

EVA = Actor("Eva Ek", "web")


def test_f44_the_desk_and_the_daemon_write_at_the_same_moment(new_office: NewOffice, database: str) -> None:
    office = new_office(database)
    office.receive(access("Anna Berg"))
    (anna,) = office.drafts()
    failed: list[BaseException] = []

    def edits() -> None:
        try:
            with open_office(office.installation) as web:
                for number in range(15):
                    body = f"{web.draft(anna.id).body}\nRad {number}."
                    edit(web.desk, anna.id, actor=EVA, now=web.clock(), body=body)
        except BaseException as error:  # noqa: BLE001  (shown below)
            failed.append(error)

    editor = threading.Thread(target=edits)
    editor.start()
    for number in range(15):
        office.receive(access(f"Person Nummer{number}"))
    editor.join()
    assert failed == []
    assert all(f"Rad {number}." in office.draft(anna.id).body for number in range(15))
    assert len(office.cases()) == 16
    assert audit_database(office.desk)["ok"]


def test_f62_f70_a_full_disk_loses_nothing_and_sends_nothing_twice(new_office: NewOffice, smtp: Script) -> None:
    """F62, F70: the database has no room at each step in turn; what the server took is kept in the side journal."""
    office = new_office()
    office.receive(access("Anna Berg"))
    office.approve(office.drafts()[0].id)
    room = 0

    @event.listens_for(office.desk.store.engine, "begin")
    def _limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={room or 1_000_000}")  # type: ignore[attr-defined]

    room = int(office.rows("PRAGMA page_count")[0][0])
    with pytest.raises(StoreError, match="full"):
        office.receive(*[access(f"Person Nummer{number}") for number in range(300)])
    assert len(office.ledger()) == 1, "all of a batch or nothing"
    accept = office.journal.note

    def fill_up(draft_id: int, digest: str, server_text: str) -> None:
        nonlocal room
        accept(draft_id, digest, server_text)
        with office.desk.store.write() as connection:
            connection.execute(text("CREATE TABLE filler (words TEXT)"))
        room = int(office.rows("PRAGMA page_count")[0][0])
        with pytest.raises(StoreError, match="full"), office.desk.store.write() as connection:
            connection.execute(text("INSERT INTO filler VALUES (:words)"), {"words": "x" * 1_000_000})
        raise StoreError("full", where="here", cure="room")

    room = 0
    office.journal.note = fill_up  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        office.send()
    office.journal.note = accept  # type: ignore[method-assign]
    assert office.drafts()[0].state is DraftState.TRANSMITTING

    room = 0
    office.send()
    office.receive(*[access(f"Person Nummer{number}") for number in range(3)])
    assert office.drafts(DraftState.SENT)[0].recipient == "anna.berg@example.org"
    assert len(smtp.taken) == 1
    assert len(office.cases()) == 4
    assert office.rows("PRAGMA integrity_check") == [("ok",)]


def test_f71_a_full_disk_under_the_log_stops_no_work(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    house = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*COMMAND, "--config", str(house.config), "status"],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode in {0, 1}
    assert (tmp_path / "inboxbot.db").exists()


@pytest.mark.parametrize(
    "fault",
    ["default_transaction_read_only = on", "statement_timeout = '1ms'", "idle_in_transaction_session_timeout = 1"],
)
def test_f80_a_postgresql_that_cannot_write_is_named_and_the_work_goes_on_afterwards(
    new_office: NewOffice, smtp: Script, fault: str
) -> None:
    """F80: a standby after a failover, and limits of the server: a whole transaction or nothing."""
    server = shared_postgresql()
    url = server.new_database()
    name = url.rpartition("/")[2]
    office = new_office(url)
    office.receive(access("Anna Berg"))
    office.approve(office.drafts()[0].id)
    server.run(f"ALTER DATABASE {name} SET {fault}")
    server.kill_connections(url)
    for work in (lambda: office.receive(*[access(f"Person Nummer{n}") for n in range(40)]), office.send):
        with contextlib.suppress(StoreError):  # nothing else may come of it
            work()
    server.run(f"ALTER DATABASE {name} RESET {fault.partition(' ')[0]}")
    server.kill_connections(url)
    assert len(office.ledger()) in {1, 41}, "all of a batch or nothing"
    office.clock.advance(minutes=6)
    office.send()
    assert [one.state for one in office.drafts()][:1] == [DraftState.SENT]
    assert len(smtp.taken) == 1
    assert audit_database(office.desk)["ok"]


def test_f83_too_few_file_descriptors_end_the_command_and_harm_nothing(tmp_path: Path) -> None:
    house = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    house.run("status", check=False)
    line = f"ulimit -n 6; exec {sys.executable} -m inboxbot.cli.main --config {house.config} cases list"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert house.json("cases", "list") == []


@pytest.mark.parametrize("jump", [dt.timedelta(days=-365), dt.timedelta(days=365)])
def test_f90_a_clock_that_jumps_sends_once_and_moves_no_due_moment(
    new_office: NewOffice, smtp: Script, database: str, jump: dt.timedelta
) -> None:
    office = new_office(database)
    office.receive(access("Anna Berg"), access("Bo Ek"))
    due = {one.reference: [p.due_at for p in one.promises] for one in office.cases()}
    anna, bo = office.drafts()
    office.approve(anna.id)
    office.clock.ahead += jump
    office.send()
    office.approve(bo.id)
    office.send()
    assert {one.state for one in office.drafts()} == {DraftState.SENT}  # nobody waits for the return of a clock
    office.clock.ahead -= jump
    office.send()
    assert {one.reference: [p.due_at for p in one.promises] for one in office.cases()} == due
    to = sorted(one.partition("TO:")[2] for one in smtp.said if one.startswith("rcpt"))
    assert to == ["<anna.berg@example.org>", "<bo.ek@example.org>"]
    late = PromiseStatus.LATE if jump > dt.timedelta() else PromiseStatus.MET
    assert [promise_status(one.promises, office.clock())[0] for one in office.cases()] == [late, late]


def test_f90_an_answer_of_staff_counts_though_the_clock_was_set_back_behind_the_mail(
    new_office: NewOffice, database: str
) -> None:
    """It counts for what had come when the server took it, and for nothing that came later."""
    office = new_office(database)
    office.receive(access("Anna Berg", message_id="<first@example.org>"))
    answered_at = office.clock()
    office.clock.advance(hours=1)
    office.receive(access("Anna Berg", message_id="<second@example.org>", in_reply_to="<first@example.org>"))
    office.clock.advance(days=-30)
    marks = ThreadMarks(("<first@example.org>",), (), ())
    answer = SentMail("<answer@example.se>", marks, ("anna.berg@example.org",), None, "Re", b"", 10, answered_at)
    assert notice(office.desk, office.served(), answer, now=office.clock()) == 1
    (case,) = office.cases()
    assert [one.answered_at for one in case.promises] == [answered_at, None]


@pytest.fixture
def no_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without a zone database."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()
    monkeypatch.setitem(sys.modules, "tzdata", None)
    yield
    zoneinfo.reset_tzpath(to=before)
    zoneinfo.ZoneInfo.clear_cache()


def test_f95_without_a_zone_database_the_start_is_refused(tmp_path: Path, no_zones: None) -> None:
    house = Installation(tmp_path, 9, 9, "kontakt", "hemligt")
    with pytest.raises(ConfigError) as caught:
        load_settings(house.config)
    assert "timezone" in str(caught.value)


def test_f102_whoever_has_no_account_any_more_approves_nothing(new_office: NewOffice, database: str) -> None:
    """F102 at the desk's own door: where accounts are kept, a name without one is refused."""
    from inboxbot.desk.approve import approve

    office = new_office(database, mailbox_lines='approval = ["web"]')
    office.receive(access("Anna Berg"))
    (draft,) = office.drafts()
    with pytest.raises(RefusedError):
        approve(office.desk, draft.id, actor=Actor("Borta Ek", "terminal"), now=office.clock())
    assert office.draft(draft.id).state is DraftState.PROPOSED
