"""The audit of letters: approved, sent once, known again, and what they met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import DraftState, LedgerState
from inboxbot.desk.audit_values import Checked, Finding, ShownFolder, View
from inboxbot.desk.letters import digest_of
from inboxbot.store.cases import chunks
from inboxbot.store.checklists import load_attachments
from inboxbot.store.drafts import load_drafts
from inboxbot.store.mailboxes import load_folder
from inboxbot.store.tables import (
    approvals,
    attachments,
    attempts,
    cases,
    drafts,
    history,
    ledger,
    mails,
    placed,
    promises,
)

_WENT_OUT = ("accepted", "unknown")
_LEFT = (DraftState.TRANSMITTING, DraftState.SENT, DraftState.UNKNOWN, DraftState.FAILED)
_LEAVING = (DraftState.APPROVED, DraftState.TRANSMITTING)
_DOT = "dot"  # the phase from which nobody knows whether a letter arrived
_TAKEN_IN = (LedgerState.CASE.value, LedgerState.FOLLOWUP.value, LedgerState.HELD.value, LedgerState.ORDINARY.value)


def met(view: View) -> Checked:
    """P6: an answered promise names a letter that the server took and that did not come back, or an answer of staff."""
    connection = view.connection
    query = (
        select(promises.c.id, promises.c.answered_at, promises.c.received_at, promises.c.answered_by, cases.c.reference)
        .join(cases, cases.c.id == promises.c.case_id)
        .where(promises.c.answered_at.is_not(None), cases.c.proof_gone_at.is_(None))
        .order_by(promises.c.id)
    )
    rows = list(connection.execute(query))
    sent = set(connection.execute(select(drafts.c.id).where(drafts.c.state == DraftState.SENT.value)).scalars())
    known = _mails_there(connection, [row.answered_by or "" for row in rows])
    back = _came_back(connection)
    findings = []
    for row in rows:
        name, _, number = (row.answered_by or "").partition(":")
        letter = int(number) if name == "draft" and number.isdigit() else 0
        what = ""
        if letter not in sent and row.answered_by not in known:
            what = "it counts as answered, and no letter or answer of staff did that"
        elif letter in back:
            what = f"it counts as answered by letter {letter}, which came back"
        elif row.answered_at < row.received_at:
            what = "it was answered before the mail came"
        if what:
            findings.append(Finding("P6", what, f"{row.reference}, promise {row.id}"))
    return len(rows), findings


def _mails_there(connection: Connection, names: Sequence[str]) -> set[str]:
    """Return which of the names ``mail:NUMBER`` are those of mails that are kept."""
    numbers = sorted(
        {
            int(number)
            for name in names
            for kind, _, number in [name.partition(":")]
            if kind == "mail" and number.isdigit()
        }
    )
    found = (connection.execute(select(mails.c.id).where(mails.c.id.in_(chunk))) for chunk in chunks(numbers))
    return {f"mail:{one}" for result in found for one in result.scalars()}


_VOIDS = (CaseEvent.DRAFT_EDITED, CaseEvent.DRAFT_ATTACHED, CaseEvent.DRAFT_CALLED_BACK, CaseEvent.REQUESTER_WROTE)


def _stood(connection: Connection, approval: Row[Any], attempt: Row[Any]) -> bool:
    """Return whether an approval stood when a try began.

    One that is later than the try was given before it all the same when history says so: a clock was set back.
    """
    if approval.at <= attempt.started_at:
        return approval.void_at is None or bool(approval.void_at >= attempt.started_at)
    return approval.void_at is None and _stood_by_order(connection, attempt.draft_id, attempt.id)


def _stood_by_order(connection: Connection, draft_id: int, attempt_id: int) -> bool:
    case_id = select(drafts.c.case_id).where(drafts.c.id == draft_id).scalar_subquery()
    events = (CaseEvent.DRAFT_APPROVED, CaseEvent.LETTER_CLAIMED, *_VOIDS)
    query = (
        select(history.c.event, history.c.detail)
        .where(history.c.case_id == case_id, history.c.event.in_([one.value for one in events]))
        .order_by(history.c.sequence)
    )
    stands = False
    for row in connection.execute(query):
        if row.event == CaseEvent.REQUESTER_WROTE.value:
            stands = False
        elif row.detail.get("draft") == draft_id:
            if row.event == CaseEvent.LETTER_CLAIMED.value:
                if row.detail.get("attempt") == attempt_id:
                    return stands
            else:
                stands = row.event == CaseEvent.DRAFT_APPROVED.value
    return False


def _came_back(connection: Connection) -> set[int]:
    query = select(history.c.detail).where(history.c.event == CaseEvent.BOUNCED.value)
    named = [str(detail.get("drafts", "")) for detail in connection.execute(query).scalars()]
    return {int(one) for text in named for one in text.split(",") if one.isdigit()}


def approved(view: View) -> Checked:
    """S1: every letter that went out, or may have, had an approval of its digest that stood when the try began."""
    connection = view.connection
    given: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(select(approvals)):
        given[row.draft_id, row.digest].append(row)
    query = select(attempts).where(attempts.c.result.in_(_WENT_OUT)).order_by(attempts.c.id)
    tries = list(connection.execute(query))
    findings = [
        Finding("S1", "it went out without an approval that stood", f"letter {row.draft_id}, try {row.id}")
        for row in tries
        if not any(_stood(connection, one, row) for one in given.get((row.draft_id, row.digest), []))
    ]
    tried = {row.draft_id for row in tries}
    went = (DraftState.SENT.value, DraftState.UNKNOWN.value)
    sent = list(connection.execute(select(drafts.c.id).where(drafts.c.state.in_(went)).order_by(drafts.c.id)).scalars())
    bare = _without_bytes(connection)
    for draft in (one for chunk in chunks(sent) for one in load_drafts(connection, draft_ids=chunk)):
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


def once(view: View) -> Checked:
    """S2: a letter was accepted once at most, and tried no more after it may have arrived, unless approved anew."""
    connection = view.connection
    approved_at: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(approvals.c.draft_id, approvals.c.at)):
        approved_at[row.draft_id].append(row.at)
    by_letter: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(attempts).order_by(attempts.c.id)):
        by_letter[row.draft_id].append(row)
    findings = []
    for letter, tries in by_letter.items():
        times = sum(one.result == "accepted" for one in tries)
        if times > 1:
            findings.append(Finding("S2", f"the server took it {times} times", f"letter {letter}"))
        for before, after in pairwise(tries):
            in_doubt = before.result in _WENT_OUT or (before.result is None and before.phase == _DOT)
            ended = before.ended_at or before.started_at
            if in_doubt and not any(ended <= at <= after.started_at for at in approved_at[letter]):
                what = "it was tried again after it may have arrived, and nobody had said so"
                findings.append(Finding("S2", what, f"letter {letter}, try {after.id}"))
    return sum(one.result in _WENT_OUT for tries in by_letter.values() for one in tries), findings


def standing(view: View) -> Checked:
    """S4: whatever approval stands is of the words as they are; a proposal has none."""
    connection = view.connection
    query = (
        select(approvals.c.draft_id, approvals.c.digest)
        .join(drafts, drafts.c.id == approvals.c.draft_id)
        .where(approvals.c.void_at.is_(None))
        .where(drafts.c.state.in_([DraftState.PROPOSED.value, *(one.value for one in _LEAVING)]))
        .order_by(approvals.c.id)
    )
    rows = list(connection.execute(query))
    letters = load_drafts(connection, draft_ids=sorted({row.draft_id for row in rows})) if rows else []
    now = {
        one.id: digest_of(one, load_attachments(connection, one.id)) if one.state in _LEAVING else None
        for one in letters
    }
    findings = []
    for row in rows:
        if now.get(row.draft_id) is None:
            findings.append(Finding("S4", "it is a proposal, and an approval stands", f"letter {row.draft_id}"))
        elif now[row.draft_id] != row.digest:
            findings.append(Finding("S4", "the approval that stands is of other words", f"letter {row.draft_id}"))
    return len(rows), findings


# --- in the mailbox -----------------------------------------------------------------------------------------------


def ours(view: View) -> Checked:
    """S7: every letter has a Message-ID of ours, none came back as a mail to us, those in Sent were sent by record."""
    connection = view.connection
    count, findings = 0, []
    for row in connection.execute(select(drafts.c.id, drafts.c.message_id).order_by(drafts.c.id)):
        count += 1
        if view.case_of(row.message_id) is None:
            findings.append(Finding("S7", "its Message-ID is not one of ours", f"letter {row.id}"))
    addresses = {
        address for _, mailbox in view.desk.settings.mailboxes() for address in (mailbox.address, *mailbox.aliases)
    }
    query = (
        select(ledger.c.id, mails.c.message_id)
        .join(mails, mails.c.ledger_id == ledger.c.id)
        .where(mails.c.message_id.like("<ib.%"), mails.c.direction == "in", mails.c.sender.in_(sorted(addresses)))
        .where(ledger.c.state.in_(_TAKEN_IN))
        .order_by(ledger.c.id)
    )
    findings += [
        Finding("S7", "a letter of ours was taken for a mail to us", f"ledger entry {row.id}")
        for row in connection.execute(query)
        if view.case_of(row.message_id) is not None
    ]
    for folder in view.shown:
        if folder.role == "sent":
            found, wrong = _sent_unrecorded(view, folder)
            count += found
            findings += wrong
    return count, findings


def _sent_unrecorded(view: View, folder: ShownFolder) -> Checked:
    """Look for letters of ours in the sent folder that nobody knows to be sent, as after an older backup came back."""
    row = load_folder(view.connection, folder.mailbox_id, folder.name)
    if row is None:
        return 0, []
    named = {uid: mail for uid, mail in folder.mails.items() if uid >= row.baseline_uid}
    about = {uid: view.case_of(mail.message_id) for uid, mail in named.items()}
    about = {uid: case for uid, case in about.items() if case is not None}
    gone = set(view.connection.execute(select(cases.c.id).where(cases.c.proof_gone_at.is_not(None))).scalars())
    late = row.round_at is None or view.now - row.round_at > view.delay
    findings = []
    for uid, case in sorted(about.items()):
        mail = named[uid]
        waits = view.now - mail.internaldate <= view.delay or (uid > row.uid_mark and not late)
        if case in gone or waits or _is_known_as_sent(view.connection, mail.message_id or ""):
            continue
        findings.append(Finding("S7", "a letter of ours lies there, and none is known to be sent", folder.place(uid)))
    return len(about), findings


def _is_known_as_sent(connection: Connection, message_id: str) -> bool:
    """Whether the outbox sent it, or staff did and it was noticed."""
    left = select(drafts.c.id).where(
        drafts.c.message_id == message_id.lower(), drafts.c.state.in_([one.value for one in _LEFT])
    )
    noticed = select(mails.c.id).where(mails.c.direction == "out", func.lower(mails.c.message_id) == message_id.lower())
    return connection.execute(left).first() is not None or connection.execute(noticed).first() is not None


def placed_once(view: View) -> Checked:
    """S10: of every letter in the drafts folder one draft carries our mark, and its letter was placed by record."""
    count = view.connection.execute(
        select(func.count()).select_from(placed).where(placed.c.placed_at.is_not(None))
    ).scalar_one()
    findings = []
    for folder in view.shown:
        if folder.role != "drafts":
            continue
        old: dict[int, list[int]] = defaultdict(list)
        for uid, mail in sorted(folder.mails.items()):
            if mail.draft_id is not None and view.now - mail.internaldate >= view.delay:
                old[mail.draft_id].append(uid)
        count += len(old)
        for letter, uids in sorted(old.items()):
            if len(uids) > 1:
                what = f"it lies {len(uids)} times in the drafts folder of mailbox {folder.mailbox_id}"
                findings.append(Finding("S10", what, f"letter {letter}"))
    return count, findings
