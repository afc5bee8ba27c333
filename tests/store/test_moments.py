"""What the queue is sorted by and searched in: kept by the database, whoever writes and in whatever order."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, delete, insert, select, text, update
from tests.servers.offices import NewOffice
from tests.servers.writing import access, letter

from inboxbot.store.cases import add_address, excuse_promises, load_cases, reopen_promises, settle_promises
from inboxbot.store.engine import Store
from inboxbot.store.queue import FIRST, Wanted, mailboxes_of, place_in_queue, queue_page, urgent_moment
from inboxbot.store.schema import _alembic, upgrade
from inboxbot.store.search import words_of
from inboxbot.store.tables import cases, drafts, promises, requests

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


def kept(connection: Connection) -> dict[int, tuple[dt.datetime | None, dt.datetime]]:
    query = select(cases.c.id, cases.c.answer_due_at, cases.c.urgent_at)
    return {row.id: (row.answer_due_at, row.urgent_at) for row in connection.execute(query)}


def meant(connection: Connection) -> dict[int, tuple[dt.datetime | None, dt.datetime]]:
    """Compute the same from the rows, in Python."""
    trouble = set(
        connection.execute(select(drafts.c.case_id).where(drafts.c.state.in_(("failed", "unknown")))).scalars()
    )
    found = {}
    for case in load_cases(connection):
        due = [one.due_at for one in case.promises if one.answered_at is None and one.excused is None]
        urgent = FIRST if case.id in trouble else urgent_moment(case)
        found[case.id] = (min(due, default=None), urgent)
    return found


def test_the_moments_follow_every_change_of_what_they_come_from(new_office: NewOffice, database: str) -> None:
    office = new_office(database=database)
    office.installation.sound = False  # rows are changed past the desk
    for number in range(4):
        office.clock.advance(hours=1)
        office.receive(
            access(f"Person Nummer{number}"), letter("Hej", "Har ni öppet?", sender=f"p{number}@example.org")
        )
    chance = random.Random(5)
    with office.desk.store.write() as connection:
        assert kept(connection) == meant(connection), "as opened"
        ids = {table: list(connection.execute(select(table.c.id)).scalars()) for table in (promises, requests, drafts)}
        for step in range(120):
            change(connection, ids, chance, step)
            assert kept(connection) == meant(connection), f"after step {step}"


def change(connection: Connection, ids: dict[Any, list[int]], chance: random.Random, step: int) -> None:
    """Change one row of one table, as some verb of the desk might."""
    table = chance.choice([promises, requests, drafts])
    row_id = chance.choice(ids[table])
    moment = NOW + dt.timedelta(hours=chance.randrange(500))
    case_id = chance.randrange(1, 9)
    values: dict[str, Any] = {
        promises.name: chance.choice(
            [{"answered_at": moment}, {"answered_at": None}, {"excused": "thanks"}, {"excused": None},
             {"due_at": moment}, {"case_id": case_id}]
        ),
        requests.name: chance.choice([{"outcome": "granted"}, {"outcome": None}, {"due_hard": moment.date()}]),
        drafts.name: {"state": chance.choice(["failed", "unknown", "proposed", "sent"])},
    }[table.name]  # fmt: skip
    if step % 10 == 9 and table is not drafts:
        kept_row = connection.execute(select(table).where(table.c.id == row_id)).one()._asdict()
        connection.execute(delete(table).where(table.c.id == row_id))
        if step % 20 == 9:
            connection.execute(insert(table), [kept_row])
        else:
            ids[table].remove(row_id)
        return
    connection.execute(update(table).where(table.c.id == row_id).values(**values))


def test_one_answer_settles_what_came_before_it_and_a_bounce_takes_back_its_own(new_office: NewOffice) -> None:
    office = new_office()
    office.installation.sound = False  # rows are written past the desk
    office.receive(access())
    with office.desk.store.write() as connection:
        (first,) = (row._asdict() for row in connection.execute(select(promises)))
        came = [first["received_at"] + dt.timedelta(hours=number) for number in range(4)]
        more = [{**first, "id": None, "received_at": one, "due_at": one + dt.timedelta(hours=24)} for one in came[1:]]
        connection.execute(insert(promises), more)

        def answers() -> list[tuple[str | None, str | None]]:
            query = select(promises.c.answered_by, promises.c.excused).order_by(promises.c.received_at)
            return [(row.answered_by, row.excused) for row in connection.execute(query)]

        case_id = first["case_id"]
        assert settle_promises(connection, case_id, at=came[1], by="draft:1") == 2
        assert settle_promises(connection, case_id, at=came[2], by="draft:2") == 1
        assert excuse_promises(connection, case_id, "thanks") == 1
        assert settle_promises(connection, case_id, at=came[3], by="draft:3") == 0
        assert answers() == [("draft:1", None), ("draft:1", None), ("draft:2", None), (None, "thanks")]
        assert reopen_promises(connection, case_id, by="draft:1") == 2
        assert answers() == [(None, None), (None, None), ("draft:2", None), (None, "thanks")]


def test_an_older_database_gets_its_moments_and_words(tmp_path: Path) -> None:
    store = Store("sqlite:///inboxbot.db", folder=tmp_path)
    with store.write() as connection:
        command.upgrade(_alembic(connection), "0007")
        for statement in OLD.split(";"):
            connection.execute(text(statement))
    upgrade(store, now=NOW)
    with store.read() as connection:
        assert kept(connection) == {
            1: (dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC), dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)),
            2: (None, dt.datetime(2026, 12, 1, 23, 0, tzinfo=dt.UTC)),
        }
        for search, found in (("anna", [1]), ("oberg", [2]), ("gammal", [2]), ("EX-2026", [2, 1])):
            wanted = Wanted("all", (1,), search=search)
            assert [one.case_id for one in queue_page(connection, wanted, after=None, limit=9)] == found
    store.close()


OLD = """
INSERT INTO mailboxes (id, address, company) VALUES (1, 'kontakt@example.se', 'Exempel AB');
INSERT INTO cases (id, reference, mailbox_id, state, requester, requester_name, requester_source, language, subject,
        nonce, opened_at, version)
    VALUES (1, 'EX-2026-0001', 1, 'open', 'anna@example.org', 'Anna Berg', 'from', 'sv', 'Fråga', 'x',
        '2026-11-21 09:00:00', 1),
    (2, 'EX-2026-0002', 1, 'open', 'bo@example.org', 'Bo Öberg', 'from', 'sv', 'Radera', 'y',
        '2026-11-21 09:00:00', 1);
