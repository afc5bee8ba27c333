"""A storm of kills: ``once`` and ``run`` are killed at random while mail arrives and a robot approves letters.

`test_storm.py` rages a little in every run of the tests, `chaos.py` as long as one likes (promises.md F2). Where a kill
fell is read afterwards from the marks that the killed process left (`inboxbot.crash.passed_last`).
"""

from __future__ import annotations

import datetime as dt
import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation, Office, open_office
from tests.servers.quick import Started
from tests.servers.sink import Sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.crash import passed_last
from inboxbot.daemon.auditing import audit_all
from inboxbot.errors import RefusedError
from inboxbot.mailbox.workers import ReadingPool

# Nothing but the storm may hold a letter back, and the daemon is always at work.
BUSY: Final = """
[limits]
per_hour = 1000000
stop_after_failures = 1000000
[daemon]
outbox_every_s = 1
round_every_s = 5
"""
FETCH: Final = frozenset({"intake_begun"})
COMMIT: Final = frozenset({"intake_fetched", "intake_in_transaction", "intake_committed", "copy_appended"})
SMTP: Final = frozenset(
    {"send_begun", "send_claimed", "send_text_out", "send_before_dot", "send_after_dot", "send_accepted"}
)
SMTP_COMMIT: Final = frozenset({"send_journaled"})
# From before the note that the final dot goes out until its answer is on the disk nobody can know what became of it.
WINDOW: Final = frozenset({"send_text_out", "send_before_dot", "send_after_dot", "send_accepted"})
INSIDE: Final = FETCH | COMMIT | SMTP | SMTP_COMMIT


@dataclass(frozen=True)
class Kill:
    """One kill: what was killed, after how many seconds, and the point each of its threads had passed last."""

    victim: str
    after_s: float
    points: tuple[str, ...]


@dataclass
class Counts:
    """What the storm left: everything but the first block has to be 0."""

    kills: int
    inside: dict[str, int]
    in_window: int
    mails: int
    approved: int
    sent: int
    unknown: int

    lost: int
    doubled_cases: int
    sent_twice: int
    not_sent: int
    sent_without_record: int
    unknown_without_kill: int
    audit: list[dict[str, str]]

    def broken(self) -> dict[str, object]:
        """Return what must be 0 or empty and is not."""
        names = ("lost", "doubled_cases", "sent_twice", "not_sent", "sent_without_record", "unknown_without_kill")
        found = {name: value for name, value in asdict(self).items() if name in {*names, "audit"} and value}
        return dict(found)

    def told(self) -> str:
        """Return the counts in lines for people."""
        inside = ", ".join(f"{name} {count}" for name, count in self.inside.items())
        lines = [
            f"kills                {self.kills}, inside: {sum(self.inside.values())} ({inside})",
            f"mails                {self.mails}, lost {self.lost}, doubled cases {self.doubled_cases}",
            f"letters approved     {self.approved}, sent {self.sent}, unknown {self.unknown}, neither {self.not_sent}",
            f"letters sent twice   {self.sent_twice}, arrived without a record {self.sent_without_record}",
            f"kills in the window  {self.in_window} (unknown letters may be as many)",
            f"audit                {len(self.audit)} findings",
        ]
        return "\n".join(lines)


