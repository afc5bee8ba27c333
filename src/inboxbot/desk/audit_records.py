"""The audit of records: clocks, history, what was purged, and whether the database keeps what it says it keeps."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select, text

from inboxbot.cases.alarms import OVERDUE, About
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import ENDED
from inboxbot.desk.audit_values import Checked, Finding, View
from inboxbot.desk.chain import check_chains, wrong_states
from inboxbot.store.engine import durability_faults
from inboxbot.store.tables import (
    attachments,
    case_addresses,
    case_words,
    cases,
    checklist,
    codes,
    corrections,
    draft_words,
    drafts,
    events,
    folders,
    history,
    identities,
    ledger,
    mailboxes,
    mails,
    promises,
    requests,
    webhooks,
)

_CLOCKS = (About.PROMISE.value, About.REQUEST.value)
_RAISED_WITHIN = dt.timedelta(hours=1)  # after the daemon began to look again
_TAKEN_UP = (CaseEvent.REOPENED.value, CaseEvent.REQUESTER_WROTE.value, CaseEvent.BOUNCED.value)


def due(view: View) -> Checked:
    """P2: every promise falls due whole hours after receipt: those the mailbox has now, or had before that changed."""
    hours = {mailbox.address: mailbox.promise_hours for _, mailbox in view.desk.settings.mailboxes()}
    query = (
        select(promises.c.id, promises.c.received_at, promises.c.due_at, mailboxes.c.address, cases.c.reference)
        .join(cases, cases.c.id == promises.c.case_id)
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .order_by(mailboxes.c.address, promises.c.id)
    )
    rows = list(view.connection.execute(query))
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


def raised(view: View) -> Checked:
    """P4: every step of a clock that was raised stands in history once, and every overdue answer was raised."""
    connection = view.connection
    told: Counter[tuple[int, str, str, int, int, str]] = Counter()
    query = (
        select(history.c.case_id, history.c.detail)
        .join(cases, cases.c.id == history.c.case_id)
        .where(history.c.event == CaseEvent.ALARM_RAISED.value, cases.c.proof_gone_at.is_(None))
    )
    for row in connection.execute(query):
        about = next((one for one in _CLOCKS if one in row.detail), "")
        step, due_on = int(row.detail.get("minutes_before", 0)), str(row.detail.get("due_on", ""))
        told[row.case_id, str(row.detail.get("code")), about, int(row.detail.get(about, 0)), step, due_on] += 1
    events_of = select(events).join(cases, cases.c.id == events.c.case_id).where(events.c.about.in_(_CLOCKS))
    findings = []
    known = set()
    for row in connection.execute(events_of.where(cases.c.proof_gone_at.is_(None)).order_by(events.c.id)):
        due_on = row.due_on.isoformat() if row.due_on else ""
        key = (row.case_id, row.kind, row.about, row.about_id, row.step, due_on)
        known.add(key)
        if told[key] != 1:
            what = f"it was raised once, and history tells of it {told[key]} times"
            findings.append(Finding("P4", what, f"event {row.id}"))
    findings += [
        Finding("P4", "history tells of an alarm that was not raised", f"{about} {about_id}")
        for key in told.keys() - known
        for about, about_id in [key[2:4]]
    ]
    late = _overdue_unraised(view)
    findings += [Finding("P4", "it is overdue, and nobody was told", f"promise {one}") for one in late]
    return sum(told.values()), findings


def _overdue_unraised(view: View) -> list[int]:
    was = exists().where(
        events.c.about == About.PROMISE.value, events.c.about_id == promises.c.id, events.c.step == OVERDUE
    )
    query = select(promises.c.id).where(
        promises.c.answered_at.is_(None),
        promises.c.excused.is_(None),
        promises.c.due_at < view.now - _RAISED_WITHIN,
        ~was,
    )
    return list(view.connection.execute(query.order_by(promises.c.id)).scalars())


def durable(view: View) -> Checked:
    """D1: the database is set so that a commit is on the disk."""
    looked_at, faults = durability_faults(view.connection)
    return looked_at, [Finding("D1", fault, "database") for fault in faults]


def history_whole(view: View) -> Checked:
    """D11: every chain is whole, every case stands where its history leads, and the database refuses to change it."""
    connection = view.connection
    checked, broken = check_chains(connection)
    findings = [Finding("D11", one.what, f"{one.reference}, entry {one.sequence}") for one in broken]
    unreadable = {one.reference for one in broken}
    for wrong in wrong_states(connection):
        ended = wrong.state in ENDED and wrong.said not in ENDED  # that is a finding of I9
        if wrong.reference not in unreadable and not ended:
            what = f"it is {wrong.state}, and its history says {wrong.said or 'nothing that can be'}"
            findings.append(Finding("D11", what, wrong.reference))
    guards = _guards(connection)
    findings += [
        Finding("D11", "the database lets history be changed", f"missing trigger {name}")
        for name, there in guards.items()
        if not there
    ]
    return checked + len(guards), findings


def _guards(connection: Connection) -> dict[str, bool]:
    """Return the triggers that keep history as it is, and whether each is in force."""
    if connection.dialect.name == "sqlite":
        names = ("history_no_UPDATE", "history_no_DELETE")
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'history'"
    else:
        names = ("history_no_change", "history_no_truncate")
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'history'::regclass AND tgenabled IN ('O', 'A')"
    there = set(connection.execute(text(query)).scalars())
    return {name: name in there for name in names}


# --- purged -------------------------------------------------------------------------------------------------------


def purged(view: View) -> Checked:
    """D6: of a purged case nothing is left that a person could be known by, and its messages opened no other case."""
    connection = view.connection
    again = exists().where(
        history.c.case_id == cases.c.id, history.c.at > cases.c.purged_at, history.c.event.in_(_TAKEN_UP)
    )
    query = select(cases.c.id).where(cases.c.purged_at.is_not(None))
    count = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    ended = query.where(cases.c.state.in_([one.value for one in ENDED]), ~again).subquery()
    broken = _with_content(connection, select(ended.c.id))
    names = {row.id: row.reference for row in connection.execute(select(cases.c.id, cases.c.reference))}
    findings = [Finding("D6", "content is left although it was purged", names[one]) for one in sorted(broken)]
    return count, findings + _taken_again(connection)


def _with_content(connection: Connection, purged_ids: Any) -> set[int]:
    """Return the cases of ``purged_ids`` of which a word, an address or a file is left."""
    of_mail = or_(
        mails.c.text != "",
        mails.c.subject != "",
        mails.c.sender.is_not(None),
        mails.c.message_id.is_not(None),
        func.length(mails.c.header) > 0,
    )
    of_case = or_(cases.c.requester.is_not(None), cases.c.subject != "", cases.c.requester_name != "")
    of_letter = or_(drafts.c.body != "", drafts.c.final.is_not(None), drafts.c.recipient.is_not(None))
    letters = select(drafts.c.case_id).where(drafts.c.case_id.in_(purged_ids))
    left = [
        select(mails.c.case_id).where(mails.c.case_id.in_(purged_ids), of_mail),
        select(cases.c.id).where(cases.c.id.in_(purged_ids), of_case),
        letters.where(of_letter),
        letters.join(draft_words, draft_words.c.draft_id == drafts.c.id),
        letters.join(attachments, attachments.c.draft_id == drafts.c.id).where(attachments.c.data.is_not(None)),
        select(requests.c.case_id)
        .join(checklist, checklist.c.request_id == requests.c.id)
        .where(requests.c.case_id.in_(purged_ids), checklist.c.detail != ""),
        select(webhooks.c.case_id).where(webhooks.c.case_id.in_(purged_ids), webhooks.c.address.is_not(None)),
        *(
            select(table.c.case_id).where(table.c.case_id.in_(purged_ids))
            for table in (case_addresses, case_words, codes, identities, corrections)
        ),
    ]
    return {one for query in left for one in connection.execute(query).scalars()}


def _taken_again(connection: Connection) -> list[Finding]:
    """Look for messages of purged cases that lie in another case by now although nobody wrote anew."""
    other, place = ledger.alias(), folders.alias()
    query = (
        select(other.c.id)
        .select_from(ledger)
        .join(cases, cases.c.id == ledger.c.case_id)
        .join(folders, folders.c.id == ledger.c.folder_id)
        .join(place, place.c.mailbox_id == folders.c.mailbox_id)
        .join(
            other,
            and_(
                other.c.folder_id == place.c.id,
                other.c.digest == ledger.c.digest,
                other.c.size == ledger.c.size,
                other.c.case_id != ledger.c.case_id,
            ),
        )
        .where(cases.c.purged_at.is_not(None), other.c.fetched_at > cases.c.purged_at)
        .distinct()
        .order_by(other.c.id)
    )
    return [
        Finding("D6", "a message of a purged case was taken again", f"ledger entry {one}")
        for one in connection.execute(query).scalars()
    ]
