"""Watching over the sole right to work with the database while the daemon runs (promises.md D10, F79)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inboxbot.daemon.lock import SoleRight
from inboxbot.errors import StoreError
from inboxbot.logs import get_logger

log = get_logger()
EVERY_S: Final = 2.0
TAKEN_OVER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Steps:
    """What the daemon does when the right is lost, when it has it again, and when somebody else has it for good."""

    pause: Callable[[], None]
    go_on: Callable[[], None]
    give_up: Callable[[], None]


class Keeper(threading.Thread):
    """Asks every two seconds whether the right is still held.

    When it was lost the work pauses at once, and goes on when the right is had again: after an outage of the database
    by itself. When the database answers and somebody else has the right for five seconds, that one does the work.
    """

    def __init__(self, right: SoleRight, steps: Steps, reachable: Callable[[], bool]) -> None:
        """``reachable`` says whether the database answers."""
        super().__init__(name="sole-right", daemon=True)
        self._right, self._steps, self._reachable = right, steps, reachable
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the thread; it may be asking the server still, and nothing waits for that."""
        self._stopping.set()

    def run(self) -> None:
        """Watch until stopped, or until somebody else does the work."""
        while not self._stopping.wait(EVERY_S):
            if self._right.held():
                continue
            log.error("sole_right_lost")
            self._steps.pause()
            if not self._regained():
                return
            log.warning("sole_right_regained")
            self._begin_again()

    def _begin_again(self) -> None:
        while not self._stopping.is_set():
            try:
                self._steps.go_on()
            except StoreError as error:
                log.error("database_not_usable", error=error.what)
                self._stopping.wait(EVERY_S)
            else:
                return

    def _regained(self) -> bool:
        refused_since: float | None = None
        while not self._stopping.is_set():
            if self._right.regain():
                return True
            if not self._reachable():
                refused_since = None
            elif refused_since is None:
                refused_since = time.monotonic()
            elif time.monotonic() - refused_since > TAKEN_OVER_S:
                self._steps.give_up()
                return False
            self._stopping.wait(0.5)
        return False
