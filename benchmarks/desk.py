"""How quickly the web desk answers with many cases: the median of each page, in milliseconds.

Beside it stands the processor time of this process, which a busy machine does not stretch (with PostgreSQL the server's
own is not in it).

    python -m benchmarks.desk [--cases 100000] [--live 100000] [--database URL]

The database is filled once, in a folder that is thrown away (or in the empty database named). The pages are asked for
through the whole application, without the network in between.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Connection, insert

from inboxbot.config.model import Settings, WebSettings
from inboxbot.desk.context import Desk
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import save_cases
from inboxbot.store.engine import Store
from inboxbot.store.history import history_row
from inboxbot.store.mailboxes import mailbox_ids
from inboxbot.store.opening import open_store
from inboxbot.store.people import EVERY_COMPANY, Role, add_token, add_user
from inboxbot.store.queue import LAST
from inboxbot.store.schema import secret
from inboxbot.store.tables import counters, drafts, history, mails, promises, requests
from inboxbot.web.app import build_app
from inboxbot.web.passwords import hash_password

BASE = "http://127.0.0.1:8025"
PASSWORD = "en mening för mätningen"
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
LATE = "2026-11-10T00:00:00"
GIVEN, FAMILY = ("Anna", "Bo", "Cia", "Dan", "Eva", "Åsa"), ("Berg", "Ek", "Lind", "Ström", "Öberg", "Nouri")


def settings_in(folder: Path, url: str) -> Settings:
    """Return settings of two companies with two mailboxes."""
    server = {"host": "127.0.0.1", "port": 9, "security": "none", "username": "x", "password": "x"}
    company = [
        {
            "name": f"Exempel {number} AB",
            "organisation_number": f"556000-00{ending}",
            "reference_prefix": f"E{number}",
            "mailbox": [
                {"address": f"kontakt{number}@example.org", "promise_hours": 24, "imap": server, "smtp": server}
            ],
        }
        for number, ending in ((1, "01"), (2, "19"))
    ]
    return Settings.model_validate({"database": {"url": url}, "company": company, "folder": folder})


def fill(store: Store, settings: Settings, number: int, live: int) -> None:
    """Write cases with a mail, a request, a promise, a letter and history each; the last ``live`` are open."""
    with store.write() as connection:
        ids = mailbox_ids(connection, [(box.address, company.name) for company, box in settings.mailboxes()])
    chance = random.Random(1)  # the same cases at every run
    for start in range(1, number + 1, 5000):
        with store.write() as connection:
            rows = [
                _case(case_id, list(ids.values()), case_id > number - live, chance)
                for case_id in range(start, min(start + 5000, number + 1))
            ]
            save_cases(connection, [row["cases"] for row in rows])
            for table in (mails, requests, promises, drafts, history):
                connection.execute(insert(table), [row[table.name] for row in rows])
    with store.write() as connection:
        _count_on(connection, number)


def _case(case_id: int, boxes: list[int], live: bool, chance: random.Random) -> dict[str, dict[str, Any]]:
    came = NOW - dt.timedelta(hours=chance.uniform(0, 600) if live else chance.uniform(600, 9000))
    name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
    address = f"person{case_id}@example.org"
    kind = chance.choice(list(Kind))
    due = came.date() + dt.timedelta(days=30) if kind.is_right else None
    box = chance.choice(boxes)
    ended = None if live else came + dt.timedelta(hours=5)
    answered = came + dt.timedelta(hours=4) if not live or chance.random() < 0.5 else None
    words = f"Hej!\nJag undrar vilka uppgifter ni har om mig, nummer {case_id}.\n" * 6
    letter = {"case_id": case_id, "id": case_id}
    return {
        "cases": {
            "id": case_id,
            "reference": f"E1-2026-{case_id:06}",
            "mailbox_id": box,
            "requester": address,
            "state": chance.choice(["held", "open", "open", "waiting"]) if live else "closed",
            "requester_name": name,
            "requester_source": "from",
            "language": "sv",
            "subject": f"Fråga {case_id} från {name}",
            "nonce": f"{case_id:x}",
            "opened_at": came,
            "closed_at": ended,
            "look_at": came if live else None,
            "urgent_at": LAST,  # the database finds out itself
            "version": 1,
        },
        "mails": {
            **letter,
            "mailbox_id": box,
            "direction": "in",
            "message_id": f"<{case_id}@example.org>",
            "sender": address,
            "sender_name": name,
            "recipients": [],
            "subject": f"Fråga {case_id}",
            "text": words,
            "header": b"",
            "detail": {
                "segments": [["new", 0, len(words)]],
                "verdict": {"kinds": [kind.value], "evidence": [], "flags": []},
            },
            "received_at": came,
            "size": len(words),
        },
        "requests": {
            **letter,
            "kind": kind.value,
            "received_at": came,
            "due_hard": due,
            "due_paused": due,
            "outcome": None if live else "granted",
            "outcome_at": ended,
            "told_at": ended,
        },
        "promises": {
            **letter,
            "mail_id": case_id,
            "received_at": came,
            "due_at": came + dt.timedelta(hours=24),
            "answered_at": answered,
            "answered_by": f"draft:{case_id}" if answered else None,
        },
        "drafts": {
            **letter,
            "state": "sent" if answered else "proposed",
            "template": "ordinary",
            "language": "sv",
            "recipient": address,
            "subject": "Re: Fråga",
            "body": words,
            "references": [],
            "created_at": came,
            "message_id": f"<ut{case_id}@example.org>",
            "facts": {"kinds": [kind.value], "received_at": came.isoformat()},
            "sent_at": answered,
            "attempts": 0,
            "version": 1,
        },
        "history": history_row(
            row_id=case_id,
            previous=None,
            case_id=case_id,
            sequence=1,
            at=came,
            event="request_recognised",
            actor="inboxbot",
            door="daemon",
            detail={},
        ),
    }


def _count_on(connection: Connection, number: int) -> None:
    for table in ("cases", "mails", "requests", "promises", "drafts", "history"):
        connection.execute(insert(counters).values(name=f"id:{table}", value=number))


def measure(client: TestClient, path: str, times: int, **more: Any) -> tuple[float, float, float]:
    """Return the median and the slowest of some answers, and the median of their processor time, in milliseconds."""
    spent, worked = [], []
    for _ in range(times):
        began, before = time.perf_counter(), time.process_time()
        answer = client.get(path, **more)
        spent.append((time.perf_counter() - began) * 1000)
        worked.append((time.process_time() - before) * 1000)
        if answer.status_code not in (200, 303):
            raise SystemExit(f"{path}: {answer.status_code}")
    return statistics.median(spent), max(spent), statistics.median(worked)


def pages_of(number: int) -> tuple[str, ...]:
    """Return the pages that are asked for: every one there is, and the searches and filters that are hard."""
    newest = f"/cases/E1-2026-{number:06}"
    return (
        "/", "/?mine=1", "/?kind=access", "/?mailbox=kontakt2@example.org", "/?view=waiting", "/?view=done",
        "/?view=all", f"/?after={LATE}Z.{number // 2}", "/?q=berg", "/?q=ber", "/?q=e", "/?q=finns-inte-alls",
        f"/?q=E1-2026-{number:06}", "/?q=2026+anna+ek", f"/?view=all&q=person{number // 3}@example.org",
        "/?view=done&q=öberg", newest, "/cases/E1-2026-000001", f"{newest}/mails/{number}/as-sent",
        f"{newest}/next", "/people", "/account",
    )  # fmt: skip


def main() -> None:
    """Fill a database and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--live", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--database", default="sqlite:///desk.db")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inboxbot-bench-") as scratch:
        settings = settings_in(Path(scratch), given.database)
        store = open_store(settings.database.url, settings.folder, now=NOW)
        fill(store, settings, given.cases, given.live)
        with store.write() as connection:
            connection.exec_driver_sql("ANALYZE")
            key = secret(connection)
            kept = hash_password(PASSWORD)
            user = add_user(connection, "Eva", role=Role.ADMIN, companies=[EVERY_COMPANY], password=kept, now=NOW)
            token = add_token(connection, user.id, "bench", now=NOW)
        app = build_app(Desk(store, settings, key), now=lambda: NOW, settings=WebSettings())
        client = TestClient(app, base_url=BASE, follow_redirects=False)
        page = client.get("/signin").text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        form = {"csrf": csrf, "name": "Eva", "password": PASSWORD}
        client.post("/signin", data=form, headers={"origin": BASE})
        print(f"{given.cases} cases, {given.live} of them live, {store.engine.dialect.name}")
        headers = {"authorization": f"Bearer {token}"}
        for path in (*pages_of(given.cases), "/api/cases", f"/api/cases/E1-2026-{given.cases:06}"):
            more = {"headers": headers} if path.startswith("/api/") else {}
            median, slowest, worked = measure(client, path, given.times, **more)
            print(f"{median:8.1f} ms median {slowest:8.1f} ms slowest {worked:8.1f} ms of work   {path}", flush=True)
        store.close()


if __name__ == "__main__":
    main()
