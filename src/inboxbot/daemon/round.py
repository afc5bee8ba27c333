"""One round over one mailbox: inbox and junk are taken, the sent folder is looked through for answers.

A folder is listed by UID and UIDVALIDITY; what the ledger has not is fetched, read and judged by the workers, and
written in batches. The mark of the folder moves only when everything before it is written.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from inboxbot.config.model import MailboxSettings
from inboxbot.crash import crash_here
from inboxbot.daemon.matching import MassChangeError, match_again, receipt_of, reused
from inboxbot.daemon.noticing import notice_sent
from inboxbot.desk.arrivals import UNSEEN, Arrival, Served, Tally
from inboxbot.desk.context import Desk
from inboxbot.desk.intake import take
from inboxbot.errors import InboxbotError
from inboxbot.logs import get_logger
from inboxbot.mailbox.fetching import Fetched, FetchedHeader, Missing, Refused
from inboxbot.mailbox.server import FolderState
from inboxbot.mailbox.source import MailSource
from inboxbot.mailbox.sync import KnownFolder, Step, plan, unseen
from inboxbot.mailbox.workers import Read, ReadingPool
from inboxbot.reading.values import Mail, RawMail
from inboxbot.sorting.values import Verdict
from inboxbot.store.audits import save_blind
from inboxbot.store.ledger import folder_entries, folder_uids
from inboxbot.store.mailboxes import FolderRow, change_folder, load_folder, mailbox_ids, note_served, save_folder

log = get_logger()
BATCH = 100
RECONCILE_EVERY = dt.timedelta(hours=1)
Now = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Round:
    """What a round works with. ``reconcile`` compares the whole folder with the ledger even before its hour.

    ``accept_new``: a person said that what looks new after a renumbering is new, however much it is.
    """

    desk: Desk
    served: Served
    server: MailSource
    pool: ReadingPool
    now: Now
    reconcile: bool = False
    accept_new: bool = False


def served_mailbox(desk: Desk, address: str) -> Served:
    """Return a mailbox to serve; it has a row of its own from now on."""
    company, mailbox = desk.of_mailbox(address)
    with desk.store.write() as connection:
        ids = mailbox_ids(connection, [(one.address, company.name) for one in company.mailbox])
    return Served(company, mailbox, ids[mailbox.address], tuple(ids.values()))


def serve(work: Round) -> Tally:
    """Take what is new in the mailbox and notice what staff answered. Raises MailboxError when it cannot be served.

    A folder that a person must look at first is an error in the tally; the other folders are served.
    """
    folders = work.server.folders()
    tally = Tally()
    for name, role in ((folders.inbox, "inbox"), (folders.junk, "junk")):
        if name is None:
            continue
        try:
            tally.add(take_folder(work, name, role))
        except MassChangeError as error:
            log.warning("folder_looks_new", mailbox=work.served.id, role=role)
            tally.fail(error, work.served.mailbox.address)
    if folders.sent is not None:
        tally.noticed += notice_sent(work.desk, work.served, work.server, folders.sent, now=work.now, pool=work.pool)
    if not tally.errors:
        _note_complete(work)
    return tally


def _note_complete(work: Round) -> None:
    """Write that the mailbox was served, and keep a window in which it was not for longer than it promises (P7)."""
    now = work.now()
    hours = work.served.mailbox.promise_hours
    with work.desk.store.write() as connection:
        before = note_served(connection, work.served.id, now)
        blind = before is not None and hours is not None and now - before > dt.timedelta(hours=hours)
        if before is not None and blind:
            save_blind(connection, work.served.id, since=before, until=now)
    if before is not None and blind:
        log.warning("mailbox_was_blind", mailbox=work.served.id, since=before.isoformat(), until=now.isoformat())


def take_folder(work: Round, name: str, role: str) -> Tally:
    """Take everything of one folder that the ledger has not, and return what became of it. Raises MassChangeError."""
    state = work.server.open(name)
    row = _folder_row(work, state, role)
    begin = plan(KnownFolder(row.uidvalidity, row.uid_mark, complete=row.baseline_at is not None), state)
    if begin.step is Step.REMATCH:
        row = match_again(work.desk, work.served, work.server, row, state, accept=work.accept_new, now=work.now())
    now = work.now()
    due = row.reconciled_at is None or now - row.reconciled_at > RECONCILE_EVERY
    whole = due or work.reconcile or begin.step is not Step.NEW
    listed = work.server.all_uids() if whole else work.server.uids_above(begin.above)
    fresh = unseen(_known_uids(work, row), listed) if whole else listed
    before = [uid for uid in fresh if _before_start(work.served.mailbox, row, uid)]
    tally = _take_headers(work, row, before)
    twice = _used_twice(work, row) if due and begin.step is Step.NEW else []
    tally.add(_take_mails(work, row, sorted({*fresh, *twice} - set(before)), role))
    with work.desk.store.write() as connection:
        change_folder(
            connection,
            row.id,
            uid_mark=max([row.uid_mark, *listed]),
            uidnext=state.uidnext,
            round_at=work.now(),
            **({"reconciled_at": now} if due else {}),
            **({"baseline_at": now} if row.baseline_at is None else {}),
        )
    crash_here("folder_mark_committed")
    if fresh:
        log.info("folder_taken", mailbox=work.served.id, folder=row.id, taken=tally.taken, held=tally.held)
    return tally


def _folder_row(work: Round, state: FolderState, role: str) -> FolderRow:
    """Return the folder's row; made now, with the place of the baseline, when the folder is seen for the first time."""
    with work.desk.store.read() as connection:
        row = load_folder(connection, work.served.id, state.name)
    if row is not None:
        return row
    baseline_uid = _baseline_uid(work, state)
    with work.desk.store.write() as connection:
        return save_folder(
            connection,
            work.served.id,
            name=state.name,
            role=role,
            uidvalidity=state.uidvalidity,
            uidnext=state.uidnext,
            baseline_uid=baseline_uid,
            looked_at=work.now(),
        )


