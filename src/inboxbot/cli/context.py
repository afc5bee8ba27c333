"""What commands share: the settings, read when first needed, and the open database."""

from __future__ import annotations

import datetime as dt
import getpass
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inboxbot.config.model import Settings
    from inboxbot.desk.context import Actor, Desk

DEFAULT_ZONE = "Europe/Stockholm"


class Context:
    """The object every command gets. ``config_path`` is None when none was named."""

    def __init__(self, config_path: Path | None) -> None:
        self.config_path = config_path
        self._settings: Settings | None = None

    def settings(self) -> Settings:
        """Return the settings. Raises ConfigError with everything that is wrong with them."""
        from inboxbot.config.load import default_path, load_settings
        from inboxbot.logs import configure

        if self._settings is None:
            self._settings = load_settings(self.config_path or default_path())
            configure(level=self._settings.log.level, form=self._settings.log.format)
        return self._settings

    def zone(self) -> ZoneInfo:
        """Return the zone of the first company, or Europe/Stockholm when there are no settings."""
        from inboxbot.config.load import default_path

        if self.config_path is None and not default_path().exists():
            return ZoneInfo(DEFAULT_ZONE)
        return self.settings().company[0].zone

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open the database with its schema up to date and give the desk."""
        from inboxbot.desk.context import Desk
        from inboxbot.desk.restored import look_for_older_copy
        from inboxbot.store.opening import open_store
        from inboxbot.store.schema import secret

        settings = self.settings()
        store = open_store(settings.database.url, settings.folder, now=now())
        try:
            look_for_older_copy(store, now=now())
            with store.read() as connection:
                key = secret(connection)
            yield Desk(store, settings, key)
        finally:
            store.close()


def now() -> dt.datetime:
    """Return this moment. Commands are the only ones that read the clock; rooms are told."""
    return dt.datetime.now(dt.UTC)


def terminal_actor(name: str | None = None) -> Actor:
    """Return who acts from the terminal: the name given, else the name of the user who is signed in."""
    from inboxbot.desk.context import Actor

    return Actor(name or getpass.getuser(), "terminal")
