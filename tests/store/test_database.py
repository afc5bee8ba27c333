"""What the database promises, on SQLite and PostgreSQL alike (promises.md D1, D3, D11, B5)."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel
from tests.servers.offices import NewOffice, fresh_database
from tests.servers.postgresql import shared_postgresql
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access

from inboxbot.errors import StoreError
from inboxbot.store.drafts import Turn, next_due
from inboxbot.store.engine import Store, verify_durability
from inboxbot.store.opening import marker_of, open_store
from inboxbot.store.schema import MIGRATIONS, known_revisions, require_current, revision, upgrade
from inboxbot.store.tables import installation, ledger, mailboxes
from inboxbot.store.types import UtcMoment

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[Store]:
    one = open_store(database, tmp_path, now=NOW)
    yield one
    one.close()


def test_the_migrations_give_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    require_current(store)


def test_opening_twice_changes_nothing_and_keeps_the_secret(store: Store, database: str, tmp_path: Path) -> None:
    with store.read() as connection:
        secret = connection.execute(select(installation.c.secret)).scalar_one()
    again = open_store(database, tmp_path, now=NOW)
    with again.read() as connection:
        assert connection.execute(select(installation.c.secret)).scalar_one() == secret
    again.close()
    assert len(bytes(secret)) == 32


def test_two_first_starts_at_once_make_one_installation(database: str, tmp_path: Path) -> None:
    """F84."""
    failed: list[BaseException] = []
    start = threading.Barrier(4)

    def first_start() -> None:
        start.wait()
        try:
            open_store(database, tmp_path, now=NOW).close()
        except BaseException as error:  # noqa: BLE001  (shown below)
            failed.append(error)

    starts = [threading.Thread(target=first_start) for _ in range(4)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()

    assert failed == []
    store = open_store(database, tmp_path, now=NOW)
    with store.read() as connection:
        assert len(connection.execute(select(installation)).all()) == 1
    store.close()


def test_history_rows_can_be_added_and_never_changed_or_removed(
    new_office: NewOffice, smtp: Script, database: str
) -> None:
    """E87."""
    office = new_office(database)
    office.receive(access())
    store = office.desk.store
    before = office.rows("SELECT id, case_id, sequence, event, hash FROM history ORDER BY id")
    assert len(before) == 2

    statements = ["UPDATE history SET actor = 'x'", "DELETE FROM history", "DELETE FROM history WHERE id = 1"]
    if not store.is_sqlite:
        statements.append("TRUNCATE history")
    for statement in statements:
        with pytest.raises((DBAPIError, StoreError), match="append-only"), store.write() as connection:
            connection.execute(text(statement))

    assert office.rows("SELECT id, case_id, sequence, event, hash FROM history ORDER BY id") == before


def test_a_moment_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a time zone"), store.write() as connection:
        connection.execute(
            insert(mailboxes).values(address="a@example.se", company="x", served_at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
        )
    assert UtcMoment().process_bind_param(None, store.engine.dialect) is None


def test_moments_come_back_as_they_went_in_whatever_their_zone(store: Store) -> None:
    moment = dt.datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with store.write() as connection:
        connection.execute(insert(mailboxes).values(address="a@example.se", company="x", served_at=moment))
    with store.read() as connection:
        found = connection.execute(select(mailboxes.c.served_at)).scalar_one()
    assert found == moment
    assert found.utcoffset() == dt.timedelta()


def test_one_message_has_one_ledger_row_by_the_schema_itself(new_office: NewOffice, database: str) -> None:
    office = new_office(database)
    office.receive(access())
    with office.desk.store.read() as connection:
        row = dict(connection.execute(select(ledger)).one()._mapping)
    with pytest.raises(DBAPIError, match=r"(?i)unique"), office.desk.store.write() as connection:
        connection.execute(insert(ledger).values({**row, "id": 999}))


def test_error_texts_hold_no_values(new_office: NewOffice, database: str) -> None:
    """E80."""
    office = new_office(database)
    with pytest.raises(DBAPIError) as caught, office.desk.store.write() as connection:
        connection.execute(
            insert(ledger).values(id=1, folder_id=1, uidvalidity=1, uid=1, digest="anna.berg@example.org", state="no")
        )
    assert "anna.berg" not in str(caught.value).replace(str(caught.value.orig), "")


def test_an_error_leaves_nothing_behind(store: Store) -> None:
    def work() -> None:
        with store.write() as connection:
            connection.execute(insert(mailboxes).values(address="a@example.se", company="x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    with store.read() as connection:
        assert connection.execute(select(mailboxes)).all() == []


def test_a_newer_schema_is_refused(store: Store, database: str, tmp_path: Path) -> None:
    """F84."""
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (lambda: open_store(database, tmp_path, now=NOW), lambda: require_current(store)):
        with pytest.raises(StoreError, match="newer than this program"):
            attempt()


def test_the_revisions_are_known_without_reading_the_migrations() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert list(known_revisions()) == [one.revision for one in script.walk_revisions()][::-1]
    assert known_revisions()[-1] == script.get_current_head()


def test_an_older_schema_is_brought_up_with_a_copy_kept_first(tmp_path: Path) -> None:
    """F84."""
    from alembic import command

    from inboxbot.store.schema import _alembic

    store = Store("sqlite:///inboxbot.db", folder=tmp_path)
    with store.write() as connection:
        command.upgrade(_alembic(connection), "0001")
        as_it_was = "INSERT INTO installation (id, secret, created_at) VALUES (1, :secret, '2026-11-22 08:00:00')"
        connection.execute(text(as_it_was), {"secret": b"s" * 32})
    with pytest.raises(StoreError, match="older than the program"):
        require_current(store)

    assert upgrade(store, now=NOW) == "0001"

    assert revision(store) == known_revisions()[-1]
    with store.read() as connection:
        assert bytes(connection.execute(select(installation.c.secret)).scalar_one()) == b"s" * 32
    store.close()
    copy = tmp_path / "inboxbot.db.before-0001"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


# --- SQLite ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Store]:
    one = open_store("sqlite:///inboxbot.db", tmp_path, now=NOW)
    yield one
    one.close()


def test_commits_are_durable_and_deleted_words_are_overwritten(file_store: Store) -> None:
    """F7, E83."""
    with file_store.read() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
                 for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")}  # fmt: skip
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    verify_durability(file_store)


def test_a_database_that_could_lose_commits_is_refused(file_store: Store) -> None:
    """F7."""

    @event.listens_for(file_store.engine, "connect")
    def _weaken(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.execute("PRAGMA synchronous=OFF")

    file_store.engine.dispose()
    with pytest.raises(StoreError, match="synchronous=0"):
        verify_durability(file_store)


def test_the_next_letter_is_found_by_the_index_of_what_is_due(file_store: Store) -> None:
    """Thousands of approved letters are not sorted anew for each that is sent."""
    asked: list[tuple[str, object]] = []

    @event.listens_for(file_store.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, values: object, *_rest: object) -> None:
        asked.append((statement, values))

    with file_store.read() as connection:
        for turn in (Turn(), Turn(at=NOW, id=5)):
            next_due(connection, NOW, turn)
            statement, values = asked[-1]
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()  # type: ignore[arg-type]
            assert "drafts_due" in plan[0].detail
            assert not any("TEMP" in one.detail for one in plan)


def test_every_write_begins_immediate(new_office: NewOffice, smtp: Script) -> None:
    """F73."""
    office = new_office()
    begun: list[str] = []
    written: list[str] = []

    @event.listens_for(office.desk.store.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        verb = statement.split(maxsplit=1)[0].upper()
        if verb == "BEGIN":
            begun.append(statement)
        elif verb in {"INSERT", "UPDATE", "DELETE"}:
            written.append(begun[-1])

    office.receive(access())
    office.approve(office.drafts()[0].id)
    office.send()
    assert len(written) > 15
    assert set(written) == {"BEGIN IMMEDIATE"}
    assert "BEGIN" in begun, "what only reads waits for no writer"


def test_a_locked_database_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F72."""
    from inboxbot.store import engine

    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.2)
    store = open_store("sqlite:///inboxbot.db", tmp_path, now=NOW)
    with closing(sqlite3.connect(tmp_path / "inboxbot.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds it"), store.write():
            pass
        with store.read() as connection:
            assert connection.execute(select(installation.c.id)).scalar_one() == 1
        other.execute("ROLLBACK")
    with store.write() as connection:
        connection.execute(insert(mailboxes).values(address="a@example.se", company="x"))
    store.close()


def test_a_full_database_is_named_and_goes_on_when_there_is_room(file_store: Store) -> None:
    """F70."""
    pages = 0

    @event.listens_for(file_store.engine, "begin")
    def _limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages or 1_000_000}")  # type: ignore[attr-defined]

    with file_store.read() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    many = [{"address": f"{number}@example.se", "company": "x" * 1000} for number in range(500)]
    with pytest.raises(StoreError, match="full"), file_store.write() as connection:
        connection.execute(insert(mailboxes), many)
    pages = 0
    with file_store.write() as connection:
        connection.execute(insert(mailboxes), many)
    with file_store.read() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        assert len(connection.execute(select(mailboxes)).all()) == 500


