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
from inboxbot.daemon.noticing import notice_sent
from inboxbot.desk.arrivals import Arrival, Served, Tally
from inboxbot.desk.context import Desk
from inboxbot.desk.intake import take
from inboxbot.errors import InboxbotError
from inboxbot.logs import get_logger
from inboxbot.mailbox.fetching import Fetched, FetchedHeader, Missing, Refused
from inboxbot.mailbox.server import FolderState, Server
from inboxbot.mailbox.workers import Read, ReadingPool
from inboxbot.reading.headers import read_part_fields
from inboxbot.reading.receipt import receipt_time
from inboxbot.reading.values import Mail, RawMail
from inboxbot.sorting.values import Verdict
from inboxbot.store.ledger import folder_uids, same_mails
from inboxbot.store.mailboxes import FolderRow, change_folder, load_folder, mailbox_ids, save_folder

log = get_logger()
BATCH = 100
RECONCILE_EVERY = dt.timedelta(hours=1)
Now = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Round:
    """What a round works with. ``reconcile`` compares the whole folder with the ledger even before its hour."""

    desk: Desk
    served: Served
    server: Server
    pool: ReadingPool
    now: Now
    reconcile: bool = False


def served_mailbox(desk: Desk, address: str) -> Served:
    """Return a mailbox to serve; it has a row of its own from now on."""
    company, mailbox = desk.of_mailbox(address)
    with desk.store.write() as connection:
        ids = mailbox_ids(connection, [(one.address, company.name) for one in company.mailbox])
    return Served(company, mailbox, ids[mailbox.address], tuple(ids.values()))


def serve(work: Round) -> Tally:
    """Take what is new in the mailbox and notice what staff answered. Raises MailboxError when it cannot be served."""
    folders = work.server.folders()
    tally = take_folder(work, folders.inbox, "inbox")
    if folders.junk is not None:
        tally.add(take_folder(work, folders.junk, "junk"))
    if folders.sent is not None:
        tally.noticed += notice_sent(work.desk, work.served, work.server, folders.sent, now=work.now)
    return tally


def take_folder(work: Round, name: str, role: str) -> Tally:
    """Take everything of one folder that the ledger has not, and return what became of it."""
    state = work.server.open(name)
    row, renumbered = _known(work, state, role)
    now = work.now()
    whole = work.reconcile or renumbered or row.reconciled_at is None or now - row.reconciled_at > RECONCILE_EVERY
    uids = _unseen(work, row, whole=whole)
    tally = Tally()
    before = [uid for uid in uids if _before_start(work.served.mailbox, row, uid)]
    tally.add(_take_headers(work, row, before, only_known=False))
    rest = sorted(set(uids) - set(before))
    if renumbered:
        known = _take_headers(work, row, rest, only_known=True)
        tally.add(known)
        with work.desk.store.read() as connection:
            done = folder_uids(connection, row.id, row.uidvalidity)
        rest = [uid for uid in rest if uid not in done]
    tally.add(_take_mails(work, row, rest, role))
    with work.desk.store.write() as connection:
        change_folder(
            connection,
            row.id,
            uid_mark=max([row.uid_mark, *uids]),
            uidnext=state.uidnext,
            round_at=work.now(),
            **({"reconciled_at": now} if whole else {}),
            **({"baseline_at": now} if row.baseline_at is None else {}),
        )
    crash_here("folder_mark_committed")
    if uids:
        log.info("folder_taken", mailbox=work.served.id, folder=row.id, taken=tally.taken, held=tally.held)
    return tally


