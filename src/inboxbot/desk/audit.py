"""The audit: each promise that the database alone can show, with what was looked at and what is broken.

Nothing is repaired here. A finding names the promise, what is wrong, and where: codes, ids and references only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, func, or_, select

from inboxbot.cases.values import DraftState, LedgerState
from inboxbot.desk.chain import check_chains
from inboxbot.desk.context import Desk
from inboxbot.desk.letters import digest_of
from inboxbot.store.checklists import load_attachments
from inboxbot.store.drafts import load_drafts
from inboxbot.store.tables import (
    approvals,
    attachments,
    attempts,
    cases,
    drafts,
    folders,
    ledger,
    mailboxes,
    mails,
    promises,
)

PROMISES: Final = {
    "D11": "history is append-only, and whole",
    "S1": "nothing was sent without an approval of exactly these words",
    "S2": "no letter was given to the server twice",
    "I1": "every message is in one state with its reason",
    "I3": "one message, one entry and at most one case",
    "P2": "a promise falls due so many whole hours after receipt",
    "D6": "a purged case holds nothing of its content",
}
_ENTERED = (LedgerState.CASE.value, LedgerState.FOLLOWUP.value, LedgerState.HELD.value)
_WENT_OUT = ("accepted", "unknown")


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise: its short name, what is wrong, and where."""

    promise: str
    what: str
    where: str


Checked = tuple[int, list[Finding]]


def audit_database(desk: Desk) -> dict[str, Any]:
    """Return ``{"ok", "checked": {promise: count}, "findings": [{"promise", "what", "where"}]}``."""
    checks: dict[str, Callable[[Connection], Checked]] = {
        "D11": _chains,
        "S1": _approvals,
        "S2": _attempts,
        "I1": _accounted,
        "I3": _once,
        "P2": lambda connection: _due(desk, connection),
        "D6": _purged,
    }
    checked: dict[str, int] = {}
    findings: list[Finding] = []
    with desk.store.read() as connection:
        for promise, check in checks.items():
            checked[promise], found = check(connection)
            findings += found
    return {"ok": not findings, "checked": checked, "findings": [asdict(one) for one in findings]}


def _chains(connection: Connection) -> Checked:
    checked, broken = check_chains(connection)
    return checked, [Finding("D11", one.what, f"{one.reference}, entry {one.sequence}") for one in broken]


def _approvals(connection: Connection) -> Checked:
    """Every letter that went out, or may have, had an approval of its digest that stood when the try began."""
    given: dict[tuple[int, str], list[Any]] = {}
    for row in connection.execute(select(approvals)):
        given.setdefault((row.draft_id, row.digest), []).append(row)
    query = select(attempts).where(attempts.c.result.in_(_WENT_OUT)).order_by(attempts.c.id)
    tries = list(connection.execute(query))
    findings = [
        Finding("S1", "it went out without an approval that stood", f"letter {row.draft_id}, try {row.id}")
        for row in tries
        if not any(
            one.at <= row.started_at and (one.void_at is None or one.void_at >= row.started_at)
            for one in given.get((row.draft_id, row.digest), [])
        )
    ]
    tried = {row.draft_id for row in tries}
    sent = load_drafts(connection, states=[DraftState.SENT, DraftState.UNKNOWN])
    bare = _without_bytes(connection)
    for draft in sent:
        if (draft.id, draft.digest or "") not in given:
            findings.append(Finding("S1", "it was sent and nobody approved these words", f"letter {draft.id}"))
        elif draft.id not in tried:
            findings.append(Finding("S1", "it was sent and no try is recorded", f"letter {draft.id}"))
        elif draft.id not in bare and digest_of(draft, load_attachments(connection, draft.id)) != draft.digest:
            findings.append(Finding("S1", "its words are not those that were approved", f"letter {draft.id}"))
    return len(tries) + len(sent), findings


def _without_bytes(connection: Connection) -> set[int]:
    """Return the letters whose words or files are not kept whole: purged ones, and one-time codes."""
    emptied = (
        select(drafts.c.id)
        .join(cases, cases.c.id == drafts.c.case_id)
        .where(or_(cases.c.purged_at.is_not(None), drafts.c.template == "code"))
    )
    without_files = select(attachments.c.draft_id).where(attachments.c.data.is_(None))
    return set(connection.execute(emptied.union(without_files)).scalars())


