"""Looking addresses up beside everything else, in a thread of its own: no mail and no letter waits for a register."""

from __future__ import annotations

import threading
from typing import Final

from inboxbot.daemon.round import Now
from inboxbot.desk.context import Desk
from inboxbot.desk.lookup import look_up_waiting
from inboxbot.errors import StoreError
from inboxbot.logs import get_logger

log = get_logger()
EVERY_S: Final = 2.0
END_WITHIN_S: Final = 2.0


class Lookups(threading.Thread):
    """The thread that searches the systems of the settings for whoever's identity is in question."""

    def __init__(self, desk: Desk, *, now: Now) -> None:
        super().__init__(name="lookups", daemon=True)
        self.desk, self.now = desk, now
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the thread, and whatever command it waits for."""
        self._stopping.set()
        if self.is_alive():
            self.join(END_WITHIN_S)

    def run(self) -> None:
        """Search until stopped. A fault is logged, and the next turn tries again."""
        while not self._stopping.wait(EVERY_S):
            try:
                look_up_waiting(self.desk, now=self.now, stop=self._stopping.is_set)
            except StoreError as error:
                log.error("database_not_usable", error=error.what)
            except Exception as error:  # noqa: BLE001  (a thread that dies silently would stop all lookups unseen)
                log.error("lookups_failed", error=error)