INSERT INTO case_addresses (case_id, address) VALUES (2, 'gammal@example.net');
INSERT INTO mails (id, case_id, mailbox_id, direction, sender_name, recipients, subject, text, header, detail,
        received_at, size)
    VALUES (1, 1, 1, 'in', '', '[]', '', '', x'', '{}', '2026-11-21 09:00:00', 1);
INSERT INTO promises (id, case_id, mail_id, received_at, due_at)
    VALUES (1, 1, 1, '2026-11-21 09:00:00.000000', '2026-11-22 09:00:00.000000');
INSERT INTO requests (id, case_id, kind, received_at, due_hard)
    VALUES (1, 2, 'erasure', '2026-11-01 09:00:00.000000', '2026-12-01')
"""


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("EX-2026-0001", None, "Åsa Öberg", "Re: Fråga"), ["ex", "2026", "0001", "asa", "oberg", "re", "fraga"]),
        (("o'Neil—Strauß", "ＡＢＣ", "a" * 99), ["o", "neil", "strauss", "abc", "a" * 40]),
        (("", None, " -- %_ "), ["_"]),
        ((" ".join(str(n) for n in range(100)),), [str(n) for n in range(60)]),
    ],
)
def test_words_are_folded_alike_for_keeping_and_looking(texts: tuple[str | None, ...], words: list[str]) -> None:
    assert words_of(*texts) == words


def test_a_case_is_found_by_any_beginning_of_its_words(new_office: NewOffice, database: str) -> None:
    office = new_office(database=database)
    office.installation.sound = False  # rows are changed past the desk
    office.receive(access("Åsa Öberg"), letter("Öppettider på lördag", "Öppet?", sender="Bo Alm <bo@example.net>"))
    with office.desk.store.write() as connection:
        add_address(connection, 2, "bosse@example.com")
        add_address(connection, 2, "bosse@example.com")
        ids = tuple(one for one, _, _ in mailboxes_of(connection, None))
        found = {
            search: [
                one.case_id for one in queue_page(connection, Wanted("todo", ids, search=search), after=None, limit=9)
            ]
            for search in (
                "åsa",
                "ASA ÖB",
                "öberg alm",
                "lörd",
                "bosse",
                "bo@example.net",
                "ex-2026-0002",
                "e",
                "",
                "!",
            )
        }
    assert found == {
        "åsa": [1], "ASA ÖB": [1], "öberg alm": [], "lörd": [2], "bosse": [2], "bo@example.net": [2],
        "ex-2026-0002": [2], "e": [1, 2], "": [1, 2], "!": [],
    }  # fmt: skip


def test_a_waiting_case_whose_letter_failed_stands_first(new_office: NewOffice, database: str) -> None:
    office = new_office(database=database)
    office.installation.sound = False  # rows are changed past the desk
    office.receive(access("Anna Berg"), access("Bo Ek"), access("Cia Lind"))
    with office.desk.store.write() as connection:
        connection.execute(update(cases).where(cases.c.id.in_((2, 3))).values(state="waiting"))
        connection.execute(update(drafts).where(drafts.c.case_id == 3).values(state="unknown"))
        ids = tuple(one for one, _, _ in mailboxes_of(connection, None))
        todo = queue_page(connection, Wanted("todo", ids), after=None, limit=9)
        waiting = queue_page(connection, Wanted("waiting", ids), after=None, limit=9)
        assert [one.case_id for one in todo] == [3, 1]
        assert [one.case_id for one in waiting] == [3, 2]
        assert place_in_queue(connection, 1) == todo[1]
        assert place_in_queue(connection, 2) is None
