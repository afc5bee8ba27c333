"""What is kept about one person is handed out whole and erased as far as the law lets it, and nobody else's with it."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.retention.house import ADDRESS, MARKERS, House, mail_of, make_house
from tests.servers.audited import audit_database

from inboxbot.desk.person import erase_person, export_person, overview
from inboxbot.desk.retention import retain
from inboxbot.errors import UsageError
from inboxbot.store.cases import add_address

OTHER = "berit.berg@example.net"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with make_house(tmp_path) as house:
        yield house


def test_the_export_is_whole_and_about_nobody_else(house: House) -> None:
    """E86."""
    reference = house.finished_case()
    house.receive(mail_of(ADDRESS, "Öppettider", "När öppnar ni?", number=3), "info@example.se")
    house.finished_case(OTHER, "Berit Berg", number=8)
    kept = export_person(house.desk, ADDRESS.upper(), now=house.now())
    assert [one["reference"] for one in kept["cases"]] == [reference]
    case = kept["cases"][0]
    assert {one["what"] for one in case["mails"]} == {"from you", "from us", "phone note"}
    assert any("sluta skicka nyhetsbrev" in one["text"] for one in case["mails"])
    assert any(one["finished"] and one["text"] for one in case["letters"])
    assert case["requests"][0]["outcome"] == "granted"
    assert case["corrections"] == [{"judged": ["unsubscribe"], "right": ["unsubscribe"]}]
    assert [one["system"] for one in case["systems_told"]] == ["Nyhetsbrev"]
    assert [one["subject"] for one in kept["ordinary_mails"]] == ["Öppettider"]
    assert [one["company"] for one in kept["suppression"]] == ["Exempel AB"]
    assert len(kept["messages_seen"]) == 2
    text = json.dumps(kept, ensure_ascii=False)
    assert "erit" not in text
    assert {"actor", "approver", "by"} & {key for one in case["mails"] + case["letters"] for key in one} == set()


def test_another_person_of_the_same_case_is_left_out(house: House) -> None:
    """E86."""
    house.receive(mail_of(ADDRESS, "Radera mig", "Radera allt om mig på Blåbärsgatan.", number=1))
    case = house.cases()[0]
    with house.desk.store.write() as connection:
        add_address(connection, case.id, OTHER)
    kept = export_person(house.desk, OTHER, now=house.now())
    assert kept["cases"][0]["left_out"] == 1
    assert "låbär" not in json.dumps(kept, ensure_ascii=False)
    own = export_person(house.desk, ADDRESS, now=house.now())
    assert own["cases"][0]["left_out"] == 0


def test_the_overview_masks_personal_numbers_and_the_file_does_not(house: House) -> None:
    house.receive(mail_of(ADDRESS, "Radera", "Radera mig, personnummer 811228-9874.", number=1))
    kept = export_person(house.desk, ADDRESS, now=house.now())
    assert "811228-****" in overview(kept)
    assert "9874" not in overview(kept)
    assert "811228-9874" in json.dumps(kept)


def test_an_unsent_letter_is_marked(house: House) -> None:
    house.receive(mail_of(ADDRESS, "Radera", "Radera mig.", number=1))
    assert "never sent" in overview(export_person(house.desk, ADDRESS, now=house.now()))


def test_erasing_keeps_the_open_case_and_says_why(house: House) -> None:
    done = house.finished_case()
    house.receive(mail_of(ADDRESS, "Öppettider", "När öppnar ni?", number=3), "info@example.se")
    house.receive(mail_of(ADDRESS, "Radera mig", "Radera allt.", number=5))
    live = house.open_cases()[0]
    would = erase_person(house.desk, ADDRESS, actor=house.actor, now=house.now(), dry_run=True)
    assert would["erased"] == [done]
    assert house.case(done).requester == ADDRESS
    result = erase_person(house.desk, ADDRESS, actor=house.actor, now=house.now())
    assert result["erased"] == [done]
    assert result["ordinary_mails"] == 1
    assert [one["case"] for one in result["kept"]] == [live]
    assert "17(3)(b)" in result["kept"][0]["why"]
    assert "5(2)" in result["kept"][0]["why"]
    assert set(result["proof_until"]) == {done}
    assert result["suppression"] == ["Exempel AB"]
    assert house.case(done).requester is None
    assert house.case(live).requester == ADDRESS
    assert audit_database(house.desk)["ok"]


def test_after_erasing_no_byte_is_left_but_the_suppression_stands(house: House) -> None:
    house.finished_case()
    house.run("person", "erase", ADDRESS, "--yes")
    house.desk.store.close()
    for file in house.folder.glob("inboxbot.db*"):
        content = file.read_bytes()
        assert [one for one in MARKERS if one.encode() in content] == [], file.name
    assert house.run("suppression", "check", ADDRESS, check=False).returncode == 1
    assert export_person(house.desk, ADDRESS, now=house.now())["cases"] == []


def test_what_was_erased_is_erased_again_after_a_restored_backup(house: House) -> None:
    house.finished_case()
    backup = house.folder / "backup"
    with closing(sqlite3.connect(house.folder / "inboxbot.db")) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    erase_person(house.desk, ADDRESS, actor=house.actor, now=house.now())
    with closing(sqlite3.connect(backup)) as source, closing(sqlite3.connect(house.folder / "inboxbot.db")) as target:
        source.backup(target)
    house.desk.store.close()
    assert house.cases()[0].requester == ADDRESS
    assert ADDRESS.encode() not in (house.folder / "inboxbot.db.erased").read_bytes()
    assert retain(house.desk, now=house.now(), force=True)["purged"]["cases"] == 1
    assert house.cases()[0].requester is None


def test_a_case_on_hold_or_about_somebody_else_is_kept(house: House) -> None:
    reference = house.finished_case()
    house.run("cases", "hold", reference, "--reason", "tvist")
    held = erase_person(house.desk, ADDRESS, actor=house.actor, now=house.now())
    assert "on hold" in held["kept"][0]["why"]
    other = house.finished_case(OTHER, "Berit Berg", number=8)
    with house.desk.store.write() as connection:
        add_address(connection, house.case(other).id, "tredje@example.org")
    third = erase_person(house.desk, "tredje@example.org", actor=house.actor, now=house.now())
    assert third["erased"] == []
    assert "another person" in third["kept"][0]["why"]
    assert house.case(other).requester == OTHER


def test_the_commands(house: House) -> None:
    house.finished_case()
    out = house.folder / "anna.zip"
    house.run("person", "export", ADDRESS, "-o", str(out))
    with zipfile.ZipFile(out) as packed:
        assert sorted(packed.namelist()) == ["person.json", "person.md"]
    assert out.stat().st_mode & 0o077 == 0
    house.run("person", "export", ADDRESS, "-o", str(house.folder / "anna.json"))
    assert json.loads((house.folder / "anna.json").read_text())["address"] == ADDRESS
    assert (house.folder / "anna.md").read_text().startswith("# What is kept about")
    assert house.json("person", "export", ADDRESS)["address"] == ADDRESS
    asked = house.run("person", "erase", ADDRESS, check=False, input_text="n\n")
    assert asked.returncode == 1
    assert house.cases()[0].requester == ADDRESS
    assert house.json("person", "erase", ADDRESS, "--yes")["erased"]
    assert house.run("person", "export", "not an address", check=False).returncode == 2


def test_an_address_must_be_one(house: House) -> None:
    with pytest.raises(UsageError):
        export_person(house.desk, "Anna", now=house.now())
