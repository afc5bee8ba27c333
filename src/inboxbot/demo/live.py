"""The demo as it goes on: a mail comes now and then, and what happens is told as it happens."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from inboxbot.demo.picture import picture, stamp
from inboxbot.demo.stage import Stage
from inboxbot.desk.context import Desk
from inboxbot.logs import get_logger

log = get_logger()
FIRST_AFTER_S, EVERY_S, LOOK_EVERY_S = 15.0, 30.0, 1.0


class Teller(Protocol):
    """Who tells people what happens."""

    def mail(self, one: dict[str, Any]) -> None:
        """Tell of a mail that was taken; its shape is that of `picture`."""

    def answered(self, case: dict[str, Any]) -> None:
        """Tell of a case whose promise is answered now; its shape is that of `cases list`."""


class Live(threading.Thread):
    """Delivers the later mails one by one, and tells of every mail that was taken and every promise that was met."""

    def __init__(self, stage: Stage, desk: Desk, teller: Teller, now: Callable[[], dt.datetime]) -> None:
        super().__init__(name="demo-live", daemon=True)
        self._stage, self._desk, self._teller, self._now = stage, desk, teller, now
        self._end = threading.Event()
        self._stamp = stamp(desk)
        shown = picture(stage, desk, now())
        self._told = len(shown["mails"])
        self._answered = _answered(shown)

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
                self._look()
            except Exception as error:  # noqa: BLE001  (the show ends here, the work goes on)
                log.error("demo_stopped_telling", error=error)
                return

    def _look(self) -> None:
        """Tell what is new since the last look."""
        if (found := stamp(self._desk)) == self._stamp:
            return
        self._stamp = found
        shown = picture(self._stage, self._desk, self._now())
        for one in shown["mails"][self._told :]:
            self._teller.mail(one)
        self._told = len(shown["mails"])
        answered = _answered(shown)
        for reference in answered.keys() - self._answered.keys():
            self._teller.answered(answered[reference])
        self._answered = answered


def _answered(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {case["reference"]: case for case in shown["cases"] if case["promise"]["first_answer_at"]}
