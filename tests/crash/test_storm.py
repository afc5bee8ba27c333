"""Killed at random, over and over, while mail arrives and letters are approved (promises.md F2).

`make chaos` makes the storm longer.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.crash.storm import BUSY, Storm
from tests.servers.dovecot import Dovecot
from tests.servers.installation import Installation
from tests.servers.sink import running_sink
from tests.servers.writing import access

from inboxbot.mailbox.workers import ReadingPool

KILLS = 5
MAILS = 25


@pytest.mark.timeout(300)
def test_f2_a_storm_of_kills_loses_nothing_and_doubles_nothing(
    tmp_path: Path, dovecot: Dovecot, pool: ReadingPool, database: str
) -> None:
    with running_sink(tmp_path / "arrived") as sink:
        house = Installation(
            tmp_path,
            dovecot.port,
            sink.port,
            dovecot.new_user(),
            dovecot.password,
            database=database,
            top_lines=BUSY,
        )
        dovecot.append(house.username, [access("Person Nummer0", message_id="<0@storm.example.org>")])
        house.run("once")  # so that there is a letter to approve from the beginning
        storm = Storm(house, dovecot, sink, mails=MAILS, kills=KILLS, chance=random.Random(2026), patience_s=4)
        storm.rage()
        counts = storm.settle(pool)
    assert counts.broken() == {}, counts.told()
    assert (counts.kills, counts.mails) == (KILLS, MAILS)
    assert sum(counts.inside.values()) > 0
    assert counts.approved > 0
