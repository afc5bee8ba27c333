"""What `inboxbot check` looks at: the machine, the files, the database, every server, every letter template.

Each finding says where it is and, unless all is well, what to do. Nothing is sent, taken or written: a database that
is not there yet is not made.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from inboxbot.config.model import CompanySettings, Settings
from inboxbot.daemon.checks_audit import check_audit
from inboxbot.daemon.checks_registers import check_registers
from inboxbot.daemon.checks_servers import check_imap, check_smtp
from inboxbot.daemon.checks_telling import addresses_to_check, check_address
from inboxbot.daemon.checks_web import check_web
from inboxbot.daemon.findings import Finding, Level
from inboxbot.errors import InboxbotError
from inboxbot.replies.check_rules import Weight
from inboxbot.replies.facts import LANGUAGES
from inboxbot.replies.samples import Sample, check_sample, samples
from inboxbot.sorting.native import find_core
from inboxbot.store.engine import Store, verify_durability
from inboxbot.store.integrity import look_through
from inboxbot.store.opening import marker_of
from inboxbot.store.schema import require_current, revision
from inboxbot.store.standing import newest_moment
from inboxbot.store.stops import standing_stops

SERVER_LIMIT_S: Final = 25.0
CLOCK_SLACK: Final = dt.timedelta(minutes=5)
# The patch releases of early 2026 with the security fixes of the mail modules (promises.md E90).
SAFE_PATCH: Final = {(3, 11): 15, (3, 12): 13, (3, 13): 12, (3, 14): 3}
LITTLE_SPACE: Final = 500 * 1024 * 1024
PYTHON: Final[Sequence[int]] = (sys.version_info.major, sys.version_info.minor, sys.version_info.micro)
_RELEASED: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def check_machine(*, now: dt.datetime, version: Sequence[int] = PYTHON, user: int | None = None) -> list[Finding]:
    """Look at Python, the judge, the user and the clock; needs no settings. ``user`` is a numeric id, None: our own."""
    return [_python(version), _judge(), _user(os.geteuid() if user is None else user), _clock(now)]


def check_all(settings: Settings, path: Path, *, now: dt.datetime, limit_s: float = SERVER_LIMIT_S) -> list[Finding]:
    """Look at everything the settings name; servers are tried side by side, each within ``limit_s`` seconds."""
    running = [(one, one.start()) for one in [*_tries(settings), _audit(settings, now)]]
    until = time.monotonic() + limit_s
    found = [
        Finding("settings", str(path), Level.OK, _counted(settings)),
        *_rights(settings, path),
        *check_database(settings, now=now),
        *check_registers(settings),
        *check_web(settings),
    ]
    for company in settings.company:
        found += _zone(company)
        found += _templates(company)
    for one, thread in running:
        found += one.result(thread, until, limit_s)
    return found


def _counted(settings: Settings) -> str:
    companies, mailboxes = len(settings.company), len(settings.mailboxes())
    return f"{companies} {'company' if companies == 1 else 'companies'}, {mailboxes} mailbox{'es' * (mailboxes != 1)}"


# --- the machine --------------------------------------------------------------------------------------------------


def _python(version: Sequence[int]) -> Finding:
    text = ".".join(str(part) for part in version[:3])
    wanted = SAFE_PATCH.get((version[0], version[1]))
    if wanted is not None and version[2] < wanted:
        what = (
            "known faults in its mail modules are mended in later patch releases (inboxbot guards against them itself)"
        )
        return Finding("python", text, Level.WARNING, what, f"install {version[0]}.{version[1]}.{wanted} or later")
    return Finding("python", text, Level.OK, "a release with the known security fixes")


def _judge() -> Finding:
    if find_core() is None:
        what = "judges a few hundred mails a second; install inboxbot anew beside a C++ compiler for five times as many"
        return Finding("judge", "plain Python", Level.OK, what)
    return Finding("judge", "native core", Level.OK, "judges more than a thousand mails a second")


def _user(user: int) -> Finding:
    if user == 0:
        what = "runs as root, which it does not need"
        return Finding("user", "root", Level.WARNING, what, "run it as a user of its own")
    return Finding("user", f"number {user}", Level.OK, "not root")


def _clock(now: dt.datetime) -> Finding:
    where = now.strftime("%Y-%m-%d %H:%M UTC")
    if now < _RELEASED:
        return Finding("clock", where, Level.ERROR, "stands before this program was written", "set the clock, use NTP")
    return Finding("clock", where, Level.OK, "plausible")


def _zone(company: CompanySettings) -> list[Finding]:
    """See that the zone has its summer time rules: an empty zone database would shift every legal date."""
    where = f"{company.name}: {company.timezone}"
    try:
        offset = ZoneInfo(company.timezone).utcoffset(dt.datetime(2026, 7, 1))  # noqa: DTZ001  (the zone is asked)
    except (OSError, ValueError):
        return [Finding("clock", where, Level.ERROR, "the zone's data is not there", "install the package tzdata")]
    hours = (offset or dt.timedelta()).total_seconds() / 3600
    return [Finding("clock", where, Level.OK, f"zone data is there (UTC{hours:+g} in July 2026)")]


# --- files --------------------------------------------------------------------------------------------------------


def _rights(settings: Settings, path: Path) -> list[Finding]:
    found = []
    for name, file in (("settings", path), ("folder", settings.folder)):
        if file.exists() and file.stat().st_mode & stat.S_IWOTH:
            found.append(Finding(name, str(file), Level.ERROR, "anybody may write it", f"chmod o-w {file}"))
    if "@" in settings.database.url and ":" in settings.database.url.partition("://")[2].rpartition("@")[0]:
        mode = path.stat().st_mode if path.exists() else 0
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            what = "holds the database's password and is readable by others"
            found.append(Finding("settings", str(path), Level.ERROR, what, f"chmod 600 {path}"))
    return found or [Finding("files", str(settings.folder), Level.OK, "settings and folder are not open to everybody")]


# --- the database -------------------------------------------------------------------------------------------------


def check_database(settings: Settings, *, now: dt.datetime) -> list[Finding]:
    """Open the database if there is one and look at its schema, durability, rights and newest entry."""
    place = ""
    try:
        store = Store(settings.database.url, folder=settings.folder)
        place = store.place
        try:
            if store.path is not None and not store.path.exists():
                return [_no_file_yet(store.path)]
            return _standing_database(store, now)
        finally:
            store.close()
    except InboxbotError as error:
        return [Finding("database", error.where or place, Level.ERROR, error.what, error.cure)]
    except ModuleNotFoundError as error:
        cure = 'pip install "inboxbot[postgres]"'
        return [Finding("database", place or "database.url", Level.ERROR, f"{error.name} is not installed", cure)]
    except SQLAlchemyError as error:
        what = f"the database could not be looked at: {type(error).__name__}"
        return [Finding("database", place or "database.url", Level.ERROR, what, "check database.url")]


def _no_file_yet(path: Path) -> Finding:
    if marker_of(path).exists():
        cure = f"put it back or restore a backup; to start anew on purpose remove {marker_of(path).name}"
        return Finding("database", str(path), Level.ERROR, "the database is gone", cure)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return Finding("database", str(path.parent), Level.ERROR, "cannot be written to", "give this user the right")
    return Finding("database", str(path), Level.OK, "not there yet; it is made at the first start")


def _standing_database(store: Store, now: dt.datetime) -> list[Finding]:
    found = _file_findings(store.path) if store.path else []
    verify_durability(store)
    with store.write():
        pass  # the write lock could be taken, so another program does not hold it
    if revision(store) is None and (store.path is None or not marker_of(store.path).exists()):
        return [*found, Finding("database", store.place, Level.OK, "empty; its tables are made at the first start")]
    try:
        require_current(store)
    except InboxbotError as error:
        older = "older than the program" in error.what
        level = Level.WARNING if older else Level.ERROR
        return [*found, Finding("database", error.where, level, error.what, error.cure)]
    if store.is_sqlite:
        look_through(store)
    with store.read() as connection:
        newest = newest_moment(connection)
        found += _stops(connection)
    if newest is not None and now < newest - CLOCK_SLACK:
        what = f"the clock stands before the newest entry of the database ({newest:%Y-%m-%d %H:%M} UTC)"
        found.append(Finding("clock", f"{now:%Y-%m-%d %H:%M} UTC", Level.ERROR, what, "set the clock, use NTP"))
    return [*found, Finding("database", store.place, Level.OK, "opens, can be written, is durable, schema up to date")]


def _stops(connection: Connection) -> list[Finding]:
    cure = "look into it, then `inboxbot sending release --by NAME`"
    return [
        Finding("sending", f"since {one.at:%Y-%m-%d %H:%M} UTC", Level.ERROR, f"is stopped: {one.why}", cure)
        for one in standing_stops(connection)
    ]


def _file_findings(path: Path) -> list[Finding]:
    found = []
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = "holds personal data and is open to others"
        found.append(Finding("database", str(path), Level.ERROR, what, f"chmod 600 {path}"))
    free = shutil.disk_usage(path.parent).free
    if free < LITTLE_SPACE:
        what = f"only {free // (1024 * 1024)} MB are free"
        found.append(Finding("disk", str(path.parent), Level.WARNING, what, "free some space"))
    return found


# --- letters ------------------------------------------------------------------------------------------------------


def _templates(company: CompanySettings) -> list[Finding]:
    """Run the letter check over every template with invented cases, the company's own templates first."""
    found: dict[Finding, None] = {}
    letters = 0
    for language in LANGUAGES:
        for sample in samples(language, company):
            letters += 1
            name = f"{language}/{sample.template}.txt"
            for level, what in _letter_faults(sample, company):
                cure = "`inboxbot templates check` tells more"
                found[Finding("templates", f"{company.name}: {name}", level, what, cure)] = None
    where = f"{company.name}: {company.templates or 'those that ship'}"
    return list(found) or [Finding("templates", where, Level.OK, f"{letters} sample letters could be approved")]


