"""Finding messages again whose numbers changed, and numbers whose message changed (promises.md F30-F37)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from inboxbot.crash import crash_here
from inboxbot.desk.arrivals import UNSEEN, Served
from inboxbot.desk.context import Desk
from inboxbot.errors import MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.fetching import FetchedHeader
from inboxbot.mailbox.server import FolderState
from inboxbot.mailbox.source import MailSource
from inboxbot.mailbox.sync import (
    KnownMail,
    PresentMail,
    Rematch,
    contradicted,
    is_mass_change,
    rematch,
    suspects,
)
from inboxbot.reading.headers import read_part_fields
from inboxbot.reading.read import header_message_id
from inboxbot.reading.receipt import Receipt, receipt_time
from inboxbot.store.ledger import Entry, folder_entries, place_anew, same_mails
from inboxbot.store.mailboxes import FolderRow, change_folder, load_folder

log = get_logger()


class MassChangeError(MailboxError):
    """So much of a folder that was numbered anew looks new that a person must say whether it is (F37)."""

    def __init__(self, served: Served, folder: str, *, strangers: int, present: int) -> None:
        address = served.mailbox.address
        super().__init__(
            f'the server numbered the folder "{folder}" anew, and {strangers} of its {present} mails look new; '
            "none of them was opened",
            where=address,
            cure="look whether the mailbox was moved or restored. To take them as new mail, stop `inboxbot run` and "
            f"call: inboxbot once --accept-new-mails {address} (with a day in the mailbox's `start`, older ones are "
            "only listed)",
            retry=False,
        )


def receipt_of(served: Served, header: bytes, internaldate: dt.datetime, now: dt.datetime) -> Receipt:
    """Return when a mail was received, by its header block and the server's moment."""
    received = [field.text for field in read_part_fields(header) if field.name == "received"]
    return receipt_time(internaldate, received, served.mailbox.trusted_received, now)


def match_again(
    desk: Desk,
    served: Served,
    server: MailSource,
    row: FolderRow,
    state: FolderState,
    *,
    accept: bool,
    now: dt.datetime,
) -> FolderRow:
    """Give the entries of the open folder their new UIDs and return its row; what is no entry's is still to be taken.

    Raises MassChangeError, and changes nothing, when most of the folder looks new and nobody said to ``accept`` it.
    """
    present = list(_present(served, server, server.all_uids(), now))
    with desk.store.read() as connection:
        found = rematch(map(_known, folder_entries(connection, row.id)), present)
        elsewhere = same_mails(connection, served.id, [mail.digest for mail in found.unmatched])
    strangers = sum((mail.digest, mail.size) not in elsewhere for mail in found.unmatched)
    if is_mass_change(strangers=strangers, present=len(present)) and not accept:
        raise MassChangeError(served, row.name, strangers=strangers, present=len(present))
    with desk.store.write() as connection:
        place_anew(connection, row.id, state.uidvalidity, found.matched)
        change_folder(
            connection,
            row.id,
            uidvalidity=state.uidvalidity,
            uid_mark=0,
            baseline_uid=_baseline(row, found, state),
            reconciled_at=None,
        )
        anew = load_folder(connection, served.id, row.name)
    crash_here("folder_mark_committed")
    log.warning(
        "folder_renumbered", mailbox=served.id, folder=row.id, matched=len(found.matched), new=len(found.unmatched)
    )
    return anew or row


def _baseline(row: FolderRow, found: Rematch, state: FolderState) -> int:
    """Return the UID below which mails came before the start: 0, unless the first look was cut short by all this."""
    if row.baseline_at is not None or not row.baseline_uid:
        return 0
    since = [mail.uid for mail in found.unmatched if row.round_at is not None and mail.received_at >= row.round_at]
    return min(since, default=max([state.uidnext, *(mail.uid + 1 for mail in found.unmatched)]))


def reused(served: Served, server: MailSource, entries: Sequence[Entry], now: dt.datetime) -> list[int]:
    """Return the UIDs of the open folder under which now lies another message than the one we know."""
    known = [_known(entry) for entry in entries if not entry.digest.startswith(UNSEEN)]
    asked = suspects(known, server.sizes([entry.uid for entry in known]))
    digests = {entry.uid: entry.digest for entry in known}
    return list(contradicted(digests, _present(served, server, asked, now)))


def _present(served: Served, server: MailSource, uids: Sequence[int], now: dt.datetime) -> Iterator[PresentMail]:
    for one in server.fetch_headers(uids) if uids else ():
        if isinstance(one, FetchedHeader):
            at = receipt_of(served, one.header, one.internaldate, now).at
            yield PresentMail(one.uid, one.digest, header_message_id(one.header), at, one.size)


def _known(entry: Entry) -> KnownMail:
    return KnownMail(entry.id, entry.uid, entry.digest, entry.message_id, entry.received_at, entry.size)