def _attempts(connection: Connection) -> Checked:
    query = (
        select(attempts.c.draft_id, func.count().label("times"))
        .where(attempts.c.result == "accepted")
        .group_by(attempts.c.draft_id)
    )
    rows = list(connection.execute(query))
    doubled = [row for row in rows if row.times > 1]
    return len(rows), [
        Finding("S2", f"the server took it {row.times} times", f"letter {row.draft_id}") for row in doubled
    ]


def _accounted(connection: Connection) -> Checked:
    count = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    known = [state.value for state in LedgerState]
    lost = or_(ledger.c.case_id.is_(None), ledger.c.case_id.not_in(select(cases.c.id)))
    query = select(ledger.c.id, ledger.c.state, ledger.c.reason).where(
        or_(ledger.c.state.not_in(known), ledger.c.reason == "", ledger.c.state.in_(_ENTERED) & lost)
    )
    findings = []
    for row in connection.execute(query):
        fits = row.state in known and row.reason
        what = f"it is {row.state} and its case is not there" if fits else "it has no known state or no reason"
        findings.append(Finding("I1", what, f"ledger entry {row.id}"))
    return count, findings


def _once(connection: Connection) -> Checked:
    count = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    place = (ledger.c.folder_id, ledger.c.uidvalidity, ledger.c.uid)
    twice = select(func.min(ledger.c.id)).group_by(*place).having(func.count() > 1)
    findings = [
        Finding("I3", "the same message has two entries", f"ledger entry {one}")
        for one in connection.execute(twice).scalars()
    ]
    opened = (
        select(func.min(ledger.c.id))
        .join(folders, folders.c.id == ledger.c.folder_id)
        .where(ledger.c.state == LedgerState.CASE.value, ledger.c.reason != "same_mail")
        .group_by(folders.c.mailbox_id, ledger.c.digest, ledger.c.size)
        .having(func.count(ledger.c.case_id.distinct()) > 1)
    )
    findings += [
        Finding("I3", "the same message opened two cases", f"ledger entry {one}")
        for one in connection.execute(opened).scalars()
    ]
    return count, findings


def _due(desk: Desk, connection: Connection) -> Checked:
    """Every promise falls due whole hours after receipt: those the mailbox has now, or had before that was changed."""
    hours = {mailbox.address: mailbox.promise_hours for _, mailbox in desk.settings.mailboxes()}
    query = (
        select(promises.c.id, promises.c.received_at, promises.c.due_at, mailboxes.c.address, cases.c.reference)
        .join(cases, cases.c.id == promises.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .order_by(mailboxes.c.address, promises.c.id)
    )
    rows = list(connection.execute(query))
    findings = []
    for address, group in groupby(rows, key=lambda row: row.address):
        findings += _wrong_spans(group, hours.get(address))
    return len(rows), findings


def _wrong_spans(rows: Iterable[Any], hours: int | None) -> list[Finding]:
    findings, present = [], False
    for row in rows:
        span = (row.due_at - row.received_at) / dt.timedelta(hours=1)
        present = present or span == hours
        if span != int(span) or span <= 0 or (present and span != hours):
            what = f"it falls due {span:g} hours after receipt" + (f", not {hours}" if hours else "")
            findings.append(Finding("P2", what, f"{row.reference}, promise {row.id}"))
    return findings


def _purged(connection: Connection) -> Checked:
    count = connection.execute(
        select(func.count()).select_from(cases).where(cases.c.purged_at.is_not(None))
    ).scalar_one()
    full = or_(mails.c.text != "", mails.c.subject != "", mails.c.sender.is_not(None), mails.c.message_id.is_not(None))
    named = or_(cases.c.requester.is_not(None), cases.c.subject != "", cases.c.requester_name != "")
    with_mail = (
        select(cases.c.id)
        .join(mails, mails.c.case_id == cases.c.id)
        .where(cases.c.purged_at.is_not(None), full, mails.c.received_at <= cases.c.purged_at)
    )
    with_name = select(cases.c.id).where(cases.c.closed_at <= cases.c.purged_at, named)
    with_letter = (
        select(cases.c.id)
        .join(drafts, drafts.c.case_id == cases.c.id)
        .where(cases.c.purged_at.is_not(None), drafts.c.created_at <= cases.c.purged_at)
        .where(or_(drafts.c.body != "", drafts.c.final.is_not(None), drafts.c.recipient.is_not(None)))
    )
    broken = sorted(set(connection.execute(with_mail.union(with_name, with_letter)).scalars()))
    names = {row.id: row.reference for row in connection.execute(select(cases.c.id, cases.c.reference))}
    return count, [Finding("D6", "content is left although it was purged", names[one]) for one in broken]
