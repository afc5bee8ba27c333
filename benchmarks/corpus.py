"""Run mails of other projects through the real workers and the real ledger, from where they lie.

    python -m benchmarks.corpus DIR [--workers 2] [--slowest 10] [--database URL]

Every file under DIR that is not plainly something else is taken as one raw message (an mbox as several), as a server
would give it. Each must end in the ledger with a state and a reason, none may fell a worker or reach its limit of time.
Printed: the counts, the codes of what is held, and the slowest. Exit code 1 when a message is missing, a worker died or
a limit was reached. Nothing is copied, and nothing of a mail is printed but its path.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import mailbox
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.audited import audit_database
from tests.servers.installation import Installation, Office, open_office

from inboxbot.daemon.round import BATCH
from inboxbot.desk.arrivals import Arrival, Served
from inboxbot.desk.intake import take
from inboxbot.mailbox.workers import Outcome, Read, ReadingPool, WorkLimits
from inboxbot.reading.read import raw_of
from inboxbot.reading.values import RawMail
from inboxbot.store.mailboxes import save_folder

# Beside mails, corpora hold the answers that are expected of a parser, and code.
NO_MAIL = {".yml", ".yaml", ".json", ".toml", ".py", ".pl", ".t", ".rb", ".php", ".rs", ".md", ".html", ".png", ".jpg"}
NO_MAIL |= {".gif", ".pdf", ".zip", ".gz", ".js", ".go", ".c", ".h", ".xml", ".csv", ".sh", ".pem", ".key", ".crt"}
FELLED = {"reader_died", "too_slow", "out_of_memory", "reader_failed", "judge_failed", "intake_failed"}


@dataclass
class Found:
    """What the run found: outcomes by code, and how long the reading of single messages took in seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    felled: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


def messages(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every raw message under a folder with the name of its place."""
    for file in sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix.lower() not in NO_MAIL):
        name = str(file.relative_to(folder))
        data = file.read_bytes()
        if file.suffix.lower() in {".mbox", ".mbx"}:
            for number, one in enumerate(mailbox.mbox(file, create=False)):
                yield f"{name}:{number}", one.as_bytes()
        elif data and b"\0\0\0\0" not in data[:64]:
            yield name, data


def run(office: Office, pool: ReadingPool, mails: list[tuple[str, bytes]]) -> Found:
    """Read, judge and write every message in batches as a round does."""
    found = Found()
    served = office.served()
    with office.desk.store.write() as connection:
        folder = save_folder(
            connection, served.id, name="INBOX", role="inbox", uidvalidity=1, uidnext=1, baseline_uid=0
        )
    raws = [(uid, raw_of(data)) for uid, (_, data) in enumerate(mails, 1)]
    batch: list[Arrival] = []
    for uid, outcome in pool.judge_all(iter(raws)):
        name, data = mails[uid - 1]
        code = "read" if isinstance(outcome, Read) else outcome.code
        found.outcomes[code] += 1
        if code in FELLED:
            found.felled.append(f"{name}: {code}")
        batch.append(_arrival(folder.id, uid, len(data), raws[uid - 1][1], outcome))
        if len(batch) >= BATCH:
            _write(office, served, batch, mails, found)
            batch = []
    _write(office, served, batch, mails, found)
    return found


def _write(office: Office, served: Served, batch: list[Arrival], mails: list[tuple[str, bytes]], found: Found) -> None:
    """Write a batch; of one that cannot be written each message alone, to find which it was."""
    now = dt.datetime.now(dt.UTC)
    try:
        if batch:
            take(office.desk, served, batch, now=now)
    except Exception:  # noqa: BLE001  (told below)
        for one in batch:
            try:
                take(office.desk, served, [one], now=now)
            except Exception as error:  # noqa: BLE001
                found.felled.append(f"{mails[one.uid - 1][0]}: intake: {type(error).__name__}")


def _arrival(folder_id: int, uid: int, size: int, raw: RawMail, outcome: Outcome) -> Arrival:
    now = dt.datetime.now(dt.UTC)
    return Arrival(
        folder_id=folder_id,
        uidvalidity=1,
        uid=uid,
        size=size,
        digest=hashlib.sha256(raw.header).hexdigest(),
        header=raw.header,
        received_at=now,
        fetched_at=now,
        mail=outcome.mail,
        verdict=outcome.verdict if isinstance(outcome, Read) else None,
        fault=None if isinstance(outcome, Read) else outcome.code,
    )


def time_each(pool: ReadingPool, mails: list[tuple[str, bytes]]) -> dict[str, float]:
    """Return the seconds of each message read and judged alone."""
    seconds: dict[str, float] = {}
    for name, data in mails:
        begun = time.monotonic()
        list(pool.judge_all([(name, raw_of(data))]))
        seconds[name] = time.monotonic() - begun
    return seconds


def main() -> int:
    """Read a folder and print what became of it."""
    arguments = argparse.ArgumentParser(prog="corpus", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--slowest", type=int, default=0, help="time each message alone and show so many")
    arguments.add_argument("--database", default="sqlite:///inboxbot.db", help="or the URL of an empty PostgreSQL")
    asked = arguments.parse_args()
    mails = list(messages(asked.folder))
    if not mails:
        print(f"no message under {asked.folder}")
        return 2
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place, ReadingPool(asked.workers) as pool:
        house = Installation(Path(place), 9, 9, "kontakt", "hemligt", database=asked.database)
        with open_office(house) as office:
            found = run(office, pool, mails)
            took = time.monotonic() - begun
            states = Counter(row["state"] for row in office.ledger())
            bare = sum(not row["reason"] for row in office.ledger())
            audit = audit_database(office.desk)["findings"]
        slow = time_each(pool, mails) if asked.slowest else {}
    missing = len(mails) - sum(states.values())
    print(f"messages      {len(mails)}, {sum(len(data) for _, data in mails):,} bytes, {took:.1f} s")
    print(f"in the ledger {sum(states.values())} ({', '.join(f'{key} {n}' for key, n in states.most_common())})")
    print(f"missing {missing}, without a reason {bare}, audit findings {len(audit)}")
    print("read or held as:", ", ".join(f"{key} {count}" for key, count in found.outcomes.most_common()))
    for line in found.felled:
        print(f"FELLED A WORKER OR A LIMIT: {line}")
    for name, seconds in sorted(slow.items(), key=lambda item: -item[1])[: asked.slowest]:
        print(f"{seconds:6.2f} s  {name}")
    print(f"limit of one message: {WorkLimits().wall_s:.0f} s")
    return int(bool(missing or bare or audit or found.felled))


if __name__ == "__main__":
    sys.exit(main())
