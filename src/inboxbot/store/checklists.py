"""Checklists of requests, identity of requesters, one-time codes and outgoing files: rows to values and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, update

from inboxbot.cases.checklist import About, ChecklistLine, LineAnswer
from inboxbot.cases.codes import StoredCode
from inboxbot.cases.values import CaseState
from inboxbot.config.model import KeepGround
from inboxbot.replies.compose import OutAttachment
from inboxbot.sorting.kinds import Kind
from inboxbot.store.tables import attachments, cases, checklist, codes, identities, requests


def load_lines(connection: Connection, request_id: int) -> tuple[ChecklistLine, ...]:
    """Return the lines of a request's checklist in the order they were made."""
    query = select(checklist).where(checklist.c.request_id == request_id).order_by(checklist.c.id)
    return tuple(
        ChecklistLine(
            About(row.about),
            row.name,
            LineAnswer(row.answer) if row.answer else None,
            row.until,
            KeepGround(row.ground) if row.ground else None,
            row.detail,
        )
        for row in connection.execute(query)
    )


def save_lines(connection: Connection, request_id: int, lines: Sequence[ChecklistLine]) -> None:
    """Write the lines of a request, in place of those it had."""
    connection.execute(delete(checklist).where(checklist.c.request_id == request_id))
    rows = [
        {
            "request_id": request_id,
            "about": line.about.value,
            "name": line.name,
            "answer": line.answer.value if line.answer else None,
            "until": line.until,
            "ground": line.ground.value if line.ground else None,
            "detail": line.detail,
        }
        for line in lines
    ]
    if rows:
        connection.execute(insert(checklist), rows)


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known about who writes in a case. ``facts`` are the named yes/no facts of `cases.identity.Evidence`.

    ``searched`` holds what each system answered when inboxbot looked there itself, as {"system", "result"};
    ``proposed``: the address on file comes from that, and nobody has confirmed it yet.
    """

    address_on_file: str | None = None
    found_in: str | None = None
    looked_up: bool = False
    facts: dict[str, bool] = field(default_factory=dict)
    proposed: bool = False
    searched: list[dict[str, str]] = field(default_factory=list)
    searched_at: dt.datetime | None = None


def load_identity(connection: Connection, case_id: int) -> Identity:
    """Return what is known; nothing when nobody recorded anything."""
    row = connection.execute(select(identities).where(identities.c.case_id == case_id)).first()
    if row is None:
        return Identity()
    values = dict(row._mapping)
    del values["case_id"]
    return Identity(**values)


def save_identity(connection: Connection, case_id: int, identity: Identity) -> None:
    """Write what is known, in place of what was."""
    connection.execute(delete(identities).where(identities.c.case_id == case_id))
    connection.execute(insert(identities).values(case_id=case_id, **asdict(identity)))


def never_looked_up(connection: Connection, kinds: Sequence[Kind]) -> list[int]:
    """Return the live cases with an undecided request of these kinds for whose address nobody looked, oldest first."""
    asked = exists().where(
        requests.c.case_id == cases.c.id,
        requests.c.outcome.is_(None),
        requests.c.kind.in_([kind.value for kind in kinds]),
    )
    looked = exists().where(
        identities.c.case_id == cases.c.id, identities.c.looked_up | identities.c.searched_at.is_not(None)
    )
    live = cases.c.state.in_([CaseState.OPEN.value, CaseState.WAITING.value])
    query = select(cases.c.id).where(live, cases.c.requester.is_not(None), asked, ~looked).order_by(cases.c.id)
    return list(connection.execute(query).scalars())


def save_code(connection: Connection, code: StoredCode, draft_id: int) -> None:
    """Keep a code's digest; a new code of the same letter takes the place of the old one."""
    connection.execute(delete(codes).where(codes.c.draft_id == draft_id))
    connection.execute(
        insert(codes).values(
            case_id=code.case_id, draft_id=draft_id, kind=code.kind, hash=code.hash, sent_at=code.sent_at
        )
    )


def load_codes(connection: Connection, case_id: int) -> list[tuple[int, StoredCode]]:
    """Return the codes of a case with their row ids, newest first."""
    query = select(codes).where(codes.c.case_id == case_id).order_by(codes.c.id.desc())
    return [
        (row.id, StoredCode(row.hash, row.case_id, row.kind, row.sent_at, row.tries, row.used_at))
        for row in connection.execute(query)
    ]


def mark_code(connection: Connection, code_id: int, *, right: bool, now: dt.datetime) -> None:
    """Count a try of a code, and mark it used when the answer was right."""
    values: dict[str, Any] = {"tries": codes.c.tries + 1}
    if right:
        values["used_at"] = now
    connection.execute(update(codes).where(codes.c.id == code_id).values(**values))


def load_attachments(connection: Connection, draft_id: int) -> tuple[OutAttachment, ...]:
    """Return the files of a letter whose bytes are still kept."""
    query = select(attachments).where(attachments.c.draft_id == draft_id).order_by(attachments.c.id)
    return tuple(
        OutAttachment(row.name, row.content_type, row.data) for row in connection.execute(query) if row.data is not None
    )


def attachment_names(connection: Connection, draft_id: int) -> list[str]:
    """Return the names of a letter's files, purged ones too."""
    query = select(attachments.c.name).where(attachments.c.draft_id == draft_id).order_by(attachments.c.id)
    return [str(name) for name in connection.execute(query).scalars()]


def save_attachment(connection: Connection, draft_id: int, file: OutAttachment, *, now: dt.datetime) -> None:
    """Add a file to a letter."""
    connection.execute(
        insert(attachments).values(
            draft_id=draft_id,
            name=file.name,
            content_type=file.content_type,
            size=len(file.data),
            data=file.data,
            added_at=now,
        )
    )


def drop_attachments(connection: Connection, draft_id: int) -> None:
    """Take all files off a letter."""
    connection.execute(delete(attachments).where(attachments.c.draft_id == draft_id))