def _letter_faults(sample: Sample, company: CompanySettings) -> list[tuple[Level, str]]:
    try:
        faults = check_sample(sample, company.templates)
    except (OSError, UnicodeDecodeError):
        return [(Level.ERROR, "cannot be read as UTF-8 text")]
    levels = {Weight.BLOCKING: Level.ERROR, Weight.WARNING: Level.WARNING}
    return [(levels[one.weight], one.message) for one in faults]


# --- servers, side by side ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Try:
    """One look at one server in a thread of its own. A thread that hangs dies with the process."""

    area: str
    where: str
    work: Callable[[], list[Finding]]
    late: Level = Level.ERROR
    cure: str = "check host, port and security, and the network"
    found: list[Finding] | None = None

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            self.found = self.work()
        except Exception as error:  # noqa: BLE001  (a fault of ours in one try must not hide the others)
            self.found = [Finding(self.area, self.where, Level.ERROR, f"could not be tried: {type(error).__name__}")]

    def result(self, thread: threading.Thread, until: float, limit_s: float) -> list[Finding]:
        """Return what was found, waiting until the monotonic moment ``until`` at most."""
        thread.join(max(0.0, until - time.monotonic()))
        if self.found is not None:
            return self.found
        what = f"did not come to an end within {limit_s:g} s"
        return [Finding(self.area, self.where, self.late, what, self.cure)]