def _baseline_uid(work: Round, state: FolderState) -> int:
    """Return the UID below which mails came before the start; with a start date every mail is looked at by its day."""
    if work.served.mailbox.start == "beginning":
        return 0
    if state.uidnext:
        return state.uidnext
    return max(work.server.all_uids(), default=0) + 1


def _known_uids(work: Round, row: FolderRow) -> set[int]:
    with work.desk.store.read() as connection:
        return folder_uids(connection, row.id, row.uidvalidity)


def _used_twice(work: Round, row: FolderRow) -> list[int]:
    with work.desk.store.read() as connection:
        entries = folder_entries(connection, row.id, row.uidvalidity)
    return reused(work.served, work.server, entries, work.now())


def _before_start(mailbox: MailboxSettings, row: FolderRow, uid: int) -> bool:
    """Whether a mail lay there before the first look; what turns up below that mark later is new (F33)."""
    return mailbox.start == "now" and row.baseline_at is None and uid < row.baseline_uid


def _take_headers(work: Round, row: FolderRow, uids: Sequence[int]) -> Tally:
    """Enter mails from before the start, by their headers alone."""
    tally = Tally()
    batch: list[Arrival] = []
    for one in work.server.fetch_headers(uids) if uids else ():
        batch.append(
            _header_arrival(work, row, one)
            if isinstance(one, FetchedHeader)
            else replace(_odd_arrival(work, row, one), before_start=True)
        )
        if len(batch) >= BATCH:
            tally.add(take(work.desk, work.served, batch, now=work.now()))
            batch = []
    if batch:
        tally.add(take(work.desk, work.served, batch, now=work.now()))
    return tally


def _header_arrival(work: Round, row: FolderRow, one: FetchedHeader) -> Arrival:
    now = work.now()
    return Arrival(
        folder_id=row.id,
        uidvalidity=row.uidvalidity,
        uid=one.uid,
        size=one.size,
        digest=one.digest,
        header=b"",
        received_at=receipt_of(work.served, one.header, one.internaldate, now).at,
        fetched_at=now,
        mail=None,
        verdict=None,
        before_start=True,
    )


def _take_mails(work: Round, row: FolderRow, uids: Sequence[int], role: str) -> Tally:
    """Fetch, read, judge and write mails; those that are much work, and too many to keep, are fetched again at the end.

    However many of them there are, nobody else's mail waits for them.
    """
    later: list[int] = []
    tally = _take_some(work, row, uids, role, later)
    tally.add(_take_some(work, row, later, role, None))
    return tally


