"""The daemon: a watcher a mailbox, jobs on a timer, and a tidy end on SIGTERM or Ctrl-C."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import threading
import time
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.background import BackgroundScheduler

from inboxbot.daemon.alarms import Alarms
from inboxbot.daemon.auditing import audit_daily
from inboxbot.daemon.daily import keep_house
from inboxbot.daemon.lock import SoleRight
from inboxbot.daemon.lookups import Lookups
from inboxbot.daemon.once import places
from inboxbot.daemon.right import Keeper, Steps
from inboxbot.daemon.round import Now
from inboxbot.daemon.systemd import tell_systemd
from inboxbot.daemon.watcher import Watcher
from inboxbot.desk.context import Desk
from inboxbot.desk.gate import remind
from inboxbot.errors import DamagedError, InboxbotError, StoreError
from inboxbot.logs import get_logger
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.outbox.journal import Journal
from inboxbot.outbox.runner import send_due
from inboxbot.outbox.webhooks import tell_systems
from inboxbot.store.generation import advance
from inboxbot.store.integrity import verify_sound

log = get_logger()
END_WITHIN_S = 8.0
AUDIT_AFTER = dt.timedelta(minutes=3)  # what a stop left open is taken by then


class Service:
    """Everything that works by itself, until it is told to stop."""

    def __init__(
        self, desk: Desk, pool: ReadingPool, journal: Journal, *, now: Now, right: SoleRight | None = None
    ) -> None:
        """``right`` is the sole right to do all this, watched over while the daemon runs."""
        self.desk, self.pool, self.journal, self.now = desk, pool, journal, now
        self.stopping = threading.Event()
        self._watchers: list[Watcher] = []
        self._lookups = Lookups(desk, now=now)
        self._paused = threading.Event()
        self._fault: StoreError | None = None
        self._alarms = Alarms(desk, now=now)
        self._jobs = self._scheduler()
        steps = Steps(self._pause, self._go_on, self._give_up)
        self._keeper = Keeper(right, steps, self._reachable) if right is not None else None
        self._sending = threading.Lock()
        self._auditing = threading.Lock()

    def run(self) -> None:
        """Work until a signal comes; returns within ten seconds of it.

        Raises StoreError when another inboxbot took the work over, or the database is damaged.
        """
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, self._signalled)
        self.start()
        self._jobs.start()
        if self._keeper is not None:
            self._keeper.start()
        log.info("started", mailboxes=len(self._watchers))
        tell_systemd("READY=1")
        while not self.stopping.wait(1.0):
            tell_systemd("WATCHDOG=1")
            self._heartbeat()
        tell_systemd("STOPPING=1")
        log.info("stopping")
        if self._keeper is not None:
            self._keeper.stop()
        self._jobs.shutdown(wait=False)
        self.stop()
        self._end()
        if self._fault is not None:
            raise self._fault

    def start(self) -> None:
        """Start the workers and the watchers (not the jobs, not the signals)."""
        self.pool.warm()
        self._watchers = [
            Watcher(self.desk, self.pool, address, place, now=self.now) for address, place in places(self.desk)
        ]
        for watcher in self._watchers:
            watcher.start()
        self._lookups = Lookups(self.desk, now=self.now)
        self._lookups.start()

    def stop(self) -> None:
        """Stop the watchers and wait for them a few seconds."""
        for watcher in self._watchers:
            watcher.stop()
        self._lookups.stop()
        deadline = time.monotonic() + END_WITHIN_S / 2
        for watcher in self._watchers:
            watcher.join(max(0.0, deadline - time.monotonic()))

    def _scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(3)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        every = self.desk.settings.daemon.outbox_every_s
        scheduler.add_job(self.send, "interval", seconds=every, id="outbox")
        scheduler.add_job(self._alarms.turn, "interval", seconds=every, id="alarms")
        soon = self.now() + dt.timedelta(minutes=1)
        scheduler.add_job(self.keep_house, "interval", hours=1, next_run_time=soon, id="retention")
        later = self.now() + AUDIT_AFTER
        scheduler.add_job(self.audit, "interval", minutes=10, next_run_time=later, id="audit")
        return scheduler

    def keep_house(self) -> None:
        """See that the database is sound and do the day's retention, each once a day however often it is called."""
        try:
            verify_sound(self.desk.store, now=self.now())
            advance(self.desk.store)
            remind(self.desk)
        except DamagedError as error:
            log.error("database_damaged", cure=error.cure)
            self._fault = error
            self.stopping.set()
            return
        except Exception as error:  # noqa: BLE001  (tried again within the hour)
            log.error("database_not_looked_at", error=error)
        try:
            keep_house(self.desk, now=self.now())
        except Exception as error:  # noqa: BLE001  (tried again within the hour)
            log.error("retention_failed", error=error)

    def audit(self) -> None:
        """Audit database and mailboxes, at most once a day however often it is called; `status` tells the result."""
        try:
            with self._auditing:
                audit_daily(self.desk, now=self.now())
        except Exception as error:  # noqa: BLE001  (tried again within minutes)
            log.error("audit_failed", error=error)

    def send(self) -> None:
        """Send what is approved; a fault is logged and the next turn tries again."""
        try:
            with self._sending:
                sent = send_due(self.desk, self.journal, now=self.now, may=lambda: not self._paused.is_set())
            tell_systems(self.desk, now=self.now)
        except InboxbotError as error:
            log.error("outbox_failed", error=error.what)
            return
        except Exception as error:  # noqa: BLE001  (the timer's own log would show a traceback with values)
            log.error("outbox_failed", error=error)
            return
        for fault in sent.errors:
            log.warning("cannot_send", where=fault["where"], what=fault["what"])

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _pause(self) -> None:
        """Take and send nothing more: the right to do so was lost."""
        self._paused.set()
        with contextlib.suppress(SchedulerNotRunningError):  # just being stopped
            self._jobs.pause()
        self.stop()

    def _go_on(self) -> None:
        self._paused.clear()
        if not self.stopping.is_set():
            self.start()
            with contextlib.suppress(SchedulerNotRunningError):
                self._jobs.resume()

    def _give_up(self) -> None:
        self._fault = StoreError(
            "another inboxbot took the work over",
            where=self.desk.store.place,
            cure="let it do the work, or stop it and start this one again",
        )
        log.error("work_taken_over")
        self.stopping.set()

    def _reachable(self) -> bool:
        try:
            with self.desk.store.read():
                return True
        except StoreError:
            return False

    def _heartbeat(self) -> None:
        """Touch the heartbeat file while every mailbox had a complete round lately: a stopped clock is an alarm."""
        file = self.desk.settings.daemon.heartbeat_file
        if file is None:
            return
        limit = 3 * self.desk.settings.daemon.round_every_s
        ended = [watcher.round_ended for watcher in self._watchers]
        if all(one is not None and time.monotonic() - one < limit for one in ended):
            file.touch()

    def _end(self) -> None:
        """End the process even when a job hangs on the network: what it holds is settled at the next start."""
        # The timer's threads count as daemons, and yet the interpreter would wait for them without end.
        waited = self._sending.acquire(timeout=END_WITHIN_S / 2)
        if not waited or self._auditing.locked() or self._alarms.working.locked():
            log.warning("ended_while_working")
            self.pool.close()
            os._exit(1 if self._fault else 0)