@pytest.mark.parametrize("harm", ["removed", "emptied"])
def test_a_vanished_database_is_never_replaced_by_an_empty_one(file_store: Store, tmp_path: Path, harm: str) -> None:
    """F74."""
    file_store.close()
    path = tmp_path / "inboxbot.db"
    for name in ("", "-wal", "-shm"):
        Path(f"{path}{name}").unlink(missing_ok=True)
    if harm == "emptied":
        path.touch()

    with pytest.raises(StoreError, match=r"the database is (gone|empty)"):
        open_store("sqlite:///inboxbot.db", tmp_path, now=NOW)

    assert not path.exists() or path.stat().st_size == 0
    marker_of(path).unlink()
    path.unlink(missing_ok=True)
    open_store("sqlite:///inboxbot.db", tmp_path, now=NOW).close()


@pytest.mark.parametrize("harm", ["removed", "replaced"])
def test_a_database_taken_away_while_the_program_runs_stops_the_work(
    file_store: Store, tmp_path: Path, harm: str
) -> None:
    """F74."""
    path = tmp_path / "inboxbot.db"
    path.rename(tmp_path / "elsewhere.db")
    if harm == "replaced":
        sqlite3.connect(path).close()
        path.write_bytes(b"")
    for work in (file_store.write, file_store.read):
        with pytest.raises(StoreError, match="removed or replaced"), work():
            pass
    assert not path.exists() or path.stat().st_size == 0