def _take_some(work: Round, row: FolderRow, uids: Sequence[int], role: str, later: list[int] | None) -> Tally:
    """Take mails while later ones are fetched and judged. ``later`` gets the UIDs of those that were put off."""
    tally = Tally()
    if not uids:
        return tally
    crash_here("intake_begun")
    pending: dict[int, Fetched] = {}
    odd: list[Arrival] = []
    put_off: list[int] = [] if later is None else later

    def brought() -> Iterator[tuple[int, RawMail]]:
        for one in work.server.fetch(uids):
            if isinstance(one, Fetched):
                pending[one.uid] = one
                yield one.uid, one.raw
                if put_off and put_off[-1] == one.uid:
                    del pending[one.uid]
            else:
                odd.append(_odd_arrival(work, row, one))

    batch: list[Arrival] = []
    for uid, outcome in work.pool.judge_all(brought(), later=later):
        fetched = pending.pop(uid)
        verdict = outcome.verdict if isinstance(outcome, Read) else None
        fault = None if isinstance(outcome, Read) else outcome.code
        batch.append(_arrival(work, row, fetched, role, outcome.mail, verdict, fault))
        if len(batch) >= BATCH:
            tally.add(_take_safely(work, batch))
            batch = []
    if batch or odd:
        tally.add(_take_safely(work, [*batch, *odd]))
    return tally


def _take_safely(work: Round, batch: list[Arrival]) -> Tally:
    """Write a batch; when a mail in it makes that impossible, each alone, and that one held without its content."""
    crash_here("intake_fetched")
    try:
        return take(work.desk, work.served, batch, now=work.now())
    except InboxbotError:
        raise  # the database or a person: no mail is to blame
    except Exception as error:  # noqa: BLE001  (one bad mail stops only itself)
        log.error("batch_not_taken", mailbox=work.served.id, mails=len(batch), error=error)
    tally = Tally()
    for one in batch:
        try:
            tally.add(take(work.desk, work.served, [one], now=work.now()))
        except InboxbotError:
            raise
        except Exception as error:  # noqa: BLE001
            log.error("mail_not_taken", mailbox=work.served.id, uid=one.uid, error=error)
            bare = replace(one, mail=None, verdict=None, fault="intake_failed")
            tally.add(take(work.desk, work.served, [bare], now=work.now()))
    return tally


def _arrival(
    work: Round,
    row: FolderRow,
    fetched: Fetched,
    role: str,
    mail: Mail | None,
    verdict: Verdict | None,
    fault: str | None,
) -> Arrival:
    fetched_at = work.now()
    receipt = receipt_of(work.served, fetched.raw.header, fetched.internaldate, fetched_at)
    return Arrival(
        folder_id=row.id,
        uidvalidity=row.uidvalidity,
        uid=fetched.uid,
        size=fetched.size,
        digest=hashlib.sha256(fetched.raw.header).hexdigest(),
        header=fetched.raw.header,
        received_at=receipt.at,
        fetched_at=fetched_at,
        mail=mail,
        verdict=verdict,
        fault=fault,
        junk=role == "junk",
        before_start=_on_day_before(work.served, receipt.at),
        received_note=receipt.note,
    )


def _on_day_before(served: Served, received_at: dt.datetime) -> bool:
    start = served.mailbox.start
    return isinstance(start, dt.date) and received_at.astimezone(served.company.zone).date() < start


def _odd_arrival(work: Round, row: FolderRow, one: Missing | Refused) -> Arrival:
    """Return the entry of a message that went away before it was fetched, or that the server would not give."""
    now = work.now()
    fault = one.code if isinstance(one, Refused) else None
    return Arrival(
        folder_id=row.id,
        uidvalidity=row.uidvalidity,
        uid=one.uid,
        size=0,
        digest=f"{UNSEEN}{row.id}:{row.uidvalidity}:{one.uid}",
        header=b"",
        received_at=now,
        fetched_at=now,
        mail=None,
        verdict=None,
        fault=fault,
        vanished=fault is None,
    )
