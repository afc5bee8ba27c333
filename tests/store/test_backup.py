"""Backups and restores, on SQLite and PostgreSQL and from one to the other (promises.md D4, F75, F77, F78)."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from tests.servers.audited import audit_database
from tests.servers.installation import Installation, Office, open_office
from tests.servers.offices import NewOffice, fresh_database
from tests.servers.scripted_smtp import DROP, Script
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.config.load import load_settings
from inboxbot.daemon.lock import sole_worker
from inboxbot.daemon.restoring import back_up, restore
from inboxbot.desk.context import Actor
from inboxbot.desk.gate import release
from inboxbot.desk.restored import look_for_older_copy
from inboxbot.errors import DamagedError, StoreError
from inboxbot.outbox.smtp import Phase
from inboxbot.store.backup import make_backup
from inboxbot.store.engine import Store
from inboxbot.store.generation import advance, mark_in, read_mark
from inboxbot.store.integrity import verify_sound
from inboxbot.store.opening import open_store
from inboxbot.store.people import EVERY_COMPANY, Role, add_user, open_session
from inboxbot.store.stops import standing_stops
from inboxbot.store.tables import SQLModel, sessions

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def reopen(smtp: Script) -> Iterator[object]:
    """Open the installation again, after its database was replaced."""
    with ExitStack() as stack:
        yield lambda place: stack.enter_context(open_office(place))


def busy(office: Office, file: Path) -> dict[str, int]:
    """Bring letters into every state, back up, and return their ids by what they were then."""
    office.receive(*[access(f"Person Nummer{one}") for one in range(5)])
    ids = [one.id for one in office.drafts()]
    for one in ids[:2]:
        office.approve(one)
        office.send()
    office.approve(ids[2])
    back_up(office.desk.store, file, now=office.clock())
    return {"sent": ids[0], "approved": ids[2], "proposed": ids[3]}


def put_back(office: Office, file: Path) -> dict[str, object]:
    office.desk.store.close()
    return restore(load_settings(office.installation.config), file, now=office.clock())


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with store.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }


def test_a_backup_is_one_whole_private_file_with_everything(
    new_office: NewOffice, database: str, tmp_path: Path
) -> None:
    """F77."""
    office = new_office(database)
    file = tmp_path / "backup.db"
    busy(office, file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.glob("backup.db*")] == ["backup.db"]
    with closing(sqlite3.connect(file)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copy = Store(f"sqlite:///{file}")
    assert rows_of(copy) == rows_of(office.desk.store)
    copy.close()


def test_a_backup_never_takes_the_place_of_a_file(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office()
    file = tmp_path / "backup.db"
    file.write_text("something else")
    with pytest.raises(StoreError, match="a file already"):
        back_up(office.desk.store, file, now=NOW)
    assert file.read_text() == "something else"
    with pytest.raises(StoreError, match="no such folder"):
        back_up(office.desk.store, tmp_path / "nowhere" / "backup.db", now=NOW)


def test_a_server_that_does_not_answer_is_told_in_words_and_leaves_no_file(tmp_path: Path) -> None:
    store = Store("postgresql+psycopg://nobody:secret@127.0.0.1:1/none", folder=tmp_path)
    with closing(store), pytest.raises(StoreError, match="could not be read") as told:
        make_backup(store, tmp_path / "backup.db", now=NOW, side_files={})
    assert "secret" not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("begins", ["sqlite", "postgresql"])
@pytest.mark.parametrize("ends", ["sqlite", "postgresql"])
def test_what_was_on_its_way_is_sent_by_nobody_and_everything_else_is_as_it_was(
    new_office: NewOffice, smtp: Script, reopen: object, tmp_path: Path, begins: str, ends: str
) -> None:
    """F78."""
    office = new_office(fresh_database(begins), folder=tmp_path / "old")
    file = tmp_path / "backup.db"
    ids = busy(office, file)
    before = rows_of(office.desk.store)
    if begins == ends:
        place = office.installation
        assert office.send().sent == 1, "what was approved leaves after the backup"
        office.approve(ids["proposed"])
        office.send()
        office.desk.store.close()
    else:
        values = {**vars(office.installation), "folder": tmp_path / "new", "database": fresh_database(ends)}
        place = Installation(**values)
    sent = len(smtp.taken)

    done = restore(load_settings(place.config), file, now=office.clock())

    assert (done["unknown"], done["kept"] is not None) == (1, begins == ends)
    again: Office = reopen(place)  # type: ignore[operator]
    after = rows_of(again.desk.store)
    for name in ("ledger", "mails", "cases", "promises", "requests", "approvals", "mailboxes", "folders"):
        unversioned = [[tuple(row)[:4] for row in rows[name]] for rows in (before, after)]
        assert unversioned[0] == unversioned[1], name
    assert again.draft(ids["sent"]).state is DraftState.SENT
    assert again.draft(ids["approved"]).state is DraftState.UNKNOWN
    assert again.draft(ids["proposed"]).state is DraftState.PROPOSED
    with again.desk.store.read() as connection:
        assert [one.why for one in standing_stops(connection)] == ["restored"]
    again.approve(ids["proposed"])
    assert again.send().sent == 0
    release(again.desk, actor=Actor("Eva Ek", "terminal"), now=again.clock())
    assert again.send().sent == 1
    assert len(smtp.taken) == sent + 1
    assert audit_database(again.desk)["findings"] == []
    again.receive(access("Ny Person"))
    known = {row[0] for row in before["cases"]}
    (fresh,) = [one for one in again.cases() if one.id not in known]
    if begins == ends:
        assert fresh.reference == "EX-2026-0006", "the database that was replaced told which numbers were given"
    else:
        assert fresh.reference == "EX-2026-1006", "nobody knows which numbers were given since"
    assert look_for_older_copy(again.desk.store, now=again.clock()) is None


def test_a_letter_cut_off_by_the_backup_is_settled_by_its_journal_and_else_unknown(
    new_office: NewOffice, smtp: Script, reopen: object, tmp_path: Path, database: str
) -> None:
    """F78: The copy was made while letters were in transmission; of one the side journal knows that it was accepted."""
    office = new_office(database)
    office.receive(access("Anna Berg"), access("Bo Ek"))
    anna, bo = (one.id for one in office.drafts())
    for one in (anna, bo):
        office.approve(one)
    office.desk.store.engine.dispose()
    with office.desk.store.write() as connection:
        connection.execute(text("UPDATE drafts SET state = 'transmitting', version = version + 1"))
        for one in (anna, bo):
            connection.execute(
                text(
                    "INSERT INTO attempts (draft_id, digest, started_at, recipient_digest, phase) "
                    "SELECT id, digest, approved_at, '', :phase FROM drafts WHERE id = :id"
                ),
                {"phase": Phase.BODY.value, "id": one},
            )
    office.journal.note(anna, office.draft(anna).digest or "", "250 ok")
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=office.clock())
    office.journal.clear()

    assert put_back(office, file)["unknown"] == 1

    again: Office = reopen(office.installation)  # type: ignore[operator]
    release(again.desk, actor=Actor("Eva Ek", "terminal"), now=again.clock())
    assert again.send().sent == 0
    assert smtp.taken == []
    assert [again.draft(one).state for one in (anna, bo)] == [DraftState.SENT, DraftState.UNKNOWN]


def test_everybody_signs_in_again_and_erasures_are_remembered(
    new_office: NewOffice, reopen: object, tmp_path: Path, database: str
) -> None:
    office = new_office(database)
    with office.desk.store.write() as connection:
        eva = add_user(connection, "Eva", role=Role.ADMIN, companies=[EVERY_COMPANY], password="-", now=office.clock())
        open_session(connection, eva.id, now=office.clock())
    name = "inboxbot.db.erased" if office.desk.store.is_sqlite else "inboxbot.erased"
    erased = office.installation.folder / name
    erased.write_text('"1 then"\n')
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=office.clock())
    erased.write_text('"2 since"\n"3 cut o')  # by a loss of power
    put_back(office, file)
    again: Office = reopen(office.installation)  # type: ignore[operator]
    with again.desk.store.read() as connection:
        assert connection.execute(select(sessions)).all() == []
    assert sorted(erased.read_text().splitlines()) == ['"1 then"', '"2 since"', '"3 cut o']


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_restore_refuses_while_somebody_works(new_office: NewOffice, tmp_path: Path, database: str) -> None:
    office = new_office(database)
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=NOW)
    before = rows_of(office.desk.store)
    with sole_worker(office.desk.store, wait_s=5), pytest.raises(StoreError, match="another inboxbot works"):
        restore(load_settings(office.installation.config), file, now=NOW)
    assert rows_of(office.desk.store) == before


def test_a_restore_refuses_while_the_web_desk_has_the_file_open(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office()
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=NOW)
    with office.desk.store.read() as connection:
        connection.execute(select(sessions))
        with pytest.raises(StoreError, match="has the database open"):
            restore(load_settings(office.installation.config), file, now=NOW)
    with office.desk.store.read() as connection:
        assert standing_stops(connection) == []
    assert not list(office.installation.folder.glob("*.restoring*"))


@pytest.mark.parametrize("harm", ["words", "another database", "torn", "newer", "newer format", "missing", "itself"])
def test_what_cannot_be_restored_is_refused_and_nothing_is_changed(
    new_office: NewOffice, tmp_path: Path, harm: str
) -> None:
    office = new_office()
    office.receive(*[access(f"Person Nummer{one}") for one in range(20)])
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=NOW)
    before = rows_of(office.desk.store)
    office.desk.store.close()
    what = {"words": "no backup", "another database": "no backup", "torn": "damaged", "newer": "newer than this",
            "newer format": "newer inboxbot", "missing": "be read", "itself": "the database itself"}[harm]  # fmt: skip
    if harm == "words":
        file.write_text("just words\n" * 100)
    elif harm == "missing":
        file.unlink()
    elif harm == "itself":
        file = office.installation.folder / "inboxbot.db"
    elif harm == "torn":
        whole = bytearray(file.read_bytes())
        whole[4096 * 4 : 4096 * 12] = os.urandom(4096 * 8)
        file.write_bytes(bytes(whole))
    else:
        with closing(sqlite3.connect(file if harm != "another database" else tmp_path / "other.db")) as opened, opened:
            if harm == "another database":
                file = tmp_path / "other.db"
                opened.execute("CREATE TABLE notes (words TEXT)")
            elif harm == "newer":
                opened.execute("UPDATE alembic_version SET version_num = '9999'")
            else:
                opened.execute("UPDATE backup SET format = 99")

    with pytest.raises(StoreError, match=what):
        restore(load_settings(office.installation.config), file, now=NOW)

    assert rows_of(office.desk.store) == before
    left = {one.name for one in office.installation.folder.glob("inboxbot.db*")}
    assert not {one for one in left if "restoring" in one or "replaced" in one}


# --- an older copy, put in place by hand -----------------------------------------------------------------------------


def copied(place: Path, name: str) -> None:
    """Copy the files of the database, as `cp` does."""
    for suffix in ("", "-wal"):
        if (place / f"inboxbot.db{suffix}").exists():
            shutil.copy(place / f"inboxbot.db{suffix}", place / f"{name}{suffix}")


def test_a_copy_made_while_it_ran_and_put_back_by_hand_holds_sending(
    new_office: NewOffice, smtp: Script, reopen: object, tmp_path: Path
) -> None:
    """F77, F78."""
    office = new_office()
    office.receive(access("Anna Berg"), access("Bo Ek"))
    anna, bo = (one.id for one in office.drafts())
    office.approve(anna)
    copied(tmp_path, "copy.db")
    assert office.send().sent == 1
    office.desk.store.close()
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"inboxbot.db{suffix}").unlink(missing_ok=True)
    for suffix in ("", "-wal"):
        if (tmp_path / f"copy.db{suffix}").exists():
            (tmp_path / f"copy.db{suffix}").rename(tmp_path / f"inboxbot.db{suffix}")

    again: Office = reopen(office.installation)  # type: ignore[operator]
    assert look_for_older_copy(again.desk.store, now=again.clock()) == "older_copy"
    assert look_for_older_copy(again.desk.store, now=again.clock()) is None, "it is told once"
    again.approve(bo)
    assert again.send().sent == 0
    assert again.draft(anna).state is DraftState.UNKNOWN
    release(again.desk, actor=Actor("Eva Ek", "terminal"), now=again.clock())
    assert again.send().sent == 1
    assert len(smtp.taken) == 2


def test_a_plain_copy_can_be_restored_by_the_command_too(
    new_office: NewOffice, smtp: Script, reopen: object, tmp_path: Path
) -> None:
    """F77."""
    office = new_office()
    office.receive(access("Anna Berg"))
    copied(tmp_path, "copy.db")
    done = put_back(office, tmp_path / "copy.db")
    assert done["made_at"] is None
    again: Office = reopen(office.installation)  # type: ignore[operator]
    assert [one.requester for one in again.cases()] == ["anna.berg@example.org"]


@pytest.mark.parametrize("harm", ["without_mark", "other_database"])
def test_a_database_that_came_from_elsewhere_holds_sending(tmp_path: Path, harm: str) -> None:
    """F78."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        store = open_store("sqlite:///inboxbot.db", tmp_path / name, now=NOW)
        advance(store)
        assert look_for_older_copy(store, now=NOW) is None
        store.close()
    shutil.copy(tmp_path / "there" / "inboxbot.db", tmp_path / "here" / "inboxbot.db")
    if harm == "without_mark":
        (tmp_path / "here" / "inboxbot.db.installed").unlink()
    store = open_store("sqlite:///inboxbot.db", tmp_path / "here", now=NOW)
    assert look_for_older_copy(store, now=NOW) == harm
    with store.read() as connection:
        assert [one.why for one in standing_stops(connection)] == [harm]
        assert mark_in(connection) == read_mark(store)
    store.close()


