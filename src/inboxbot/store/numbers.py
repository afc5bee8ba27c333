"""Numbers handed out inside the transaction that uses them: row ids, and case numbers by prefix and year.

A number comes from a counter row that stays locked until the commit, so a block can be claimed for a batch and what was
not used given back: numbers have no holes, and a batch costs two statements a table.
"""

from __future__ import annotations

from sqlalchemy import Connection, update
from sqlalchemy.dialects import postgresql, sqlite

from inboxbot.store.tables import counters

_BLOCK = 64


class Numbers:
    """The numbers of one write transaction. Call `give_back` before it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._blocks: dict[str, range] = {}

    def row_id(self, table: str) -> int:
        """Return an id for a new row of ``table``, never given before."""
        return self._next(f"id:{table}")

    def case_number(self, prefix: str, year: int) -> int:
        """Return the next case number of a prefix and year, from 1."""
        return self._next(f"case:{prefix}-{year}")

    def give_back(self) -> None:
        """Return what was claimed and not used, unless somebody claimed more after it."""
        for name, block in self._blocks.items():
            if block:
                self._connection.execute(
                    update(counters)
                    .where(counters.c.name == name, counters.c.value == block.stop - 1)
                    .values(value=block.start - 1)
                )
        self._blocks = {}

    def _next(self, name: str) -> int:
        block = self._blocks.get(name) or _claim(self._connection, name, _BLOCK)
        self._blocks[name] = block[1:]
        return block[0]


def claim_id(connection: Connection, table: str) -> int:
    """Return one id for a new row of ``table``."""
    return _claim(connection, f"id:{table}", 1)[0]


def _claim(connection: Connection, name: str, count: int) -> range:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(counters).values(name=name, value=0).on_conflict_do_nothing())
    last: int = connection.execute(
        update(counters)
        .where(counters.c.name == name)
        .values(value=counters.c.value + count)
        .returning(counters.c.value)
    ).scalar_one()
    return range(last - count + 1, last + 1)
