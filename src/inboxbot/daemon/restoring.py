"""Making a backup of an installation, and putting one in the place of its database."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from inboxbot.config.model import Settings
from inboxbot.crash import crash_here
from inboxbot.daemon.lock import sole_worker
from inboxbot.desk.restored import RESTORED, take_over
from inboxbot.desk.retention import erased_path
from inboxbot.errors import StoreError
from inboxbot.logs import get_logger
from inboxbot.outbox.journal import Journal, accepted_in, journal_path
from inboxbot.store.backup import make_backup
from inboxbot.store.engine import Store
from inboxbot.store.generation import Mark, read_mark, write_mark
from inboxbot.store.restore import (
    load_into_server,
    merge_lines,
    numbers_of,
    put_in_place,
    read_backup,
    remove,
    secret_of,
)
from inboxbot.store.schema import secret, upgrade
from inboxbot.store.tables import cases

LOCK_WAIT_S = 1.0
log = get_logger()


def side_files(store: Store) -> dict[str, Path]:
    """Return the files that go with a database into its backup."""
    return {"sent": journal_path(store), "erased": erased_path(store)}


def back_up(store: Store, target: Path, *, now: dt.datetime) -> dict[str, Any]:
    """Write a backup of an open database and return what is in it. The daemon may work meanwhile."""
    with store.read() as connection:
        count = connection.execute(select(func.count()).select_from(cases)).scalar_one()
    make_backup(store, target, now=now, side_files=side_files(store))
    log.info("backup_made", cases=count)
    return {
        "file": str(target),
        "made_at": now,
        "database": store.place,
        "bytes": target.stat().st_size,
        "cases": count,
    }


def restore(settings: Settings, file: Path, *, now: dt.datetime) -> dict[str, Any]:
    """Put a backup in the place of the database, and hold all sending until a person releases it.

    What stood there is kept beside it. Raises StoreError while a daemon works, or when the file cannot be used; then
    nothing is changed.
    """
    with closing(Store(settings.database.url, folder=settings.folder)) as store:
        if store.path is not None and store.path.exists() and file.exists() and file.samefile(store.path):
            raise StoreError("that is the database itself", where=str(file), cure="name a backup")
        with sole_worker(store, wait_s=LOCK_WAIT_S):
            work = store.beside(".restoring")
            try:
                return _restore(store, file, work, now)
            except OSError as error:
                raise StoreError(
                    f"the backup could not be put in place: {error.strerror}",
                    where=store.place,
                    cure="see that there is room and that this user may write the folder, then try again",
                ) from error
            finally:
                remove(work)


def _restore(store: Store, file: Path, work: Path, now: dt.datetime) -> dict[str, Any]:
    told = read_backup(file, work)
    stands = secret_of(store)
    accepted = {**accepted_in(told.files.get("sent", "")), **Journal(journal_path(store)).accepted()}
    with closing(Store(f"sqlite:///{work.absolute()}")) as copy:
        upgrade(copy, now=now, keep_copy=False)
        with copy.write() as connection:
            taken = numbers_of(store) if stands == secret(connection) else None
            before = read_mark(store)
            detail = {"made_at": told.made_at.isoformat() if told.made_at else ""}
            mark, doubted = take_over(
                connection,
                RESTORED,
                now=now,
                detail=detail,
                accepted=accepted,
                taken=taken,
                least=before.generation if before else 0,
            )
        # What is known of letters that left must be there when the database is: its first start reads it.
        merge_lines(journal_path(store), told.files.get("sent", ""))
        merge_lines(erased_path(store), told.files.get("erased", ""))
        crash_here("restore_prepared")
        kept = _replace(store, copy, work, mark, now)
    log.warning("database_restored", unknown=doubted)
    return {
        "file": str(file),
        "made_at": told.made_at,
        "database": store.place,
        "kept": str(kept) if kept else None,
        "upgraded_from": told.revision,
        "unknown": doubted,
        "sending": "stopped",
    }


def _replace(store: Store, copy: Store, work: Path, mark: Mark, now: dt.datetime) -> Path | None:
    kept = store.beside(f".replaced-{now:%Y%m%dT%H%M%S}")
    if store.path is None:
        replaced = load_into_server(store, copy, kept=kept, side_files=side_files(store), now=now)
        write_mark(store, mark)
        return replaced
    copy.close()
    return put_in_place(store, work, mark=mark, kept=kept)
