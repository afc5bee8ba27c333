"""Which sent letters have no copy in the sent folder yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select, update

from inboxbot.cases.values import DraftState
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.letters import bytes_to_send
from inboxbot.store.checklists import load_attachments
from inboxbot.store.drafts import load_drafts
from inboxbot.store.tables import cases, drafts


@dataclass(frozen=True, slots=True)
class Copy:
    """A sent letter as it went out."""

    draft_id: int
    message: bytes
    sent_at: dt.datetime


def unfiled(desk: Desk, served: Served) -> list[Copy]:
    """Return the letters sent from a mailbox of which no copy was filed."""
    with desk.store.read() as connection:
        query = (
            select(drafts.c.id)
            .join(cases, cases.c.id == drafts.c.case_id)
            .where(
                cases.c.mailbox_id == served.id, drafts.c.state == DraftState.SENT.value, drafts.c.filed_at.is_(None)
            )
        )
        ids = list(connection.execute(query).scalars())
        letters = load_drafts(connection, draft_ids=ids) if ids else []
        files = {one.id: load_attachments(connection, one.id) for one in letters}
    return [
        Copy(one.id, bytes_to_send(served.company, served.mailbox, one, files[one.id]), one.sent_at)
        for one in letters
        if one.sent_at is not None
    ]


def filed(desk: Desk, draft_id: int, *, now: dt.datetime) -> None:
    """Write that a copy is there, or that none is wanted."""
    with desk.store.write() as connection:
        connection.execute(update(drafts).where(drafts.c.id == draft_id).values(filed_at=now))
