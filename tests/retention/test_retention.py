"""After its period nothing of a person is left in the database; the proof stays, then only the figures."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.retention.house import ADDRESS, MARKERS, House, mail_of, make_house

from inboxbot.cases.values import CaseState
from inboxbot.config.load import load_settings
from inboxbot.desk.annotate import note
from inboxbot.desk.chain import check_chains
from inboxbot.desk.retention import daily, retain, set_hold
from inboxbot.desk.settle import close, reopen
from inboxbot.errors import RefusedError


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with make_house(tmp_path) as house:
        yield house


def years(count: float) -> dt.timedelta:
    return dt.timedelta(days=366 * count)


def bytes_left(folder: Path) -> list[str]:
    """Return which markers of the person stand in any file of the database, in any form."""
    found = []
    for file in sorted(folder.glob("inboxbot.db*")):
        content = file.read_bytes().lower()
        for marker in MARKERS:
            forms = [marker.lower().encode(), *(marker.lower().encode(f"utf-16-{end}") for end in ("le", "be"))]
            escaped = json.dumps(marker)[1:-1].lower().encode()
            quoted = "".join(letter if letter.isascii() else f"\\u{ord(letter):04x}" for letter in marker).lower()
            found += [f"{file.name}: {marker}" for form in (*forms, escaped, quoted.encode()) if form in content]
    return sorted(set(found))


def test_the_markers_are_there_before(house: House) -> None:
    house.finished_case()
    assert {one.partition(": ")[2] for one in bytes_left(house.folder)} >= {*MARKERS}


def test_no_byte_of_the_person_is_left_and_the_report_is_the_same(house: House) -> None:
    """E83."""
    reference = house.finished_case()
    house.receive(
        mail_of(ADDRESS, "Kvarglömt om öppettider", "När öppnar ni på Blåbärsgatan?", number=9), "info@example.se"
    )
    before = house.report()
    assert before["received"] == 1
    assert before["without_promise"] == 1
    assert before["legal"]["due"] >= 1
    house.move(years(2.1))
    done = retain(house.desk, now=house.now())
    assert (done["purged"]["cases"], done["purged"]["ordinary"]) == (1, 1)
    house.desk.store.close()
    rest = house.open_cases()
    assert rest == []
    assert house.case(reference).state is CaseState.CLOSED
    assert bytes_left(house.folder) == [], "what is left of the person"
    assert house.report() == before
    with house.desk.store.read() as connection:
        checked, broken = check_chains(connection)
    assert checked > 5
    assert broken == []


def test_the_proof_that_remains_and_its_end(house: House) -> None:
    reference = house.finished_case()
    before = house.report()
    house.move(years(2.1))
    retain(house.desk, now=house.now())
    file = house.json("cases", "show", reference)
    assert file["requester"] is None
    assert {one["kind"]: one["outcome"] for one in file["requests"]}["unsubscribe"] == "granted"
    assert "Eva Ek" in {one["actor"] for one in file["history"]}
    assert [one["event"] for one in file["history"]][-1] == "purged"
    assert all(mail["text"] == "" and mail["subject"] == "" for mail in file["mails"])
    assert {one["template"] for one in file["drafts"]} >= {"unsubscribe"}
    house.move(years(1.1))
    done = retain(house.desk, now=house.now(), force=True)
    assert done["purged"] == {"cases": 0, "proofs": 1, "ordinary": 0, "files": 0}
    assert house.report() == before
    for table in ("history", "approvals", "attempts", "drafts", "checklist", "identities"):
        assert house.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert reference.encode() not in (house.folder / "inboxbot.db").read_bytes()
    assert b"Eva Ek" not in (house.folder / "inboxbot.db").read_bytes()


def test_the_same_message_does_not_open_the_case_again(house: House) -> None:
    """E83."""
    house.finished_case()
    message = house.first_message
    house.move(years(2.1))
    retain(house.desk, now=house.now())
    count = len(house.rows("SELECT id FROM cases"))
    house.receive(message)
    assert len(house.rows("SELECT id FROM cases")) == count
    done = retain(house.desk, now=house.now())
    listed = done["left_in_mailbox"]
    assert [one["uid"] for one in listed][:1] == [1]
    assert {one["mailbox"] for one in listed} == {"kontakt@example.se"}


def test_nothing_goes_too_early_and_a_second_run_does_nothing(house: House) -> None:
    """E84."""
    house.finished_case()
    closed = dt.datetime.fromisoformat(house.rows("SELECT closed_at FROM cases")[0][0]).replace(tzinfo=dt.UTC)
    due = closed.replace(year=closed.year + 2)
    nothing = {"cases": 0, "proofs": 0, "ordinary": 0, "files": 0}
    assert retain(house.desk, now=due - dt.timedelta(days=2))["purged"]["cases"] == 0
    assert retain(house.desk, now=due + dt.timedelta(hours=2), dry_run=True)["purged"]["cases"] == 1
    assert (
        ADDRESS.encode()
        in (house.folder / "inboxbot.db-wal").read_bytes() + (house.folder / "inboxbot.db").read_bytes()
    )
    assert retain(house.desk, now=due + dt.timedelta(hours=2), force=True)["purged"]["cases"] == 1
    again = retain(house.desk, now=due + dt.timedelta(hours=3))
    assert again["purged"] == nothing
    assert again["overwritten"] is True


def test_a_case_on_hold_and_an_open_case_stay(house: House) -> None:
    reference = house.finished_case()
    house.run("cases", "hold", reference, "--reason", "tvist i tingsrätten")
    house.receive(mail_of("nils@example.org", "Fråga om leverans", "När kommer mitt paket?", number=5))
    house.move(years(6))
    done = retain(house.desk, now=house.now(), force=True)
    assert done["purged"]["cases"] == 0
    assert done["on_hold"] == [reference]
    house.run("cases", "hold", reference, "--off")
    assert retain(house.desk, now=house.now())["purged"]["cases"] == 1
    states = {row[0] for row in house.rows("SELECT state FROM cases WHERE purged_at IS NULL")}
    assert states <= {CaseState.OPEN.value, CaseState.HELD.value}


def test_a_reopened_and_closed_case_is_emptied_again(house: House) -> None:
    reference = house.finished_case()
    house.move(years(2.1))
    retain(house.desk, now=house.now())
    case = house.case(reference)
    reopen(house.desk, case.id, actor=house.actor, now=house.now())
    house.move(dt.timedelta(hours=1))
    note(house.desk, case.id, "Anna ringde igen", actor=house.actor, now=house.now())
    close(house.desk, case.id, actor=house.actor, now=house.now())
    later = house.now() + years(2.1)
    assert retain(house.desk, now=later, force=True)["purged"]["cases"] == 1
    assert house.rows("SELECT count(*) FROM mails WHERE text <> ''") == [(0,)]


def test_outgoing_files_go_after_a_fortnight_whatever_the_state(house: House) -> None:
    house.finished_case()
    with house.desk.store.write() as connection:
        for number, days in enumerate((1, 13, 15)):
            connection.exec_driver_sql(
                "INSERT INTO attachments (draft_id, name, content_type, size, data, added_at) "
                "VALUES (1, ?, 'x/y', 4, ?, ?)",
                (f"{number}.zip", b"data", (house.now() - dt.timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")),
            )
        connection.exec_driver_sql(
            "UPDATE drafts SET sent_at = ?",
            ((house.now() - dt.timedelta(days=40)).strftime("%Y-%m-%d %H:%M:%S.%f"),),
        )
    assert retain(house.desk, now=house.now())["purged"]["files"] == 1
    assert house.rows("SELECT name FROM attachments WHERE data IS NULL") == [("2.zip",)]


def test_a_clock_that_jumped_removes_nothing_until_it_was_steady_for_a_day(house: House) -> None:
    """F90, E84."""
    house.finished_case()
    start = house.now()
    retain(house.desk, now=start)
    ahead = start + years(3)
    with pytest.raises(RefusedError, match="jumped"):
        retain(house.desk, now=ahead)
    with pytest.raises(RefusedError, match="steady"):
        retain(house.desk, now=ahead + dt.timedelta(hours=1))
    assert house.rows("SELECT count(*) FROM cases WHERE purged_at IS NOT NULL") == [(0,)]
    assert retain(house.desk, now=ahead + dt.timedelta(hours=24))["purged"]["cases"] == 1
    with pytest.raises(RefusedError, match="behind"):
        retain(house.desk, now=start)


def test_daily_runs_are_never_taken_for_a_jump(house: House) -> None:
    house.finished_case()
    for day in range(4):
        daily(house.desk, now=house.now() + dt.timedelta(days=day, minutes=7 * day))
        daily(house.desk, now=house.now() + dt.timedelta(days=day, minutes=7 * day + 5))
    assert house.rows("SELECT count(*), max(refused) FROM retention_runs") == [(4, 0)]
    assert house.rows("SELECT count(*) FROM anchors") == [(len(house.rows("SELECT id FROM cases")),)]


def test_what_was_purged_but_not_overwritten_is_overwritten_by_the_next_run(house: House) -> None:
    house.finished_case()
    house.move(years(2.1))
    with closing(sqlite3.connect(house.folder / "inboxbot.db", timeout=0.1)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM mails").fetchone()
        cut = retain(house.desk, now=house.now())
    assert cut["overwritten"] is False
    assert retain(house.desk, now=house.now())["overwritten"] is True
    house.desk.store.close()
    assert bytes_left(house.folder) == []


def test_periods_are_those_of_the_company(tmp_path: Path) -> None:
    lines = '[company.retention]\ncases_years = 3\ncounted_from = "last_contact"\n'
    with make_house(tmp_path, company_lines=lines) as house:
        house.finished_case()
        assert load_settings(house.config).company[0].retention.cases_years == 3
        with house.desk.store.write() as connection:
            connection.exec_driver_sql(
                "UPDATE mails SET received_at = '2024-02-29 10:00:00.000000' WHERE direction='in'"
            )
        before = dt.datetime(2027, 2, 27, 12, tzinfo=dt.UTC)
        assert retain(house.desk, now=before, dry_run=True)["purged"]["cases"] == 0
        on_day = dt.datetime(2027, 2, 28, 12, tzinfo=dt.UTC)
        assert retain(house.desk, now=on_day, dry_run=True)["purged"]["cases"] == 1


def test_a_hold_needs_words(house: House) -> None:
    reference = house.finished_case()
    set_hold(house.desk, house.case(reference).id, "tvist", actor=house.actor, now=house.now())
    assert house.rows("SELECT hold FROM cases") == [("tvist",)]
    assert house.run("cases", "hold", reference, "--reason", "", check=False).returncode == 2


def test_the_command_says_what_it_did(house: House) -> None:
    house.finished_case()
    house.shift_rows(years(2.5))
    would = house.json("retention", "--dry-run")
    assert would["dry_run"] is True
    assert would["purged"]["cases"] == 1
    text = house.run("retention").stdout
    assert "cases emptied: 1" in text
    assert "still in the mailbox" in text
    assert house.json("retention")["purged"]["cases"] == 0
