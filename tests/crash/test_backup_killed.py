"""Killed at every point of a backup and a restore: no half backup, no database lost, nothing sent twice (D4, F78)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.servers.installation import Installation, Office, open_office
from tests.servers.offices import NewOffice, fresh_database
from tests.servers.scripted_smtp import Script
from tests.servers.writing import access

from inboxbot.cases.values import DraftState
from inboxbot.desk.restored import look_for_older_copy

KILLED = 137


def kill_at(place: Installation, point: str, *command: str) -> None:
    """Run a command that dies at a point, as if killed."""
    place.environment = {"INBOXBOT_CRASH_AT": point}
    done = place.run(*command, check=False)
    assert done.returncode == KILLED, f"{point} was not reached: {done.stdout}{done.stderr}"
    place.environment = {}


def begun(office: Office) -> tuple[Installation, int]:
    """Have one approved letter; return the installation, closed, and the letter's id."""
    office.receive(access("Anna Berg"))
    (draft,) = office.drafts()
    office.approve(draft.id)
    office.desk.store.close()
    return office.installation, draft.id


@pytest.mark.parametrize("point", ["backup_copied", "backup_named"])
def test_a_backup_killed_is_whole_or_not_there(
    new_office: NewOffice, tmp_path: Path, database: str, point: str
) -> None:
    """F1."""
    place, _ = begun(new_office(database))
    file = tmp_path / "backup.db"

    kill_at(place, point, "backup", str(file))

    assert file.exists() == (point == "backup_named")
    again = file if point == "backup_copied" else tmp_path / "second.db"
    place.run("backup", str(again))
    for one in dict.fromkeys((file, again)):
        assert not one.with_name(f"{one.name}.partial").exists() or one is not again
        place.run("restore", str(one))
        assert len(place.json("cases", "list")) == 1


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        ("sqlite", "restore_prepared"),
        ("sqlite", "restore_marked"),
        ("sqlite", "restore_replaced"),
        ("postgresql", "restore_prepared"),
        ("postgresql", "restore_in_transaction"),
        ("postgresql", "restore_replaced"),
    ],
)
def test_a_restore_killed_leaves_one_database_and_sends_nothing_twice(
    new_office: NewOffice, smtp: Script, tmp_path: Path, kind: str, point: str
) -> None:
    """F1, F78."""
    office = new_office(fresh_database(kind))
    place, letter = begun(office)
    file = tmp_path / "backup.db"
    place.run("backup", str(file))
    with open_office(place) as then:
        assert then.send().sent == 1
        then.receive(access("Bo Ek"))

    kill_at(place, point, "restore", str(file))

    with open_office(place) as after:
        look_for_older_copy(after.desk.store, now=after.clock())
        assert after.send().sent == 0, "whichever database stands, the letter is not sent again"
        old = point != "restore_replaced"
        assert len(after.cases()) == 1 + old
        assert after.draft(letter).state is (DraftState.SENT if old else DraftState.UNKNOWN)
        stopped = after.rows("SELECT why FROM stops WHERE released_at IS NULL")
        assert stopped == {"restore_marked": [("older_copy",)], "restore_replaced": [("restored",)]}.get(point, [])
    done = place.json("restore", str(file))
    assert done["sending"] == "stopped"
    left = {one.name for one in place.folder.glob("inboxbot.db*")}
    assert not {one for one in left if "restoring" in one or one.endswith(".new")}
    with open_office(place) as again:
        assert len(again.cases()) == 1
        assert again.send().sent == 0
    assert len(smtp.taken) == 1
