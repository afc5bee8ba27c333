"""Bringing the database to this program's schema, and refusing one that is newer or missing."""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select, text

from inboxbot.crash import crash_here
from inboxbot.errors import StoreError
from inboxbot.store.engine import Store
from inboxbot.store.tables import installation

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store, *, now: dt.datetime, keep_copy: bool = True) -> str | None:
    """Bring the schema up to date in one transaction and return the revision it had before (None: empty).

    On SQLite a copy of an existing file is kept beside it as ``NAME.before-REVISION`` first, unless it is one itself.
    Raises StoreError for a database made by a newer program.
    """
    before = revision(store)
    if before == known_revisions()[-1]:
        return before
    if before is not None:
        _refuse_newer(store, before)
        if keep_copy:
            _keep_copy(store, before)
    with store.write() as connection:
        if not store.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(743201)"))
        from alembic import command  # noqa: PLC0415 - takes longer to import than most commands take to run

        command.upgrade(_alembic(connection), "head")
        if connection.execute(select(installation.c.id)).first() is None:
            connection.execute(insert(installation).values(id=1, secret=secrets.token_bytes(32), created_at=now))
        crash_here("upgrade_in_transaction")
    if store.path is not None:
        store.path.chmod(0o600)
    return before


def known_revisions() -> tuple[str, ...]:
    """Return the revisions this program has, oldest first: each migration's file begins with its own."""
    return tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")))


def revision(store: Store) -> str | None:
    """Return the schema revision of the database, or None when it has no tables yet."""
    with store.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return str(found) if found is not None else None


def require_current(store: Store) -> None:
    """Raise StoreError unless the schema is exactly this program's."""
    found = revision(store)
    if found == known_revisions()[-1]:
        return
    if found is None:
        raise StoreError("the database is empty", where=store.place, cure="run `inboxbot db upgrade` once")
    _refuse_newer(store, found)
    raise StoreError(
        f"the schema {found} is older than the program", where=store.place, cure="run `inboxbot db upgrade`"
    )


def secret(connection: Connection) -> bytes:
    """Return the installation's secret (32 bytes)."""
    return bytes(connection.execute(select(installation.c.secret)).scalar_one())


def _refuse_newer(store: Store, found: str) -> None:
    if found not in known_revisions():
        raise StoreError(
            f"the schema {found} is newer than this program", where=store.place, cure="install the newer inboxbot again"
        )


def _keep_copy(store: Store, before: str) -> None:
    if store.path is None:
        return
    copy = store.path.with_name(f"{store.path.name}.before-{before}")
    if copy.exists():
        return
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)


def _alembic(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
