"""One mailbox, watched by one thread: wait for the server's push, take what is new, look at everything now and then."""

from __future__ import annotations

import random
import threading
import time

from inboxbot.daemon.filing import file_copies
from inboxbot.daemon.once import connect
from inboxbot.daemon.round import Now, Round, serve, served_mailbox, take_folder
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.errors import MailboxError, StoreError
from inboxbot.logs import get_logger
from inboxbot.mailbox.server import IdleResult, Server
from inboxbot.mailbox.workers import ReadingPool

log = get_logger()
IDLE_MOST_S = 540.0  # servers and routers drop quiet connections; renewed every nine minutes
PAUSE_FIRST_S, PAUSE_MOST_S = 5.0, 300.0
PAUSE_REFUSED_S = 900.0  # a refused sign-in is not hammered: it may lock the account


class Watcher(threading.Thread):
    """The thread of one mailbox. ``stop`` ends it within seconds; ``round_ended``: its last round, monotonic time."""

    def __init__(self, desk: Desk, pool: ReadingPool, address: str, place: tuple[int, int], *, now: Now) -> None:
        super().__init__(name=f"watch-{place[0]}-{place[1]}", daemon=True)
        self.desk, self.pool, self.now = desk, pool, now
        self.served: Served = served_mailbox(desk, address)
        self.place = place
        self.round_ended: float | None = None
        self._stopping = threading.Event()
        self._server: Server | None = None

    def stop(self) -> None:
        """End the thread: whatever it waits for on the network is cut."""
        self._stopping.set()
        server = self._server
        if server is not None:
            server.interrupt()

    def run(self) -> None:
        """Watch until stopped. A fault of the mailbox or the database pauses and tries again, ever more slowly."""
        pause = PAUSE_FIRST_S
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                self._watch()
            except MailboxError as error:
                if not self._stopping.is_set():
                    log.warning("mailbox_not_served", mailbox=self.served.id, error=error.what, where=error.where)
                wait = pause if error.retry else PAUSE_REFUSED_S
            except StoreError as error:
                log.error("database_not_usable", error=error.what)
                wait = pause
            except Exception as error:  # noqa: BLE001  (a thread that dies silently would stop a mailbox unseen)
                log.error("watcher_failed", mailbox=self.served.id, error=error)
                wait = pause
            else:
                return
            pause = PAUSE_FIRST_S if time.monotonic() - started > PAUSE_MOST_S else min(pause * 2, PAUSE_MOST_S)
            self._stopping.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311  (jitter, not a secret)

    def _watch(self) -> None:
        with connect(self.served, self.place) as server:
            self._server = server
            try:
                inbox = server.folders().inbox
                self._round(server, reconcile=True)
                while not self._stopping.is_set():
                    server.open(inbox)
                    # What came between the round and this moment is not pushed: look once before waiting.
                    self._take(server, inbox)
                    if self._wait(server) is IdleResult.NEWS:
                        self._take(server, inbox)
                    elif self._round_is_due():
                        self._round(server, reconcile=False)
            finally:
                self._server = None

    def _wait(self, server: Server) -> IdleResult:
        due = (self.round_ended or 0) + self.desk.settings.daemon.round_every_s - time.monotonic()
        return server.idle(max(1.0, min(IDLE_MOST_S, due)))

    def _round_is_due(self) -> bool:
        return (
            self.round_ended is None or time.monotonic() - self.round_ended >= self.desk.settings.daemon.round_every_s
        )

    def _take(self, server: Server, inbox: str) -> None:
        take_folder(Round(self.desk, self.served, server, self.pool, self.now), inbox, "inbox")

    def _round(self, server: Server, *, reconcile: bool) -> None:
        serve(Round(self.desk, self.served, server, self.pool, self.now, reconcile=reconcile))
        file_copies(self.desk, self.served, server, server.folders().sent, now=self.now)
        self.round_ended = time.monotonic()
