"""Numbers handed out inside the transaction that uses them: row ids in blocks, case numbers by prefix and year."""

from __future__ import annotations

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from inboxbot.store.tables import counters


def claim_ids(connection: Connection, table: str, count: int = 1) -> range:
    """Return ``count`` ids for new rows of ``table``, never given before."""
    return _claim(connection, f"id:{table}", count)


def claim_case_number(connection: Connection, prefix: str, year: int) -> int:
    """Return the next case number of a prefix and year, from 1."""
    return _claim(connection, f"case:{prefix}-{year}", 1)[0]


def _claim(connection: Connection, name: str, count: int) -> range:
    if count == 0:
        return range(0)
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(counters).values(name=name, value=0).on_conflict_do_nothing())
    last: int = connection.execute(
        update(counters).where(counters.c.name == name).values(value=counters.c.value + count).returning(counters.c.value)
    ).scalar_one()
    return range(last - count + 1, last + 1)
