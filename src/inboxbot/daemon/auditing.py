"""The audit with the mailboxes: what their servers show is brought first, read-only; then the desk compares.

Every UID of the watched folders, the sent folder and the drafts folder is listed. Header blocks are brought of what the
ledger does not know, of the newest messages, and of an even sample of the others, which is another one each time.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from inboxbot.crash import crash_here
from inboxbot.daemon.once import connect, places
from inboxbot.desk.arrivals import Served
from inboxbot.desk.audit import MOST, audit
from inboxbot.desk.audit_values import WATCHED, ShownFolder, ShownMail
from inboxbot.desk.context import Desk
from inboxbot.desk.placing import HEADER, read_token
from inboxbot.errors import MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.fetching import FetchedHeader
from inboxbot.mailbox.source import MailSource
from inboxbot.reading.headers import first, read_part_fields
from inboxbot.reading.read import header_message_id
from inboxbot.store.audits import last_audit, save_audit
from inboxbot.store.ledger import folder_uids
from inboxbot.store.mailboxes import load_folder
from inboxbot.store.tables import mailboxes

log = get_logger()
_EVERY = dt.timedelta(days=1)
_AGAIN = dt.timedelta(hours=1)


def audit_all(
    desk: Desk,
    *,
    now: dt.datetime,
    offline: bool = False,
    most: int = MOST,
    delay: dt.timedelta | None = None,
    chance: random.Random | None = None,
) -> dict[str, Any]:
    """Audit database and mailboxes; return what `desk.audit` does, with ``offline``, ``mailboxes`` and ``errors``.

    ``errors`` are mailboxes that could not be looked at: {"mailbox", "where", "what", "cure"}; with them it is not ok.
    ``most`` bounds the header blocks that are brought of each folder. ``offline``: the database only.
    """
    chance = chance or random.Random()  # noqa: S311  (which messages are compared, no secret)
    shown: list[ShownFolder] = []
    told: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for address, number in [] if offline else places(desk):
        served = _known(desk, address)
        if served is None:  # nothing was ever taken from it
            told.append({"address": address, "messages": 0, "compared": 0})
            continue
        try:
            with connect(served, number) as server:
                found = look(desk, served, server, most=most, chance=chance)
        except MailboxError as error:
            errors.append({"mailbox": address, "where": error.where, "what": error.what, "cure": error.cure})
            continue
        shown += found
        counts = {"messages": sum(len(one.uids) for one in found), "compared": sum(len(one.mails) for one in found)}
        told.append({"address": address, **counts})
    result = audit(desk, shown, now=now, delay=delay, most=most, chance=chance)
    return {**result, "ok": result["ok"] and not errors, "offline": offline, "mailboxes": told, "errors": errors}


def _known(desk: Desk, address: str) -> Served | None:
    """Return a mailbox that was served before; an audit makes no rows of its own."""
    company, mailbox = desk.of_mailbox(address)
    with desk.store.read() as connection:
        found = connection.execute(select(mailboxes.c.id).where(mailboxes.c.address == address)).scalar()
    return Served(company, mailbox, found, (found,)) if found is not None else None


def look(desk: Desk, served: Served, server: MailSource, *, most: int, chance: random.Random) -> list[ShownFolder]:
    """Return what the folders of a mailbox show. Nothing is changed. Raises MailboxError."""
    folders = server.folders()
    named = {"inbox": folders.inbox, "junk": folders.junk, "sent": folders.sent, "drafts": folders.drafts}
    return [_folder(desk, served, server, name, role, most, chance) for role, name in named.items() if name is not None]


def _folder(
    desk: Desk, served: Served, server: MailSource, name: str, role: str, most: int, chance: random.Random
) -> ShownFolder:
    state = server.open(name)
    uids = server.all_uids()
    wanted = chosen(
        uids, _not_known(desk, served, name, state.uidvalidity, uids) if role in WATCHED else [], most, chance
    )
    mails: dict[int, ShownMail] = {}
    gone: set[int] = set()
    for one in server.fetch_headers(wanted) if wanted else ():
        if isinstance(one, FetchedHeader):
            mails[one.uid] = _mail(one, desk.secret)
        else:
            gone.add(one.uid)
    return ShownFolder(served.id, name, role, state.uidvalidity, frozenset(uids), mails, frozenset(gone))


def _not_known(desk: Desk, served: Served, name: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
    with desk.store.read() as connection:
        row = load_folder(connection, served.id, name)
        known = folder_uids(connection, row.id, uidvalidity) if row is not None else set()
    return [uid for uid in uids if uid not in known]


def chosen(uids: Sequence[int], unknown: Sequence[int], most: int, chance: random.Random) -> list[int]:
    """Return which header blocks to bring, ascending: the unknown ones, the newest half, the others evenly spread.

    At most ``most`` of each of the three; a folder of no more than that is brought whole.
    """
    if len(uids) <= most:
        return list(uids)
    newest = uids[-(most // 2) :]
    older = uids[: -(most // 2)]
    step = max(1, len(older) * 2 // most)
    return sorted({*unknown[-most:], *newest, *older[chance.randrange(step) :: step]})


def _mail(one: FetchedHeader, secret: bytes) -> ShownMail:
    mark = first(read_part_fields(one.header), HEADER.lower())
    token = read_token(secret, mark.raw) if mark else None
    flags = {flag.lower() for flag in one.flags}
    return ShownMail(
        uid=one.uid,
        digest=one.digest,
        size=one.size,
        internaldate=one.internaldate,
        message_id=header_message_id(one.header),
        draft_id=token.draft_id if token and "\\deleted" not in flags else None,
    )


def audit_daily(desk: Desk, *, now: dt.datetime) -> dict[str, Any] | None:
    """Audit once a day and keep the result; return it, or None when it is not due yet.

    A mailbox that could not be looked at is tried again after an hour.
    """
    with desk.store.read() as connection:
        last = last_audit(connection)
    if last is not None and dt.timedelta() <= now - last.at < (_AGAIN if last.errors else _EVERY):
        return None
    result = audit_all(desk, now=now)
    keep(desk, result, now=now)
    log.info("audited", ok=result["ok"], checked=sum(result["checked"].values()), errors=len(result["errors"]))
    for one in result["errors"]:
        log.warning("mailbox_not_audited", where=one["where"], error=one["what"])
    for one in result["findings"]:
        log.error("promise_broken", **one)
    return result


def keep(desk: Desk, result: dict[str, Any], *, now: dt.datetime) -> None:
    """Keep the result of an audit, for `status`."""
    with desk.store.write() as connection:
        save_audit(connection, result, at=now)
    crash_here("audit_kept")
