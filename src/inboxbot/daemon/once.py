"""Each job once: take mail, notice what staff sent, send what is approved, file copies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from inboxbot.cases.values import DraftState
from inboxbot.config.load import server_password
from inboxbot.daemon.alarms import raise_and_tell
from inboxbot.daemon.drafts_folder import tend_drafts
from inboxbot.daemon.ending import Ending
from inboxbot.daemon.filing import file_copies
from inboxbot.daemon.lock import SoleRight, require
from inboxbot.daemon.round import Now, Round, serve, served_mailbox
from inboxbot.desk.arrivals import Served, Tally
from inboxbot.desk.context import Desk
from inboxbot.desk.filing import unfiled
from inboxbot.desk.gate import remind
from inboxbot.desk.lookup import look_up_waiting
from inboxbot.errors import InboxbotError, MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.server import Server
from inboxbot.mailbox.workers import ReadingPool
from inboxbot.outbox.journal import Journal
from inboxbot.outbox.runner import send_due
from inboxbot.outbox.webhooks import tell_systems
from inboxbot.store.drafts import load_drafts

log = get_logger()
Progress = Callable[[str], None]


def connect(served: Served, number: tuple[int, int]) -> Server:
    """Return a connection (not yet open) to a mailbox; ``number`` is its place in the settings, for messages."""
    return Server(
        served.mailbox.imap,
        password=server_password(served.mailbox.imap),
        folders=served.mailbox.folders,
        key=f"company[{number[0]}].mailbox[{number[1]}].imap",
    )


def places(desk: Desk) -> list[tuple[str, tuple[int, int]]]:
    """Return every mailbox address with its place in the settings, counted from 1."""
    return [
        (mailbox.address, (first, second))
        for first, company in enumerate(desk.settings.company, 1)
        for second, mailbox in enumerate(company.mailbox, 1)
    ]


def run_once(
    desk: Desk,
    pool: ReadingPool,
    journal: Journal,
    *,
    now: Now,
    progress: Progress = lambda _: None,
    accept_new: str | None = None,
    right: SoleRight | None = None,
    ending: Ending | None = None,
) -> Tally:
    """Do each job once and return what was done. A mailbox that cannot be served is an error in the tally, no more.

    ``accept_new`` is the address of a mailbox in which whatever looks new after a renumbering is taken (F37). When
    ``right`` turns out to be lost, StoreError ends the run: somebody else may be working. ``ending`` is told when what
    is not begun yet shall be left to the next run.
    """
    run = _Run(desk, pool, journal, now, progress, accept_new, right, ending or Ending())
    steps: list[Callable[[], None]] = [partial(run.serve, address, number) for address, number in places(desk)]
    for step in [*steps, run.send, run.tell, run.file_all, run.look_up]:
        if run.ending.told:
            break
        require(right)
        step()
    return run.total


@dataclass(slots=True)
class _Run:
    """One run and what it did so far."""

    desk: Desk
    pool: ReadingPool
    journal: Journal
    now: Now
    progress: Progress
    accept_new: str | None
    right: SoleRight | None
    ending: Ending
    total: Tally = field(default_factory=Tally)

    def serve(self, address: str, number: tuple[int, int]) -> None:
        """Take what came to a mailbox, notice what staff answered, and tend its drafts folder."""
        self.progress(f"{address}: taking mail")
        served = served_mailbox(self.desk, address)
        accept = address == self.accept_new
        try:
            with connect(served, number) as server, self.ending.cutting(server.interrupt):
                work = Round(self.desk, served, server, self.pool, self.now, reconcile=True, accept_new=accept)
                self.total.add(serve(work))
                tend_drafts(self.desk, served, server, server.folders(), self.pool, now=self.now)
        except MailboxError as error:
            if self.ending.told:  # it was cut
                return
            log.warning("mailbox_not_served", mailbox=served.id, error=error)
            self.total.fail(error, address)
        except InboxbotError:
            raise  # the database: no other mailbox would fare better
        except Exception as error:  # noqa: BLE001  (a fault of ours with one mailbox must not stop the others)
            log.error("mailbox_failed", mailbox=served.id, error=error)
            fault = MailboxError(
                f"unexpected: {type(error).__name__}", where=address, cure="see the log; please report it"
            )
            self.total.fail(fault, address)

    def send(self) -> None:
        """Send what is approved; the letter in hand is finished when the run is told to end."""
        self.progress("sending what is approved")
        sent = send_due(self.desk, self.journal, now=self.now, may=lambda: not self.ending.told)
        self.total.sent += sent.sent
        self.total.errors += sent.errors

    def tell(self) -> None:
        """Tell the systems of opt-outs and staff of what the clocks say."""
        tell_systems(self.desk, now=self.now)
        self.progress("looking at the clocks")
        raise_and_tell(self.desk, now=self.now)
        _tell_stopped(self.desk, self.total)

    def file_all(self) -> None:
        """File the copies of letters that went out."""
        for address, number in places(self.desk):
            served = served_mailbox(self.desk, address)
            if self.ending.told or not unfiled(self.desk, served):
                continue
            try:
                with connect(served, number) as server, self.ending.cutting(server.interrupt):
                    file_copies(self.desk, served, server, server.folders().sent, now=self.now)
            except MailboxError as error:
                log.warning("copies_not_filed", mailbox=served.id, error=error)

    def look_up(self) -> None:
        """Look addresses up in the systems that the settings name."""
        self.progress("looking addresses up")
        look_up_waiting(self.desk, now=self.now)


def _tell_stopped(desk: Desk, total: Tally) -> None:
    """Let the run fail while letters wait because sending is stopped: cron then tells a person."""
    stops = remind(desk)
    with desk.store.read() as connection:
        waiting = len(load_drafts(connection, states=[DraftState.APPROVED])) if stops else 0
    if waiting:
        why = ", ".join(one.why for one in stops)
        cure = "`inboxbot sending show` tells more"
        total.errors.append(
            {"where": "sending", "what": f"stopped ({why}); {waiting} approved letters wait", "cure": cure}
        )