@dataclass
class Storm:
    """A mailbox, an installation that is killed over and over, and what is known of the kills so far."""

    house: Installation
    dovecot: Dovecot
    sink: Sink
    mails: int
    kills: int
    chance: random.Random
    patience_s: float = 30.0
    done: list[Kill] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _fault: BaseException | None = None

    @property
    def kept(self) -> Path:
        return self.house.folder / "kills.jsonl"

    @property
    def mark(self) -> Path:
        return self.house.folder / "mark"

    def load(self) -> Self:
        """Go on where a former storm in this folder ended."""
        if self.kept.exists():
            for line in self.kept.read_text(encoding="utf-8").splitlines():
                with suppress(json.JSONDecodeError):  # cut when the storm itself was killed
                    self.done.append(Kill(**{**(one := json.loads(line)), "points": tuple(one["points"])}))
        if self.mark.exists():  # the storm was stopped while something worked, which died with it
            self._note(Kill("stopped", 0.0, tuple(passed_last(self.mark))))
        return self

    def rage(self, tell: Callable[[Self], None] = lambda _: None) -> None:
        """Kill until there were ``kills``; ``tell`` is called after each."""
        robot = threading.Thread(target=self._robot, name="robot")
        self.house.sound = False  # the robot opens it thousands of times, and `count` audits it in the end
        robot.start()
        try:
            while len(self.done) < self.kills and self._fault is None:
                self._kill_one()
                tell(self)
        finally:
            self._stop.set()
            robot.join()
            self.house.sound = True
        if self._fault is not None:
            raise self._fault

    def _kill_one(self) -> None:
        """Start a process and kill it somewhere on its way; on a machine that was done sooner, try again earlier."""
        self.house.environment = {"INBOXBOT_CRASH_MARK": str(self.mark)}
        latest = 1.2
        for _ in range(20):
            victim = self.chance.choice(["once", "once", "run"])
            self.mark.unlink(missing_ok=True)
            process = self.house.start_quickly(victim)
            begun = time.monotonic()
            aim = self.chance.choice([None, FETCH, COMMIT, SMTP, WINDOW])
            if aim is None:
                time.sleep(self.chance.uniform(0.02, latest))
            else:
                self._wait_for_work(process, aim)
            process.kill()
            after = time.monotonic() - begun
            ended = process.wait()
            if ended == -signal.SIGKILL:
                self._note(Kill(victim, round(after, 3), tuple(passed_last(self.mark))))
                return
            if ended != 0:
                raise AssertionError((process.folder / "err").read_text(encoding="utf-8"))
            latest *= 0.7
        raise AssertionError("no run was long enough to be killed")

    def _wait_for_work(self, process: Started, aim: frozenset[str]) -> None:
        """Let it come to some work, then a moment more: most of a process's life is its start."""
        most = self.patience_s if aim <= SMTP else self.patience_s / 4  # sending comes last
        deadline = time.monotonic() + most * self.chance.uniform(0.2, 1)
        while time.monotonic() < deadline and not aim.intersection(passed_last(self.mark)) and not process.ended:
            time.sleep(0.001)
        time.sleep(self.chance.choice([0, self.chance.uniform(0, 0.02), self.chance.uniform(0, 0.3)]))

    def _note(self, kill: Kill) -> None:
        self.done.append(kill)
        with self.kept.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(kill)) + "\n")
        self.mark.unlink(missing_ok=True)

    # --- the robot: mail keeps coming, letters are approved ----------------------------------------------------------

    def _robot(self) -> None:
        chance = random.Random(self.chance.random())
        try:
            brought = self.dovecot.state(self.house.username)[0]
            database = self.house.folder / "inboxbot.db.installed"
            while not self._stop.wait(chance.uniform(0.02, 0.2)):
                due = min(self.mails, (len(self.done) + 2) * self.mails // self.kills + 1)
                if brought < due:
                    brought = self._bring(brought, min(due, brought + chance.randint(1, 10)))
                if database.exists() or not self.house.database.startswith("sqlite"):
                    with open_office(self.house) as office:
                        self._approve(office, chance.randint(0, 8))
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that waits)
            self._fault = error

    def _bring(self, brought: int, until: int) -> int:
        """Append mails with these numbers, and return how many there are now."""
        mails = [
            access(f"Person Nummer{number}", message_id=f"<{number}@storm.example.org>")
            for number in range(brought, until)
        ]
        self.dovecot.append(self.house.username, mails)
        return until

    def _approve(self, office: Office, most: int) -> None:
        for draft in office.drafts(DraftState.PROPOSED)[:most]:
            with suppress(RefusedError):
                office.approve(draft.id, by="Robot Ek")

    # --- afterwards --------------------------------------------------------------------------------------------------

    def settle(self, pool: ReadingPool) -> Counts:
        """Bring the rest of the mail, work in peace until nothing is left to do, and count."""
        self.house.environment = {}
        there = self.dovecot.state(self.house.username)[0]
        if there < self.mails:
            self._bring(there, self.mails)
        with open_office(self.house, pool=pool) as office:
            for _ in range(10):
                if not office.once().taken and not office.drafts(DraftState.APPROVED, DraftState.TRANSMITTING):
                    break
                office.clock.advance(minutes=61)  # a letter that certainly did not leave waits its pause
            return self.count(office)

    def count(self, office: Office) -> Counts:
        """Compare mailbox, database and what arrived."""
        uids = Counter(
            row[0]
            for row in office.rows(
                "SELECT uid FROM ledger JOIN folders ON folders.id = folder_id WHERE role = 'inbox' AND uid > 0"
            )
        )
        there = self.dovecot.state(self.house.username)[0]
        requesters = Counter(row[0] for row in office.rows("SELECT requester FROM cases"))
        arrived = self.arrived()
        states = dict(office.rows("SELECT state, count(*) FROM drafts GROUP BY state"))
        sent = {row[0] for row in office.rows("SELECT recipient FROM drafts WHERE state = 'sent'")}
        doubtful = {row[0] for row in office.rows("SELECT recipient FROM drafts WHERE state = 'unknown'")}
        approved = int(office.rows("SELECT count(*) FROM approvals WHERE void_at IS NULL")[0][0])
        audited = audit_all(office.desk, now=office.clock(), delay=dt.timedelta())
        window = sum(bool(WINDOW.intersection(one.points)) for one in self.done)
        return Counts(
            kills=len(self.done),
            inside=self.inside(),
            in_window=window,
            mails=there,
            approved=approved,
            sent=len(sent),
            unknown=len(doubtful),
            lost=len(set(range(1, there + 1)) - set(uids)) + max(0, there - len(requesters)),
            doubled_cases=sum(uids.values()) - len(uids) + sum(requesters.values()) - len(requesters),
            sent_twice=sum(arrived.values()) - len(arrived),
            not_sent=approved - len(sent) - len(doubtful) + sum(states.get(one, 0) for one in ("failed", "approved")),
            sent_without_record=len(set(arrived) - sent - doubtful) + len(sent - set(arrived)),
            unknown_without_kill=max(0, len(doubtful) - window),
            audit=audited["findings"] + audited["errors"],
        )

    def arrived(self) -> Counter[str]:
        """Return how many letters each recipient got."""
        if self.sink.record is None:
            raise AssertionError("the sink keeps no record")
        text = self.sink.record.read_text(encoding="utf-8") if self.sink.record.exists() else ""
        return Counter(text.splitlines())

    def inside(self) -> dict[str, int]:
        """Return how many kills fell inside fetch, commit and SMTP."""
        found = dict.fromkeys(("fetch", "commit", "smtp"), 0)
        for kill in self.done:
            points = set(kill.points)
            if points & SMTP:
                found["smtp"] += 1
            elif points & (COMMIT | SMTP_COMMIT):
                found["commit"] += 1
            elif points & FETCH:
                found["fetch"] += 1
        return found
