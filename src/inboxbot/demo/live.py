"""The demo as it goes on: a mail comes now and then, and what happens is told as it happens."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

from inboxbot.demo.picture import picture
from inboxbot.demo.stage import Stage
from inboxbot.desk.context import Desk
from inboxbot.logs import get_logger

log = get_logger()
FIRST_AFTER_S, EVERY_S, LOOK_EVERY_S = 15.0, 30.0, 1.0


class Live(threading.Thread):
    """Delivers the later mails one by one and tells of every mail that was taken and every answer that was noticed."""

    def __init__(self, stage: Stage, desk: Desk, tell: Callable[[dict[str, Any]], None], now: Callable[[], dt.datetime]) -> None:
        super().__init__(name="demo-live", daemon=True)
        self._stage, self._desk, self._tell, self._now = stage, desk, tell, now
        self._known = len(self._mails())
        self._end = threading.Event()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._end.set()
        self.join(5)

    def run(self) -> None:
        """Work until stopped."""
        due = time.monotonic() + FIRST_AFTER_S
        while not self._end.wait(LOOK_EVERY_S):
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + EVERY_S
                    self._stage.deliver_next(self._now())
                self._tell_news()
            except Exception as error:  # noqa: BLE001  (the show ends here, the work goes on)
                log.error("demo_stopped_telling", error=error)
                return

    def _tell_news(self) -> None:
        mails = self._mails()
        for one in mails[self._known :]:
            self._tell(one)
        self._known = len(mails)

    def _mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = picture(self._stage, self._desk, self._now())["mails"]
        return found
