"""Looking at the clocks, and telling whoever is to be told."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from inboxbot.cases.alarms import clock_jump
from inboxbot.daemon.round import Now
from inboxbot.desk.alarms import raise_due
from inboxbot.desk.context import Desk
from inboxbot.errors import InboxbotError
from inboxbot.logs import get_logger
from inboxbot.outbox.alarm_mails import AT_ONCE, tell_staff
from inboxbot.outbox.webhooks import tell_hooks

log = get_logger()
LOOK_EVERY_S = 30.0


def steady_s() -> float:
    """Return seconds that nobody sets, counting the time in which the machine slept where the system can tell it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


class ClockWatch:
    """Notices that the clock was set between two looks. ``steady`` gives seconds that nobody sets."""

    def __init__(self, steady: Callable[[], float] = steady_s) -> None:
        self._steady = steady
        self._last: tuple[dt.datetime, float] | None = None

    def jump(self, now: dt.datetime) -> dt.timedelta:
        """Return by how much the clock was set since the last call, zero at the first."""
        before, self._last = self._last, (now, self._steady())
        return clock_jump(before[0], now, self._last[1] - before[1]) if before else dt.timedelta()


class Alarms:
    """The job of the daemon: tell what was raised, and look at the clocks now and then. One turn at a time."""

    def __init__(self, desk: Desk, *, now: Now, watch: ClockWatch | None = None) -> None:
        self.desk, self.now = desk, now
        self.working = threading.Lock()
        self._watch = watch or ClockWatch()
        self._looked: float | None = None

    def turn(self) -> None:
        """Do it once; a fault is logged and the next turn tries again."""
        with self.working:
            try:
                self._turn()
            except InboxbotError as error:
                log.error("alarms_failed", error=error.what)
            except Exception as error:  # noqa: BLE001  (the timer's own log would show a traceback with values)
                log.error("alarms_failed", error=error)

    def _turn(self) -> None:
        if self._looked is None or time.monotonic() - self._looked >= LOOK_EVERY_S:
            now = self.now()
            raise_due(self.desk, now=now, jump=self._watch.jump(now))
            self._looked = time.monotonic()
        tell_hooks(self.desk, now=self.now)
        tell_staff(self.desk, now=self.now)


def raise_and_tell(desk: Desk, *, now: Now) -> None:
    """Raise every step that has come, and tell webhooks and staff at once, in one mail each."""
    raise_due(desk, now=now())
    tell_hooks(desk, now=now)
    tell_staff(desk, now=now, collect=AT_ONCE)
