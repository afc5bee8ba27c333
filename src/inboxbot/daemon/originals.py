"""Single messages on demand: their HTML and files, each with a connection of its own that is closed at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from inboxbot.daemon.once import connect, places
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.originals import GoneError
from inboxbot.mailbox.faults import MissingFolderError, UnavailableError
from inboxbot.mailbox.fetching import Fetched, FetchedHeader
from inboxbot.mailbox.server import Server
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.reading.html_shown import ShownPage
from inboxbot.store.ledger import Place

AT_ONCE: Final = 3
WAIT_S: Final = 20.0


class MailboxOriginals:
    """Reads messages that the ledger knows; several threads may use it. HTML is read by the children of ``pool``."""

    def __init__(self, desk: Desk, pool: ReadingPool) -> None:
        self._desk = desk
        self._pool = pool
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def page(self, mailbox: str, at: Sequence[Place]) -> ShownPage | None:
        """Return a message's HTML as it may be shown, made in a child process that can be killed."""
        with self._message(mailbox, at) as (server, uid):
            found = next(iter(server.fetch([uid])), None)
        if not isinstance(found, Fetched):
            raise GoneError("the mail does not lie in the mailbox any more")
        return self._pool.show(found.raw)

    def file(self, mailbox: str, at: Sequence[Place], part: str, limit: int) -> bytes:
        """Return the decoded content of a part."""
        with self._message(mailbox, at) as (server, uid):
            return server.fetch_part(uid, part, limit)

    @contextmanager
    def _message(self, mailbox: str, at: Sequence[Place]) -> Iterator[tuple[Server, int]]:
        """Give a connection with the message's folder open, and its UID, once its header block proved to be that."""
        if not self._room.acquire(timeout=WAIT_S):
            raise UnavailableError("too many files are being fetched at once", where=mailbox, cure="try again soon")
        try:
            served = Served(*self._desk.of_mailbox(mailbox), id=0, company_ids=())  # for its settings alone
            with connect(served, dict(places(self._desk))[mailbox]) as server:
                uid = _find(server, at)
                if uid is None:
                    raise GoneError("the mail does not lie in the mailbox any more")
                yield server, uid
        finally:
            self._room.release()


def _find(server: Server, at: Sequence[Place]) -> int | None:
    for place in at:
        try:
            state = server.open(place.folder)
        except MissingFolderError:
            continue
        if state.uidvalidity != place.uidvalidity:
            continue
        found = next(iter(server.fetch_headers([place.uid])), None)
        if isinstance(found, FetchedHeader) and found.digest == place.digest:
            return place.uid
    return None
