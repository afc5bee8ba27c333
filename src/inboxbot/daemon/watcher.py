"""One mailbox, watched by one thread: wait for the server's push, take what is new, look at everything now and then."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time

from inboxbot.daemon.drafts_folder import has_work, tend_drafts
from inboxbot.daemon.expired import move_expired
from inboxbot.daemon.filing import file_copies
from inboxbot.daemon.noticing import notice_sent
from inboxbot.daemon.once import connect
from inboxbot.daemon.patience import Patience
from inboxbot.daemon.round import Now, Round, serve, served_mailbox, take_folder
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.placing import has_door
from inboxbot.errors import MailboxError, StoreError
from inboxbot.logs import get_logger
from inboxbot.mailbox.server import IdleResult, Server
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.store.retention import last_run

log = get_logger()
IDLE_MOST_S = 540.0  # servers and routers drop quiet connections; renewed every nine minutes
DRAFTS_EVERY_S = 5.0  # an approved letter waits for its draft to be taken away


class Watcher(threading.Thread):
    """The thread of one mailbox. ``stop`` ends it within seconds; ``round_ended``: its last whole round (monotonic)."""

    def __init__(self, desk: Desk, pool: ReadingPool, address: str, place: tuple[int, int], *, now: Now) -> None:
        super().__init__(name=f"watch-{place[0]}-{place[1]}", daemon=True)
        self.desk, self.pool, self.now = desk, pool, now
        self.served: Served = served_mailbox(desk, address)
        self.place = place
        self.round_ended: float | None = None
        self._round_tried: float | None = None
        self._stopping = threading.Event()
        self._server: Server | None = None
        self._tidied_after: dt.datetime | None = None

    def stop(self) -> None:
        """End the thread: whatever it waits for on the network is cut."""
        self._stopping.set()
        server = self._server
        if server is not None:
            server.interrupt()

    def run(self) -> None:
        """Watch until stopped. A fault of the mailbox or the database pauses and tries again, ever more slowly."""
        patience = Patience()
        while not self._stopping.is_set():
            started = time.monotonic()
            fault: Exception
            try:
                self._watch()
            except MailboxError as error:
                if not self._stopping.is_set():
                    log.warning("mailbox_not_served", mailbox=self.served.id, error=error.what, where=error.where)
                fault = error
            except StoreError as error:
                log.error("database_not_usable", error=error.what)
                fault = error
            except Exception as error:  # noqa: BLE001  (a thread that dies silently would stop a mailbox unseen)
                log.error("watcher_failed", mailbox=self.served.id, error=error)
                fault = error
            else:
                return
            spread = random.random()  # noqa: S311  (jitter, not a secret)
            self._stopping.wait(patience.pause(fault, worked_s=time.monotonic() - started, random=spread))

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
                    if has_work(self.desk, self.served):
                        self._tend(server)
                        server.open(inbox)
                    if self._wait(server) is IdleResult.NEWS:
                        self._take(server, inbox)
                    if self._round_is_due():  # also while mail keeps coming: junk and sent are looked at there only
                        self._round(server, reconcile=False)
            finally:
                self._server = None

    def _wait(self, server: Server) -> IdleResult:
        due = (self._round_tried or 0) + self.desk.settings.daemon.round_every_s - time.monotonic()
        most = DRAFTS_EVERY_S if has_door(self.served) else IDLE_MOST_S
        return server.idle(max(1.0, min(most, due)))

    def _round_is_due(self) -> bool:
        return (
            self._round_tried is None or time.monotonic() - self._round_tried >= self.desk.settings.daemon.round_every_s
        )

    def _take(self, server: Server, inbox: str) -> None:
        take_folder(Round(self.desk, self.served, server, self.pool, self.now), inbox, "inbox")

    def _tend(self, server: Server) -> None:
        """Look into the drafts folder between the rounds; after the sent folder, for a draft may have been sent."""
        folders = server.folders()
        if folders.sent is not None:
            notice_sent(self.desk, self.served, server, folders.sent, now=self.now, pool=self.pool)
        tend_drafts(self.desk, self.served, server, folders, self.pool, now=self.now)

    def _round(self, server: Server, *, reconcile: bool) -> None:
        tally = serve(Round(self.desk, self.served, server, self.pool, self.now, reconcile=reconcile))
        for error in tally.errors:
            log.warning("folder_not_served", mailbox=self.served.id, where=error["where"], error=error["what"])
        tend_drafts(self.desk, self.served, server, server.folders(), self.pool, now=self.now)
        file_copies(self.desk, self.served, server, server.folders().sent, now=self.now)
        self._tidy(server)
        self._round_tried = time.monotonic()
        if not tally.errors:
            self.round_ended = self._round_tried

    def _tidy(self, server: Server) -> None:
        """Move expired mail out of the way, once after each run of retention, where the settings name a folder."""
        if self.served.mailbox.folders.expired is None:
            return
        with self.desk.store.read() as connection:
            last = last_run(connection)
        if last is None or last["refused"] or last["at"] == self._tidied_after:
            return
        move_expired(self.desk, self.served, server)
        self._tidied_after = last["at"]
