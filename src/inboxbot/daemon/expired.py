"""Moving mail whose case was emptied to a folder of its own, where the settings name one. Nothing is ever deleted.

A message is moved only when the ledger says that nothing of it is kept here any more, and the server shows, under the
very number, the same header block and size. Its entry stays, without a place, so that the same mail is known again
wherever it turns up (promises.md D6, I8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from inboxbot.crash import crash_here
from inboxbot.daemon.once import connect, places
from inboxbot.daemon.round import served_mailbox
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.errors import MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.faults import UnreachableError
from inboxbot.mailbox.fetching import FetchedHeader, Missing
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import Server
from inboxbot.store.ledger import displace
from inboxbot.store.retention import Expired, expired_mails

log = get_logger()
BATCH = 100


@dataclass(slots=True)
class Moving:
    """What became of a mailbox's expired mail: how many were moved, and how many were not there any more.

    ``why`` says what kept the rest where it lies, "" when nothing did.
    """

    mailbox: str
    folder: str
    moved: int = 0
    gone: int = 0
    why: str = ""


def move_all(desk: Desk) -> list[Moving]:
    """Move the expired mail of every mailbox whose settings name a folder for it; what cannot be served says why."""
    done = []
    for address, number in places(desk):
        folder = desk.of_mailbox(address)[1].folders.expired
        if folder is None:
            continue
        served = served_mailbox(desk, address)
        if not _waiting(desk, served):
            continue
        try:
            with connect(served, number) as server:
                done.append(move_expired(desk, served, server))
        except MailboxError as error:
            log.warning("expired_not_moved", mailbox=served.id, error=error)
            done.append(Moving(address, folder, why=str(error)))
    return done


def move_expired(desk: Desk, served: Served, server: Server) -> Moving:
    """Move what is expired over an open connection. Raises MailboxError when the connection is lost or was none."""
    done = Moving(served.mailbox.address, served.mailbox.folders.expired or "")
    waiting = _waiting(desk, served) if done.folder else []
    if not waiting:
        return done
    try:
        _refuse_unfit(served, server)
        for (folder, uidvalidity), found in groupby(waiting, key=lambda one: (one.folder, one.uidvalidity)):
            if server.open(folder, read_only=False).uidvalidity != uidvalidity:
                continue  # numbered anew since the last look: the next round finds them again
            entries = list(found)
            for start in range(0, len(entries), BATCH):
                _move(desk, server, entries[start : start + BATCH], done)
    except UnreachableError:
        raise
    except MailboxError as error:
        done.why = str(error)
        log.warning("expired_not_moved", mailbox=served.id, error=error)
    log.info("expired_moved", mailbox=served.id, moved=done.moved, gone=done.gone)
    return done


def unfit(folders: Folders, expired: str) -> str:
    """Return what the folder named for expired mail is used for already, such as "junk", or ""."""
    uses = ("inbox", "junk", "sent", "drafts", "approved")
    return next((use for use in uses if getattr(folders, use) == expired), "")


def _refuse_unfit(served: Served, server: Server) -> None:
    """Raise MailboxError when nothing can be moved there: no MOVE, no such folder, or one that is looked through."""
    server.require_move()
    folder = served.mailbox.folders.expired or ""
    use = unfit(server.folders(), folder)
    if use:
        what = f"expired mail is not moved to the {use} folder"
        raise MailboxError(what, where=server.where, cure="name a folder of its own in folders.expired", retry=False)
    server.open(folder)


def _waiting(desk: Desk, served: Served) -> list[Expired]:
    with desk.store.read() as connection:
        return expired_mails(connection, served.id)


def _move(desk: Desk, server: Server, some: Sequence[Expired], done: Moving) -> None:
    by_uid = {one.uid: one for one in some}
    same, gone = [], []
    for answer in server.fetch_headers(list(by_uid)):
        known = by_uid[answer.uid]
        if isinstance(answer, Missing):
            gone.append(known.ledger_id)
        elif isinstance(answer, FetchedHeader) and (answer.digest, answer.size) == (known.digest, known.size):
            same.append(known)
    if same:
        server.move([one.uid for one in same], done.folder)
        crash_here("expired_moved")
    with desk.store.write() as connection:
        displace(connection, [*gone, *(one.ledger_id for one in same)])
    crash_here("expired_noted")
    done.moved += len(same)
    done.gone += len(gone)
