"""Opening the database, and the unit of work.

Every write is one transaction that begins IMMEDIATE on SQLite (a plain BEGIN that writes later is refused at once when
another process wrote in between). SQLite runs in WAL mode with ``synchronous=FULL``: committed means durable.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, InternalError, OperationalError

from inboxbot.errors import DamagedError, StoreError

BUSY_TIMEOUT_S = 30


class Store:
    """The database. ``write()`` and ``read()`` give a connection inside a transaction; one writer at a time here."""

    def __init__(self, url: str, *, folder: Path = Path()) -> None:
        self.url = url
        self.folder = folder
        self.path = _sqlite_path(url, folder)
        self.engine = _engine(url, self.path)
        self._writer = threading.Lock()
        self._file: tuple[int, int] | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a write transaction; commits at the end, rolls back on any error."""
        with self._writer, self._transaction(immediate=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a read transaction, which never waits for a writer on SQLite."""
        with self._transaction(immediate=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, immediate: bool) -> Iterator[Connection]:
        self._same_file()
        try:
            with self.engine.connect().execution_options(immediate=immediate) as connection, connection.begin():
                if immediate and not self.is_sqlite:
                    # One writer at a time there too: nothing that was read in this transaction changes before its end.
                    connection.execute(text("SELECT pg_advisory_xact_lock(743203)"))
                yield connection
        except (OperationalError, InternalError) as error:  # internal: PostgreSQL's word for a standby or its limits
            raise self._failure(error.orig, error) from error
        except sqlite3.DatabaseError as error:  # raised while a connection is made ready
            raise self._failure(error, error) from error
        except DatabaseError as error:
            if "malformed" in str(error.orig) or "not a database" in str(error.orig):
                raise self._failure(error.orig, error) from error
            raise

    def _failure(self, cause: BaseException | None, error: Exception) -> StoreError:
        words = (str(cause or error).splitlines() or [type(error).__name__])[0][:200]
        if "malformed" in words or "not a database" in words:
            return DamagedError(
                "the file is damaged or no database", where=self.place, cure="restore the latest backup"
            )
        return StoreError(f"the database did not take the work: {words}", where=self.place, cure=_cure(str(cause)))

    def _same_file(self) -> None:
        """Refuse to go on in a file that was taken away or replaced: what is written there is lost (F74)."""
        if self.path is None:
            return
        try:
            found = self.path.stat()
        except FileNotFoundError:
            found = None
        now = (found.st_dev, found.st_ino) if found else None
        if self._file is None:
            self._file = now
        elif now != self._file:
            raise StoreError(
                "the database file was removed or replaced while the program runs",
                where=self.place,
                cure="put it back and start again",
            )

    def beside(self, suffix: str) -> Path:
        """Return a file that goes with the database: beside an embedded one, else in the folder of the settings."""
        if self.path is not None:
            return self.path.with_name(f"{self.path.name}{suffix}")
        return self.folder / f"{self.engine.url.database}{suffix}"

    @property
    def place(self) -> str:
        """The file, or the server without its password."""
        return str(self.path) if self.path else self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _sqlite_path(url: str, folder: Path) -> Path | None:
    if not url.startswith("sqlite:///"):
        return None
    return folder / url.removeprefix("sqlite:///")


def _engine(url: str, path: Path | None) -> Engine:
    # Statements' values are personal data: no error text may show them (promise D5).
    if path is None:
        # The encoding is named so that a server that keeps text as mere bytes answers at all, and can be refused in
        # words; the times so that a line that swallows everything ends as an error, not never.
        wishes: dict[str, Any] = {"client_encoding": "utf8", "keepalives_idle": 30, "tcp_user_timeout": 30_000}
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=wishes)
    if not path.parent.is_dir():
        raise StoreError("the folder of the database does not exist", where=str(path.parent), cure="create it")
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves, see _begin
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _cure(message: str) -> str:
    cures = {
        "locked": "another program holds it; try again, or stop the other program",
        "full": "free some disk space; nothing was lost, the work goes on by itself",
        "readonly": "give this user the right to write the file and its folder",
        "read-only transaction": "that server takes no writes: name the primary in database.url",
        "unable to open": "check that the folder exists and may be written by this user",
        "no such table": "run `inboxbot db upgrade`",
        "refused": "check that the database server runs and that database.url names it",
    }
    return next((cure for key, cure in cures.items() if key in message), "see the message of the database")


def verify_durability(store: Store) -> None:
    """Refuse to go on when a commit would not be durable (promise D1)."""
    with store.read() as connection:
        _, faults = durability_faults(connection)
        if faults:
            cure = "use a local disk" if store.is_sqlite else "switch it on for this database"
            raise StoreError("; ".join(faults), where=store.place, cure=cure)
        if not store.is_sqlite and connection.execute(text("SHOW server_encoding")).scalar_one() != "UTF8":
            raise StoreError("the database's encoding is not UTF8", where=store.place, cure="create it with UTF8")


def durability_faults(connection: Connection) -> tuple[int, list[str]]:
    """Return how many settings were looked at, and those by which a commit could be lost with the power."""
    if connection.dialect.name == "sqlite":
        wanted = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "2"}
        found = {name: str(connection.execute(text(name)).scalar_one()) for name in wanted}
        wrong = [name for name, value in wanted.items() if found[name] != value]
        return len(wanted), [f"{name.removeprefix('PRAGMA ')}={found[name]}" for name in wrong]
    names = ("synchronous_commit", "fsync", "full_page_writes")
    off = [name for name in names if connection.execute(text(f"SHOW {name}")).scalar_one() == "off"]
    return len(names), [f"{name} is off" for name in off]
