"""Noticing answers that staff sent from their own mail program, by looking through the sent folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from inboxbot.cases.threading import thread_marks
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.notice import SentMail, is_answer, notice
from inboxbot.desk.placing import HEADER, read_token
from inboxbot.mailbox.fetching import Fetched, FetchedHeader
from inboxbot.mailbox.source import MailSource
from inboxbot.mailbox.sync import KnownFolder, plan
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.reading.addresses import read_sender
from inboxbot.reading.headers import Field, every, first, read_part_fields
from inboxbot.reading.read import read_headers
from inboxbot.reading.values import Address, Mail, RawMail, SegmentKind
from inboxbot.store.mailboxes import change_folder, load_folder, save_folder

BATCH = 200
MAX_NAME = 120


def notice_sent(
    desk: Desk,
    served: Served,
    server: MailSource,
    folder: str,
    *,
    now: Callable[[], dt.datetime],
    pool: ReadingPool | None = None,
) -> int:
    """Take what is new in the sent folder and return how many answers of staff were noticed.

    With ``start = "now"`` the first look is silent; else older mail was taken, and may have been answered already.
    After a renumbering the folder is looked through again; what is known already counts once.
    """
    state = server.open(folder)
    with desk.store.write() as connection:
        row = load_folder(connection, served.id, folder)
        if row is None:
            silent = served.mailbox.start == "now"
            top = state.uidnext - 1 if state.uidnext else max(server.all_uids(), default=0)
            mark = top if silent else 0
            row = save_folder(
                connection,
                served.id,
                name=folder,
                role="sent",
                uidvalidity=state.uidvalidity,
                uidnext=state.uidnext,
                baseline_uid=mark + 1,
                uid_mark=mark,
            )
            if silent:
                return 0
    mark = plan(KnownFolder(row.uidvalidity, row.uid_mark), state).above
    noticed = 0
    uids = server.uids_above(mark)
    for start in range(0, len(uids), BATCH):
        told = server.fetch_headers(uids[start : start + BATCH])
        found = {one.uid: _sent_mail(one, desk.secret, served) for one in told if isinstance(one, FetchedHeader)}
        for sent in _with_words(desk, served, server, found, pool):
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


def _with_words(
    desk: Desk, served: Served, server: MailSource, found: Mapping[int, SentMail], pool: ReadingPool | None
) -> Iterator[SentMail]:
    """Yield the mails in order, with their words where they answer a case; they are read in the killable workers."""
    wanted = [uid for uid, sent in found.items() if is_answer(desk, served, sent)] if pool is not None else []
    brought = [(one.uid, one.raw) for one in server.fetch(wanted) if isinstance(one, Fetched)] if wanted else []
    words: dict[int, Mail] = {}
    if pool is not None:
        words = {uid: outcome.mail for uid, outcome in pool.judge_all(brought) if outcome.mail is not None}
    for uid, sent in found.items():
        mail = words.get(uid)
        if mail is None:
            yield sent
        else:
            own = mail.words(SegmentKind.NEW, SegmentKind.SIGNATURE, SegmentKind.FOOTER)
            yield replace(sent, text=mail.text, own_words=own)


def _sent_mail(one: FetchedHeader, secret: bytes, served: Served) -> SentMail:
    mail = read_headers(RawMail(header=one.header, size=one.size))
    fields = read_part_fields(one.header)
    mark = first(fields, HEADER.lower())
    token = read_token(secret, mark.raw) if mark else None
    return SentMail(
        message_id=mail.message_id,
        marks=thread_marks(mail.in_reply_to, mail.references, mail.subject, secret),
        recipients=tuple(address.address for address in (*mail.to, *mail.cc)),
        sender=mail.sender,
        subject=mail.subject,
        header=one.header,
        size=one.size,
        sent_at=one.internaldate,
        draft_id=token.draft_id if token else None,
        by=_sent_by(fields, mail.sender, served),
    )


def _sent_by(fields: tuple[Field, ...], author: Address | None, served: Served) -> str:
    """Return who sent a mail, as far as the mailbox tells: Sender, else the name beside our address, else nobody."""
    sender, _ = read_sender(every(fields, "sender"))
    for one in (sender, author):
        if one is None:
            continue
        if one.name and one.name != served.company.name:
            return one.name[:MAX_NAME]
        if one.address not in (served.mailbox.address, *served.mailbox.aliases):
            return one.address[:MAX_NAME]
    return ""
