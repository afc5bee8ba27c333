"""What a process that holds people's mail does before it begins (promises.md E70, E77, E79)."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path
from typing import Final

from inboxbot.config.model import Settings
from inboxbot.logs import get_logger

log = get_logger()


_EMBEDDED: Final = "sqlite:///"


def begin_tidily(settings: Settings) -> None:
    """Make new files readable by nobody else, write no core dumps, and warn of what a person should change.

    Folders and files that are there are left as they are.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0:
        log.warning("runs_as_root", cure="run it as a user of its own")
    url = settings.database.url
    database = settings.folder / url.removeprefix(_EMBEDDED) if url.startswith(_EMBEDDED) else None
    _warn_of_readers({settings.folder, database.parent if database else settings.folder}, database)


def _warn_of_readers(folders: set[Path], database: Path | None) -> None:
    for folder in sorted(folders):
        if folder.is_dir() and folder.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH):
            log.warning("folder_open_to_others", folder=str(folder.resolve()), cure="chmod o-rwx")
    if database is not None and database.is_file() and database.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("database_open_to_others", file=str(database.resolve()), cure="chmod 600")
