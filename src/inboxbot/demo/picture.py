"""What a demo shows of its state: what came and what became of it, what is due when, which letters wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import func, select

from inboxbot.cases.values import DraftState
from inboxbot.demo.imap import Contents, Message
from inboxbot.demo.stage import Stage
from inboxbot.desk.context import Desk
from inboxbot.desk.view import case_json, draft_json, urgency, utc
from inboxbot.reading.read import read_whole
from inboxbot.reading.values import UnreadableError
from inboxbot.store.cases import load_cases
from inboxbot.store.drafts import draft_ids_by_case, load_drafts
from inboxbot.store.ledger import list_ledger
from inboxbot.store.mails import mail_of_ledger
from inboxbot.store.tables import history, ledger

_WORDS = 3


def picture(stage: Stage, desk: Desk, now: dt.datetime) -> dict[str, Any]:
    """Return the state as plain data.

    ``mails`` in the order they were taken, ``cases`` most urgent first and ``letters`` in the shape of `cases list` and
    `drafts list`, ``outgoing`` the names of the files that the sink kept.
    """
    with desk.store.read() as connection:
        cases = load_cases(connection)
        drafts = load_drafts(connection)
        by_case = draft_ids_by_case(connection)
        rows = list(list_ledger(connection))
        kept = {row["id"]: mail_of_ledger(connection, row["id"]) for row in rows}
    shown = {case.reference: case_json(case, by_case.get(case.id, []), now) for case in cases}
    there = _messages(stage.contents())
    mails = [_mail(row, kept[row["id"]], shown.get(row["case"] or ""), there) for row in reversed(rows)]
    return {
        "mails": mails,
        "cases": [shown[case.reference] for case in sorted(cases, key=lambda case: urgency(case, now))],
        "letters": [draft_json(one) for one in drafts if one.state is not DraftState.SUPERSEDED],
        "outgoing": sorted(file.name for file in stage.place.outgoing.glob("*.eml")),
    }


def stamp(desk: Desk) -> tuple[int, int]:
    """Return a value that is another one when a mail was taken or anything happened to a case: cheap to ask for."""
    with desk.store.read() as connection:
        mails = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
        events = connection.execute(select(func.count()).select_from(history)).scalar_one()
    return mails, events


def _messages(contents: dict[str, tuple[Contents, ...]]) -> dict[tuple[str, str, int], Message]:
    return {
        (address, folder.name, one.uid): one
        for address, folders in contents.items()
        for folder in folders
        for one in folder.messages
    }


def _mail(
    row: dict[str, Any],
    kept: dict[str, Any] | None,
    case: dict[str, Any] | None,
    there: dict[tuple[str, str, int], Message],
) -> dict[str, Any]:
    """Return one mail. Of an ignored one the database keeps no words: its sender and subject are looked up again."""
    message = there.get((row["mailbox"], row["folder"], row["uid"]))
    sender, subject = (kept["sender"], kept["subject"]) if kept else _again(message)
    verdict = (kept["detail"] if kept else {}).get("verdict", {})
    words = list(dict.fromkeys(one["text"] for one in verdict.get("evidence", [])))
    return {
        "received_at": utc(row["received_at"]),
        "mailbox": row["mailbox"],
        "folder": row["folder"],
        "sender": sender,
        "subject": subject,
        "became": row["state"],
        "reason": row["reason"],
        "case": row["case"],
        "requester": case["requester"] if case else None,
        "kinds": [one["kind"] for one in case["requests"]] if case else verdict.get("kinds", []),
        "unsure": verdict.get("unsure", False),
        "words": words[:_WORDS],
        "seen": message is not None and "\\Seen" in message.flags,
    }


def _again(message: Message | None) -> tuple[str | None, str]:
    if message is None:
        return None, ""
    try:
        mail = read_whole(message.data)
    except UnreadableError:
        return None, ""
    return (mail.sender.address if mail.sender else None), mail.subject