@pytest.mark.parametrize("content", [b"not a database at all, just words\n" * 200, None])
def test_what_is_no_database_is_named_in_words(tmp_path: Path, content: bytes | None) -> None:
    """F75."""
    path = tmp_path / "inboxbot.db"
    if content is None:
        open_store("sqlite:///inboxbot.db", tmp_path, now=NOW).close()
        whole = bytearray(path.read_bytes())
        whole[4096 : 4096 * 3] = os.urandom(4096 * 2)
        path.write_bytes(bytes(whole))
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged or no database"):
        open_store("sqlite:///inboxbot.db", tmp_path, now=NOW)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder of the database does not exist"):
        open_store("sqlite:///nowhere/inboxbot.db", tmp_path, now=NOW)


def test_the_files_are_for_the_owner_alone(file_store: Store, tmp_path: Path) -> None:
    """E70."""
    assert (tmp_path / "inboxbot.db").stat().st_mode & 0o777 == 0o600
    assert marker_of(tmp_path / "inboxbot.db").stat().st_mode & 0o777 == 0o600


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def test_a_connection_cut_inside_a_transaction_is_a_named_fault_and_the_next_one_works(tmp_path: Path) -> None:
    """F79."""
    url = fresh_database("postgresql")
    store = open_store(url, tmp_path, now=NOW)

    def work() -> None:
        with store.write() as connection:
            connection.execute(insert(mailboxes).values(address="a@example.se", company="x"))
            shared_postgresql().kill_connections(url)
            connection.execute(insert(mailboxes).values(address="b@example.se", company="x"))

    with pytest.raises(StoreError):
        work()
    with store.write() as connection:
        assert connection.execute(select(mailboxes)).all() == []
        connection.execute(insert(mailboxes).values(address="c@example.se", company="x"))
    store.close()


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_store("postgresql+psycopg://anna:hemligt@127.0.0.1:1/inboxbot", tmp_path, now=NOW)
    assert "127.0.0.1:1" in str(caught.value)
    assert "hemligt" not in str(caught.value)


def test_a_database_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """F81."""
    url = shared_postgresql().new_database("SQL_ASCII")
    with pytest.raises(StoreError, match="not UTF8"):
        open_store(url, tmp_path, now=NOW)


def test_asynchronous_commits_are_refused(tmp_path: Path) -> None:
    """F7."""
    server = shared_postgresql()
    url = server.new_database()
    server.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    with pytest.raises(StoreError, match="synchronous_commit is off"):
        open_store(url, tmp_path, now=NOW)


def test_writers_on_several_machines_take_turns(tmp_path: Path) -> None:
    """F44: Two programs read, then write on what they read: neither loses the other's change."""
    url = fresh_database("postgresql")
    stores = [open_store(url, tmp_path, now=NOW) for _ in range(4)]
    with stores[0].write() as connection:
        connection.execute(insert(mailboxes).values(address="0", company="x"))

    def count_up(store: Store) -> None:
        for _ in range(10):
            with store.write() as connection:
                number = int(connection.execute(select(mailboxes.c.address)).scalar_one())
                connection.execute(mailboxes.update().values(address=str(number + 1)))

    machines = [threading.Thread(target=count_up, args=(one,)) for one in stores]
    for one in machines:
        one.start()
    for one in machines:
        one.join()
    with stores[0].read() as connection:
        assert connection.execute(select(mailboxes.c.address)).scalar_one() == "40"
    for each in stores:
        each.close()


def test_both_databases_make_the_same_of_the_same_mails(new_office: NewOffice, tmp_path: Path) -> None:
    """F82, and C, general rule: whatever a mail holds, the result is the same on SQLite and PostgreSQL."""
    from inboxbot.reading.values import UnreadableError

    files = sorted((Path(__file__).parents[1] / "mails").glob("*.eml"))
    found = []
    for kind in ("sqlite", "postgresql"):
        office = new_office(fresh_database(kind), folder=tmp_path / kind)
        for file in files:
            try:
                office.receive(file.read_bytes())
            except UnreadableError:
                continue  # held by the round before it comes to the database
        rows = office.rows("SELECT uid, state, reason, case_id FROM ledger ORDER BY id")
        mails = office.rows("SELECT case_id, sender, subject, text FROM mails ORDER BY id")
        drafts = office.rows("SELECT case_id, template, language, recipient, subject FROM drafts ORDER BY id")
        found.append((rows, mails, drafts))
    assert len(found[0][0]) > 80
    assert found[0] == found[1]
