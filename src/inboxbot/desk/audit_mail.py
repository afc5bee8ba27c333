"""The audit of intake: every message accounted for, taken once, kept as it came, and not lost again."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from inboxbot.cases.values import ENDED, CaseState, LedgerState
from inboxbot.desk.arrivals import UNSEEN
from inboxbot.desk.audit_values import WATCHED, Checked, Finding, ShownFolder, ShownMail, View
from inboxbot.desk.chain import wrong_states
from inboxbot.sorting.kinds import Kind
from inboxbot.store.ledger import NO_PLACE, folder_digests
from inboxbot.store.mailboxes import FolderRow, load_folder
from inboxbot.store.tables import cases, folders, ledger, mailboxes, mails, promises, requests

_ENTERED = (LedgerState.CASE.value, LedgerState.FOLLOWUP.value, LedgerState.HELD.value)
_RIGHTS = tuple(kind.value for kind in Kind if kind.is_right)
# A number that turns up late, or names another message by now, is found when the whole folder is compared: hourly.
_RECONCILED = dt.timedelta(hours=1)
_FIRST_BYTES = 64 * 1024
_Entries = dict[int, tuple[int, str, int]]


def accounted(view: View) -> Checked:
    """I1: every entry has a state and a reason, and every message of a watched folder an entry, or it is young."""
    count = view.connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    known = [state.value for state in LedgerState]
    lost = or_(ledger.c.case_id.is_(None), ledger.c.case_id.not_in(select(cases.c.id)))
    query = select(ledger.c.id, ledger.c.state, ledger.c.reason).where(
        or_(ledger.c.state.not_in(known), ledger.c.reason == "", ledger.c.state.in_(_ENTERED) & lost)
    )
    findings = []
    for row in view.connection.execute(query):
        fits = row.state in known and row.reason
        what = f"it is {row.state} and its case is not there" if fits else "it has no known state or no reason"
        findings.append(Finding("I1", what, f"ledger entry {row.id}"))
    for folder in _watched(view):
        count += len(folder.uids)
        findings += _without_entry(view, folder)
    return count, findings


def _without_entry(view: View, folder: ShownFolder) -> list[Finding]:
    row = load_folder(view.connection, folder.mailbox_id, folder.name)
    served = select(mailboxes.c.served_at).where(mailboxes.c.id == folder.mailbox_id)
    looked_at = row.round_at if row else view.connection.execute(served).scalar()
    late = looked_at is not None and view.now - looked_at > view.delay
    if row is None or row.uidvalidity != folder.uidvalidity:
        why = "was never looked through" if row is None else "was numbered anew by its server"
        what = f"the folder {why}, and its {len(folder.uids)} messages are not matched with the ledger"
        return [Finding("I1", what, folder.place())] if late and folder.uids else []
    entries = _entries(view.connection, row)
    findings = []
    for uid in sorted(folder.uids - entries.keys() - folder.gone):
        mail = folder.mails.get(uid)
        came_since = uid > row.uid_mark and not late
        allowed = view.delay if uid > row.uid_mark else view.delay and view.delay + _RECONCILED
        young = mail is not None and view.now - mail.internaldate <= allowed
        if not came_since and not young:
            findings.append(Finding("I1", "the message has no entry in the ledger", folder.place(uid)))
    return findings


def _watched(view: View) -> Iterator[ShownFolder]:
    return (folder for folder in view.shown if folder.role in WATCHED)


def _entries(connection: Connection, row: FolderRow) -> _Entries:
    """Return id, digest and size of a folder's entries that have a place there, by UID."""
    return folder_digests(connection, row.id, row.uidvalidity)


def once(view: View) -> Checked:
    """I3: no message has two entries, and none opened two cases."""
    connection = view.connection
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


def held(view: View) -> Checked:
    """I6: every held case says why it is held, and has the clocks that the mailbox and the law give it."""
    connection = view.connection
    hours = {mailbox.address: mailbox.promise_hours for _, mailbox in view.desk.settings.mailboxes()}
    query = (
        select(
            cases.c.id,
            cases.c.reference,
            cases.c.held_reason,
            cases.c.opened_at,
            cases.c.mailbox_id,
            mailboxes.c.address,
        )
        .join(mailboxes, mailboxes.c.id == cases.c.mailbox_id)
        .where(cases.c.state == CaseState.HELD.value)
        .order_by(cases.c.id)
    )
    rows = list(connection.execute(query))
    findings = []
    for row in rows:
        if not row.held_reason:
            findings.append(Finding("I6", "it is held and nobody can see why", row.reference))
        if hours.get(row.address) and not _has_clock(connection, row):
            findings.append(Finding("I6", "it is held without the clock of its promise", row.reference))
        if connection.execute(_dateless(row.id)).first():
            findings.append(Finding("I6", "a right is asked for and has no legal date", row.reference))
    return len(rows), findings


