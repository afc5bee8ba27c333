"""Noticing answers that staff sent from their own mail program, by looking through the sent folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from inboxbot.cases.threading import thread_marks
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.notice import SentMail, notice
from inboxbot.mailbox.fetching import FetchedHeader
from inboxbot.mailbox.server import Server
from inboxbot.reading.read import read_headers
from inboxbot.reading.values import RawMail
from inboxbot.store.mailboxes import change_folder, load_folder, save_folder


def notice_sent(desk: Desk, served: Served, server: Server, folder: str, *, now: Callable[[], dt.datetime]) -> int:
    """Take what is new in the sent folder and return how many answers of staff were noticed.

    The first look is silent. After a renumbering the folder is looked through again; what is known already counts once.
    """
    state = server.open(folder)
    with desk.store.write() as connection:
        row = load_folder(connection, served.id, folder)
        if row is None:
            mark = state.uidnext - 1 if state.uidnext else max(server.all_uids(), default=0)
            save_folder(
                connection,
                served.id,
                name=folder,
                role="sent",
                uidvalidity=state.uidvalidity,
                uidnext=state.uidnext,
                baseline_uid=mark + 1,
                uid_mark=mark,
            )
            return 0
    renumbered = row.uidvalidity != state.uidvalidity
    mark = 0 if renumbered else row.uid_mark
    noticed = 0
    uids = server.uids_above(mark)
    for one in server.fetch_headers(uids) if uids else ():
        if isinstance(one, FetchedHeader) and (sent := _sent_mail(one, desk.secret)) is not None:
            noticed += notice(desk, served, sent, now=now())
    with desk.store.write() as connection:
        change_folder(
            connection,
            row.id,
            uidvalidity=state.uidvalidity,
            uidnext=state.uidnext,
            uid_mark=max([mark, *uids]),
            round_at=now(),
        )
    return noticed


def _sent_mail(one: FetchedHeader, secret: bytes) -> SentMail | None:
    mail = read_headers(RawMail(header=one.header, size=one.size))
    if mail is None:
        return None
    return SentMail(
        message_id=mail.message_id,
        marks=thread_marks(mail.in_reply_to, mail.references, mail.subject, secret),
        recipients=tuple(address.address for address in (*mail.to, *mail.cc)),
        sender=mail.sender,
        subject=mail.subject,
        header=one.header,
        size=one.size,
        sent_at=one.internaldate,
    )