def _known(work: Round, state: FolderState, role: str) -> tuple[FolderRow, bool]:
    """Return the folder's row, made or renumbered as the server says, and whether its numbers mean something new."""
    with work.desk.store.write() as connection:
        row = load_folder(connection, work.served.id, state.name)
        if row is None:
            fresh = save_folder(
                connection,
                work.served.id,
                name=state.name,
                role=role,
                uidvalidity=state.uidvalidity,
                uidnext=state.uidnext,
                baseline_uid=_baseline_uid(work, state),
            )
            return fresh, False
        went_back = row.uidvalidity == state.uidvalidity and 0 < state.uidnext <= row.uid_mark
        if row.uidvalidity == state.uidvalidity and not went_back:
            return row, False
        log.warning("folder_renumbered", mailbox=work.served.id, folder=row.id, uidnext_back=went_back)
        change_folder(connection, row.id, uidvalidity=state.uidvalidity, uid_mark=0, baseline_uid=0)
        renumbered = load_folder(connection, work.served.id, state.name)
    return renumbered or row, True


def _baseline_uid(work: Round, state: FolderState) -> int:
    """Return the UID below which mails came before the start; with a start date every mail is looked at by its day."""
    if work.served.mailbox.start == "beginning":
        return 0
    if state.uidnext:
        return state.uidnext
    return max(work.server.all_uids(), default=0) + 1


def _unseen(work: Round, row: FolderRow, *, whole: bool) -> list[int]:
    listed = work.server.all_uids() if whole else work.server.uids_above(row.uid_mark)
    with work.desk.store.read() as connection:
        known = folder_uids(connection, row.id, row.uidvalidity) if whole else set()
    return [uid for uid in listed if uid not in known]


def _before_start(mailbox: MailboxSettings, row: FolderRow, uid: int) -> bool:
    return mailbox.start == "now" and uid < row.baseline_uid


def _take_headers(work: Round, row: FolderRow, uids: Sequence[int], *, only_known: bool) -> Tally:
    """Enter mails by their headers alone: those before the start, or (``only_known``) those seen before."""
    tally = Tally()
    batch: list[Arrival] = []
    for one in work.server.fetch_headers(uids) if uids else ():
        if isinstance(one, FetchedHeader):
            batch.append(_header_arrival(work, row, one))
        if len(batch) >= BATCH:
            tally.add(_enter(work, batch, only_known=only_known))
            batch = []
    tally.add(_enter(work, batch, only_known=only_known))
    return tally


def _enter(work: Round, batch: list[Arrival], *, only_known: bool) -> Tally:
    if only_known:
        with work.desk.store.read() as connection:
            known = same_mails(connection, work.served.id, [one.digest for one in batch])
        batch = [one for one in batch if (one.digest, one.size) in known]
    return take(work.desk, work.served, batch, now=work.now()) if batch else Tally()


def _header_arrival(work: Round, row: FolderRow, one: FetchedHeader) -> Arrival:
    return Arrival(
        folder_id=row.id,
        uidvalidity=row.uidvalidity,
        uid=one.uid,
        size=one.size,
        digest=one.digest,
        header=b"",
        received_at=one.internaldate,
        fetched_at=work.now(),
        mail=None,
        verdict=None,
        before_start=True,
    )


def _take_mails(work: Round, row: FolderRow, uids: Sequence[int], role: str) -> Tally:
    """Fetch, read, judge and write mails; fetching, judging and writing overlap, batches stay in UID order."""
    tally = Tally()
    if not uids:
        return tally
    pending: dict[int, Fetched] = {}
    odd: list[Arrival] = []

    def brought() -> Iterator[tuple[int, RawMail]]:
        for one in work.server.fetch(uids):
            if isinstance(one, Fetched):
                pending[one.uid] = one
                yield one.uid, one.raw
            else:
                odd.append(_odd_arrival(work, row, one))

    batch: list[Arrival] = []
    for uid, outcome in work.pool.judge_all(brought()):
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
    fields = read_part_fields(fetched.raw.header)
    received = [field.text for field in fields if field.name == "received"]
    receipt = receipt_time(fetched.internaldate, received, work.served.mailbox.trusted_received, fetched_at)
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
        digest=f"uid:{row.id}:{row.uidvalidity}:{one.uid}",
        header=b"",
        received_at=now,
        fetched_at=now,
        mail=None,
        verdict=None,
        fault=fault,
        vanished=fault is None,
    )