def _has_clock(connection: Connection, row: Any) -> bool:
    """Whether a held case has a promise, or its mailbox promised nothing yet when it was opened."""
    own = select(promises.c.id).where(promises.c.case_id == row.id)
    earlier = (
        select(promises.c.id)
        .join(cases, cases.c.id == promises.c.case_id)
        .where(cases.c.mailbox_id == row.mailbox_id, cases.c.id < row.id)
    )
    return connection.execute(own).first() is not None or connection.execute(earlier).first() is None


def _dateless(case_id: int) -> Any:
    return select(requests.c.id).where(
        requests.c.case_id == case_id,
        requests.c.kind.in_(_RIGHTS),
        requests.c.outcome.is_(None),
        requests.c.due_hard.is_(None),
    )


def kept(view: View) -> Checked:
    """I7: digest and size in the ledger are those of the server's message, and of the header block that is kept."""
    count, findings = _kept_headers(view)
    for folder in _watched(view):
        row = load_folder(view.connection, folder.mailbox_id, folder.name)
        if row is None or row.uidvalidity != folder.uidvalidity:
            continue
        entries = _entries(view.connection, row)
        for uid, mail in sorted(folder.mails.items()):
            _, digest, size = entries.get(uid, (0, UNSEEN, 0))
            if digest.startswith(UNSEEN):
                continue
            count += 1
            if digest != mail.digest:
                young = view.now - mail.internaldate <= (view.delay and view.delay + _RECONCILED)
                what = "the server shows another message than was taken"
                findings += [] if young else [Finding("I7", what, folder.place(uid))]
            elif _differs(size, mail):
                what = f"it has {mail.size} bytes, and {size} were taken"
                findings.append(Finding("I7", what, folder.place(uid)))
    return count, findings


def _differs(size: int, mail: ShownMail) -> bool:
    """Whether a size is not the server's. Some servers estimate too low: then the bytes that came were counted."""
    estimated = size < _FIRST_BYTES and mail.size < size <= 2 * mail.size
    return size != mail.size and not estimated


def _kept_headers(view: View) -> Checked:
    connection = view.connection
    join = mails.join(ledger, ledger.c.id == mails.c.ledger_id)
    whole = and_(mails.c.header != b"", ledger.c.digest.not_like(f"{UNSEEN}%"))
    total = connection.execute(select(func.count()).select_from(join).where(whole)).scalar_one()
    query = select(mails.c.header, ledger.c.id, ledger.c.digest).select_from(join).where(whole)
    count, findings = 0, []
    for row in connection.execute(query.where(view.some(mails.c.id, total)).order_by(ledger.c.id)):
        count += 1
        if hashlib.sha256(row.header).hexdigest() != row.digest:
            findings.append(Finding("I7", "the kept header block is not the one that came", f"ledger entry {row.id}"))
    return count, findings


def not_ended_by_loss(view: View) -> Checked:
    """I9: whatever vanished from the mailbox: cases ended only by their history, and what was taken is still kept."""
    connection = view.connection
    wrong = [one for one in wrong_states(connection) if one.state in ENDED and one.said not in ENDED]
    findings = [Finding("I9", f"it is {one.state}, and nobody ended it", one.reference) for one in wrong]
    count = connection.execute(
        select(func.count()).select_from(cases).where(cases.c.state.in_([one.value for one in ENDED]))
    ).scalar_one()
    vanished = _vanished(view)
    kept_still = exists().where(mails.c.ledger_id == ledger.c.id)
    query = (
        select(ledger.c.id, cases.c.reference)
        .join(cases, cases.c.id == ledger.c.case_id)
        .where(
            ledger.c.state.in_(_ENTERED),
            ledger.c.reason != "same_mail",
            cases.c.proof_gone_at.is_(None),
            ~kept_still,
        )
        .order_by(ledger.c.id)
    )
    for row in connection.execute(query):
        also = ", and its message is gone from the mailbox" if row.id in vanished else ""
        findings.append(Finding("I9", f"nothing is kept of its mail{also}", f"{row.reference}, ledger entry {row.id}"))
    entered = select(func.count()).select_from(ledger).where(ledger.c.state.in_(_ENTERED))
    return count + connection.execute(entered).scalar_one(), findings


def _vanished(view: View) -> set[int]:
    """Return the entries whose messages lie nowhere that we know, or that their server does not show any more."""
    displaced = select(ledger.c.id).where(ledger.c.uidvalidity == NO_PLACE)
    found = set(view.connection.execute(displaced).scalars())
    for folder in _watched(view):
        row = load_folder(view.connection, folder.mailbox_id, folder.name)
        if row is not None and row.uidvalidity == folder.uidvalidity:
            found |= {entry[0] for uid, entry in _entries(view.connection, row).items() if uid not in folder.uids}
    return found
