"""The same on PostgreSQL: purge, proof, chains, audit, person, suppression."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Text, cast, func, select
from sqlalchemy.exc import DBAPIError
from tests.retention.house import ADDRESS, MARKERS, House, make_house
from tests.servers.audited import audit_database
from tests.servers.postgresql import PostgreSql, shared_postgresql

from inboxbot.desk.person import erase_person, export_person
from inboxbot.desk.retention import daily, retain
from inboxbot.desk.suppress import check
from inboxbot.store.tables import SQLModel


@pytest.fixture(scope="module")
def server() -> PostgreSql:
    return shared_postgresql()


@pytest.fixture
def house(tmp_path: Path, server: PostgreSql) -> Iterator[House]:
    with make_house(tmp_path, database=server.new_database()) as house:
        yield house


def left(house: House) -> list[str]:
    """Return where a marker of the person stands in any column of any table."""
    found = []
    with house.desk.store.read() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for column in table.columns:
                shown = func.encode(column, "escape") if column.type.python_type is bytes else cast(column, Text)
                for (value,) in connection.execute(select(shown)):
                    text = str(value).encode().decode("unicode_escape", "replace").lower() + str(value).lower()
                    found += [f"{table.name}.{column.name}: {one}" for one in MARKERS if one in text]
    return found


def test_the_whole_life_of_a_case(house: House) -> None:
    reference = house.finished_case()
    assert left(house)
    assert export_person(house.desk, ADDRESS, now=house.now())["cases"][0]["reference"] == reference
    daily(house.desk, now=house.now())
    assert audit_database(house.desk)["findings"] == []
    house.move(dt.timedelta(days=800))
    assert retain(house.desk, now=house.now(), force=True)["purged"]["cases"] == 1
    assert left(house) == []
    assert audit_database(house.desk)["findings"] == []
    house.move(dt.timedelta(days=400))
    assert retain(house.desk, now=house.now(), force=True)["purged"]["proofs"] == 1
    assert house.rows("SELECT count(*) FROM history") == [(0,)]
    assert audit_database(house.desk)["findings"] == []


def test_history_ends_only_with_its_proof(house: House) -> None:
    house.finished_case()
    for statement in ("DELETE FROM history", "UPDATE history SET actor = 'x'", "TRUNCATE history"):
        with pytest.raises(DBAPIError, match="append-only"), house.desk.store.write() as connection:
            connection.exec_driver_sql(statement)


def test_a_changed_entry_is_named_and_a_person_erased(house: House) -> None:
    reference = house.finished_case()
    erased = erase_person(house.desk, ADDRESS, actor=house.actor, now=house.now())
    assert erased["erased"] == [reference]
    assert left(house) == []
    assert check(house.desk, ADDRESS)
    with house.desk.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE history DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE history SET door = 'web' WHERE sequence = 3")
        connection.exec_driver_sql("ALTER TABLE history ENABLE TRIGGER USER")
    found = audit_database(house.desk)["findings"]
    assert [(one["promise"], one["where"]) for one in found] == [("D11", f"{reference}, entry 3")]
