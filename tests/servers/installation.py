"""A whole installation in a temporary folder: settings, database, the real commands in child processes."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from tests.servers.audited import assert_sound
from tests.servers.quick import Started, quick

from inboxbot.cases.values import Case, DraftState
from inboxbot.config.load import load_settings
from inboxbot.daemon.once import run_once
from inboxbot.daemon.round import served_mailbox
from inboxbot.desk.approve import approve
from inboxbot.desk.arrivals import Arrival, Served, Tally
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.intake import take
from inboxbot.mailbox.workers import ReadingPool, shipped_judge
from inboxbot.outbox.journal import Journal
from inboxbot.outbox.runner import Sent, send_due
from inboxbot.outbox.smtp import Limits
from inboxbot.reading.headers import split_header
from inboxbot.reading.read import read_mail
from inboxbot.reading.values import Mail, RawMail
from inboxbot.sorting.values import Verdict
from inboxbot.store.cases import case_id_of, load_cases
from inboxbot.store.drafts import Draft, load_drafts
from inboxbot.store.history import load_history
from inboxbot.store.ledger import folder_uids, list_ledger
from inboxbot.store.mailboxes import load_folder, save_folder
from inboxbot.store.opening import open_store
from inboxbot.store.schema import secret

COMMAND = [sys.executable, "-m", "inboxbot.cli.main"]


@dataclass
class Installation:
    """Settings for one mailbox on given servers, and the commands to work with them."""

    folder: Path
    imap_port: int
    smtp_port: int
    username: str
    password: str
    address: str = "kontakt@example.se"
    promise_hours: int | None = 24
    start: str = "beginning"
    company_lines: str = ""
    mailbox_lines: str = ""
    imap_lines: str = ""
    smtp_lines: str = ""
    smtp_security: str = "none"
    imap_host: str = "127.0.0.1"
    top_lines: str = ""
    more: str = ""
    database: str = "sqlite:///inboxbot.db"
    environment: dict[str, str] = field(default_factory=dict)
    sound: bool = True  # False: a test breaks it on purpose, and the audit at its end is left out

    def __post_init__(self) -> None:
        """Write the settings."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "imap-password"
        secret.write_text(self.password + "\n", encoding="utf-8")
        secret.chmod(0o600)
        self.write()

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self) -> None:
        promise = f"promise_hours = {self.promise_hours}" if self.promise_hours else ""
        self.config.write_text(
            f"""
[database]
url = "{self.database}"
{self.top_lines}

[[company]]
name = "Exempel AB"
organisation_number = "556000-0001"
reference_prefix = "EX"
{self.company_lines}
[[company.mailbox]]
address = "{self.address}"
{promise}
start = "{self.start}"
{self.mailbox_lines}
[company.mailbox.imap]
host = "{self.imap_host}"
port = {self.imap_port}
security = "none"
username = "{self.username}"
password_file = "imap-password"
{self.imap_lines}
[company.mailbox.smtp]
host = "127.0.0.1"
port = {self.smtp_port}
security = "{self.smtp_security}"
{self.smtp_lines}
{self.more}
""",
            encoding="utf-8",
        )

    def run(
        self, *arguments: str, check: bool = True, input_text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return it; a failure shows what it printed."""
        done = quick().run(
            ["--config", str(self.config), *arguments],
            environment={**os.environ, **self.environment},
            input_text=input_text,
        )
        if check and done.returncode:
            raise AssertionError(f"{arguments} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments: str) -> Any:
        """Run a command with --json and return its document."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def start_quickly(self, *arguments: str) -> Started:
        """Start a command and return it; its output goes to a folder beside the settings."""
        folder = self.folder / "started"
        folder.mkdir(exist_ok=True)
        return quick().start(
            ["--config", str(self.config), *arguments],
            environment={**os.environ, **self.environment},
            folder=folder,
        )

    def start_process(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and return its process."""
        return subprocess.Popen(
            [*COMMAND, "--config", str(self.config), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )


class Clock:
    """The real time, which a test may move on."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def advance(self, **delta: float) -> None:
        self.ahead += dt.timedelta(**delta)


@functools.cache
def _judge() -> Callable[[Mail], Verdict]:
    return shipped_judge()


@dataclass
class Office:
    """An installation opened in this process: the rooms that the commands use, without a process each time."""

    installation: Installation
    desk: Desk
    clock: Clock
    journal: Journal
    pool: ReadingPool | None = None
    _uid: int = 0

    def served(self) -> Served:
        return served_mailbox(self.desk, self.installation.address)

    def receive(self, *messages: bytes, role: str = "inbox") -> Tally:
        """Take mails as if a server had given them, read and judged here; no IMAP is spoken."""
        served = self.served()
        with self.desk.store.write() as connection:
            folder = load_folder(connection, served.id, role) or save_folder(
                connection, served.id, name=role, role=role, uidvalidity=1, uidnext=1, baseline_uid=0
            )
        with self.desk.store.read() as connection:
            top = max(folder_uids(connection, folder.id, 1), default=0)
        return take(
            self.desk,
            served,
            [self._arrival(folder.id, top + place, one, role) for place, one in enumerate(messages, 1)],
            now=self.clock(),
        )

    def _arrival(self, folder_id: int, uid: int, message: bytes, role: str) -> Arrival:
        header, _ = split_header(message)
        mail = read_mail(RawMail(header=header, size=len(message), whole=message))
        return Arrival(
            folder_id=folder_id,
            uidvalidity=1,
            uid=uid,
            size=len(message),
            digest=hashlib.sha256(header).hexdigest(),
            header=header,
            received_at=self.clock(),
            fetched_at=self.clock(),
            mail=mail,
            verdict=_judge()(mail),
            junk=role == "junk",
        )

    def once(self) -> Tally:
        """Do each job once over the real servers of the installation."""
        if self.pool is None:
            raise AssertionError("this office was opened without workers")
        return run_once(self.desk, self.pool, self.journal, now=self.clock)

    def approve(self, draft_id: int, by: str = "Eva Ek") -> None:
        approve(self.desk, draft_id, actor=Actor(by, "terminal"), now=self.clock())

    def send(self, limits: Limits | None = None) -> Sent:
        return send_due(self.desk, self.journal, now=self.clock, limits=limits)

    def drafts(self, *states: DraftState) -> list[Draft]:
        with self.desk.store.read() as connection:
            return load_drafts(connection, states=states or None)

    def draft(self, draft_id: int) -> Draft:
        return next(one for one in self.drafts() if one.id == draft_id)

    def cases(self) -> list[Case]:
        with self.desk.store.read() as connection:
            return load_cases(connection)

    def case(self, reference: str) -> Case:
        return next(one for one in self.cases() if one.reference == reference)

    def ledger(self) -> list[dict[str, Any]]:
        """Return the ledger, oldest first."""
        with self.desk.store.read() as connection:
            return list(list_ledger(connection))[::-1]

    def events(self, reference: str) -> list[str]:
        """Return the events of a case's history in order."""
        with self.desk.store.read() as connection:
            return [one["event"] for one in load_history(connection, case_id_of(connection, reference))]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a plain SQL query gives."""
        with self.desk.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@contextlib.contextmanager
def open_office(
    installation: Installation, *, pool: ReadingPool | None = None, clock: Clock | None = None
) -> Iterator[Office]:
    """Open an installation here."""
    clock = clock or Clock()
    settings = load_settings(installation.config)
    store = open_store(settings.database.url, settings.folder, now=clock())
    try:
        with store.read() as connection:
            key = secret(connection)
        name = f"{store.path.name}.sent" if store.path else "inboxbot.sent"
        journal = Journal(installation.folder / name)
        yield Office(installation, Desk(store, settings, key), clock, journal, pool)
        if installation.sound:
            assert_sound(Desk(store, settings, key), mailboxes=pool is not None)
    finally:
        store.close()