def _audit(settings: Settings, now: dt.datetime) -> _Try:
    work = functools.partial(check_audit, settings, now=now)
    return _Try("audit", "database and mailboxes", work, Level.WARNING, "run `inboxbot audit`, which takes its time")


def _tries(settings: Settings) -> list[_Try]:
    found = []
    for first, company in enumerate(settings.company, 1):
        for second, mailbox in enumerate(company.mailbox, 1):
            key = f"company[{first}].mailbox[{second}]"
            for area, server, look in (("imap", mailbox.imap, check_imap), ("smtp", mailbox.smtp, check_smtp)):
                where = f"{mailbox.address} at {server.host}:{server.port}"
                found.append(_Try(area, where, functools.partial(look, mailbox, key)))
    named = addresses_to_check(settings)
    return found + [_Try(one.area, one.where, functools.partial(check_address, one)) for one in named]


class Outcome(StrEnum):
    """What a list of findings comes to."""

    FINE = "fine"
    WARNINGS = "warnings"
    ERRORS = "errors"


def outcome(findings: Sequence[Finding]) -> Outcome:
    """Return the worst of the findings."""
    levels = {one.level for one in findings}
    return Outcome.ERRORS if Level.ERROR in levels else Outcome.WARNINGS if Level.WARNING in levels else Outcome.FINE