def test_a_server_that_lost_its_tables_is_not_taken_for_a_new_installation(tmp_path: Path) -> None:
    """F74."""
    url = fresh_database("postgresql")
    store = open_store(url, tmp_path, now=NOW)
    advance(store)
    with store.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    store.close()
    with pytest.raises(StoreError, match="the database is empty"):
        open_store(url, tmp_path, now=NOW)


def test_nothing_leaves_when_the_mark_cannot_be_written(new_office: NewOffice, smtp: Script, tmp_path: Path) -> None:
    """F78: The dot does not go out: the letter waits, and is sent when the folder can be written again."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    in_the_way = tmp_path / "inboxbot.db.installed.new"
    in_the_way.mkdir()
    assert office.send().sent == 0
    assert smtp.taken == []
    assert office.draft(draft.id).state is DraftState.APPROVED
    in_the_way.rmdir()
    office.clock.advance(minutes=10)
    assert office.send().sent == 1


# --- is it sound? ----------------------------------------------------------------------------------------------------


def test_a_bit_that_turned_is_found_at_the_start_and_once_a_day(new_office: NewOffice, tmp_path: Path) -> None:
    """F75."""
    office = new_office()
    office.receive(*[access(f"Person Nummer{one}") for one in range(30)])
    verify_sound(office.desk.store, now=NOW)
    office.desk.store.close()
    path = tmp_path / "inboxbot.db"
    with closing(sqlite3.connect(path)) as opened:
        (page,) = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ledger_fetched'").fetchone()
    whole = bytearray(path.read_bytes())
    whole[(page - 1) * 4096 + 8 : (page - 1) * 4096 + 200] = b"\xff" * 192
    path.write_bytes(bytes(whole))
    store = Store("sqlite:///inboxbot.db", folder=tmp_path)
    with pytest.raises(DamagedError, match="damaged"):
        verify_sound(store, now=NOW, starting=True)
    verify_sound(store, now=NOW + dt.timedelta(hours=1))
    with pytest.raises(DamagedError, match="damaged"):
        verify_sound(store, now=NOW + dt.timedelta(days=1))
    store.close()
    done = office.installation.run("once", check=False)
    assert done.returncode == 1
    assert "inboxbot restore" in done.stderr
    assert "damaged" in office.installation.run("check", check=False).stdout


def test_a_failed_letter_is_not_sent_again_by_a_restore(
    new_office: NewOffice, smtp: Script, reopen: object, tmp_path: Path
) -> None:
    """F78."""
    office = new_office()
    office.receive(access())
    (draft,) = office.drafts()
    office.approve(draft.id)
    smtp.dot = DROP
    office.send()
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=office.clock())
    smtp.dot = "250 ok"
    put_back(office, file)
    again: Office = reopen(office.installation)  # type: ignore[operator]
    release(again.desk, actor=Actor("Eva Ek", "terminal"), now=again.clock())
    assert again.send().sent == 0
    assert again.draft(draft.id).state is DraftState.UNKNOWN


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_restores_belongs_to_who_owned_it(new_office: NewOffice, tmp_path: Path) -> None:
    office = new_office()
    advance(office.desk.store)
    file = tmp_path / "backup.db"
    back_up(office.desk.store, file, now=NOW)
    files = [tmp_path / "inboxbot.db", tmp_path / "inboxbot.db.installed"]
    for one in files:
        os.chown(one, 12345, 12345)
    put_back(office, file)
    assert {(one.stat().st_uid, one.stat().st_gid) for one in files} == {(12345, 12345)}
