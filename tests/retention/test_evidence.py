"""The chain names the first changed entry, the audit finds broken promises, the case file holds up."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.retention.house import ADDRESS, House, mail_of, make_house
from tests.servers.audited import audit_database

from inboxbot.desk.audit import PROMISES
from inboxbot.desk.chain import anchor_heads, check_chains
from inboxbot.desk.export import export_case
from inboxbot.desk.export_pages import as_html, as_markdown, case_pages
from inboxbot.desk.retention import retain


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with make_house(tmp_path) as house:
        yield house


def tamper(house: House, *statements: str) -> None:
    """Change the file as somebody would who has it and leaves no trace: triggers off and on, foreign keys unchecked."""
    house.desk.store.close()
    with closing(sqlite3.connect(house.folder / "inboxbot.db")) as raw:
        triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, again in triggers:
            raw.execute(again)
        raw.commit()


CHANGES = {
    "event": "event = replace(event, 'o', 'p')",
    "actor": "actor = actor || 'a'",
    "door": "door = 'web'",
    "moment": "at = replace(at, substr(at, -1), '0') || ''",
    "moment_unreadable": "at = 'x' || substr(at, 2)",
    "detail": "detail = replace(detail, 'note', 'nota')",
    "detail_space": "detail = replace(detail, ': ', ':  ')",
    "detail_unreadable": "detail = '{' || detail",
    "detail_no_text": "detail = CAST(x'7bff7d' AS TEXT)",
    "sequence": "sequence = 99",
    "hash": "hash = replace(hash, substr(hash, 1, 1), 'g')",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_one_changed_byte_of_history_is_named(house: House, change: str) -> None:
    """E87."""
    reference = house.finished_case()
    assert audit_database(house.desk)["ok"]
    fourth = "case_id = 1 AND event = 'noted'"
    number = house.rows(f"SELECT sequence FROM history WHERE {fourth}")[0][0]
    if change.startswith("at = replace"):
        change = "at = substr(at, 1, length(at) - 1) || CASE substr(at, -1) WHEN '1' THEN '2' ELSE '1' END"
    tamper(house, f"UPDATE history SET {change} WHERE {fourth}")
    result = audit_database(house.desk)
    assert not result["ok"]
    found = [one for one in result["findings"] if one["promise"] == "D11"]
    assert [one["where"] for one in found] == [f"{reference}, entry {number}"]


def test_a_removed_entry_a_cut_end_and_a_lost_history_are_found(house: House) -> None:
    """E87."""
    reference = house.finished_case()
    with house.desk.store.write() as connection:
        digest, heads = anchor_heads(connection, now=house.now())
        again, _ = anchor_heads(connection, now=house.now())
    assert (digest, heads) == (again, 1)
    last = house.rows("SELECT max(sequence) FROM history")[0][0]
    tamper(house, f"DELETE FROM history WHERE sequence = {last}")
    with house.desk.store.read() as connection:
        _, broken = check_chains(connection)
    assert [(one.reference, one.sequence, one.what) for one in broken] == [
        (reference, last, "the end of the history is missing")
    ]
    tamper(house, "DELETE FROM history")
    with house.desk.store.read() as connection:
        checked, broken = check_chains(connection)
    assert checked == 0
    assert [one.what for one in broken] == ["the history is gone"]


def test_the_database_itself_refuses_to_change_history(house: House) -> None:
    """E87."""
    house.finished_case()
    with closing(sqlite3.connect(house.folder / "inboxbot.db")) as raw:
        for statement in ("UPDATE history SET actor = 'x'", "DELETE FROM history"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                raw.execute(statement)


def test_the_audit_is_clean_before_and_after_retention(house: House) -> None:
    house.finished_case()
    house.receive(mail_of("nils@example.org", "Radera mig", "Hej! Radera alla mina uppgifter.", number=4))
    clean = house.json("audit", "--offline")
    assert clean["ok"] is True
    assert clean["findings"] == []
    assert set(clean["checked"]) == set(PROMISES)
    assert all(clean["checked"][one] > 0 for one in ("D11", "S1", "S2", "I1", "I3", "P2"))
    house.move(dt.timedelta(days=800))
    retain(house.desk, now=house.now())
    after = audit_database(house.desk)
    assert after["findings"] == []
    assert after["checked"]["D6"] == 1


BREAKS = {
    "S1": "UPDATE approvals SET digest = 'x'",
    "S1 void": "UPDATE approvals SET void_at = at",
    "S1 words": "UPDATE drafts SET final = replace(final, 'nyhetsbrev', 'nyhetsbrew') || ' '",
    "S2": "INSERT INTO attempts (draft_id, digest, started_at, recipient_digest, phase, result) "
    "SELECT draft_id, digest, started_at, recipient_digest, phase, result FROM attempts LIMIT 1",
    "I1": "UPDATE ledger SET reason = ''",
    "I1 case": "UPDATE ledger SET case_id = NULL",
    "I3": "INSERT INTO ledger SELECT id + 1000, folder_id, uidvalidity, uid + 100, digest, size, received_at, "
    "fetched_at, state, reason, 2 FROM ledger WHERE case_id = 1",
    "P2": "UPDATE promises SET due_at = datetime(due_at, '+1 minute') || '.000000'",
    "P2 hours": "UPDATE promises SET due_at = strftime('%Y-%m-%d %H:%M', due_at, '+1 day') || substr(due_at, 17) "
    "WHERE id = 2",
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_broken_promise_is_found(house: House, name: str) -> None:
    house.finished_case()
    house.receive(mail_of("nils@example.org", "Radera mig", "Hej! Radera alla mina uppgifter.", number=4))
    tamper(house, BREAKS[name])
    result = audit_database(house.desk)
    assert name.partition(" ")[0] in {one["promise"] for one in result["findings"]}


def test_the_command_ends_with_1_and_says_where(house: House) -> None:
    reference = house.finished_case()
    tamper(house, "UPDATE history SET actor = 'Mallory' WHERE sequence = 2")
    done = house.run("audit", "--offline", check=False)
    assert done.returncode == 1
    assert f"D11 {reference}, entry 2" in done.stdout
    assert json.loads(house.run("audit", "--offline", "--json", check=False).stdout)["ok"] is False


def test_the_case_file_has_what_an_authority_asks_for(house: House) -> None:
    reference = house.finished_case()
    house.run("cases", "note", reference, "Personnummer 811228-9874 stod i mejlet")
    out = house.folder / "out.zip"
    house.run("cases", "export", reference, "-o", str(out), "--by", "Eva Ek")
    with zipfile.ZipFile(out) as packed:
        assert sorted(packed.namelist()) == [f"{reference}.{ending}" for ending in ("html", "json", "md")]
        words = packed.read(f"{reference}.md").decode()
        page = packed.read(f"{reference}.html").decode()
        file = json.loads(packed.read(f"{reference}.json"))
    assert out.stat().st_mode & 0o077 == 0
    for text in (words, page):
        assert "Integritetsskyddsmyndigheten" in text
        assert "sluta skicka nyhetsbrev" in text
        assert "811228-****" in text
        assert "9874" not in text
        assert "Kedjan av händelser är hel." in text
        assert "Eva Ek" in text
    request = file["requests"][0]
    assert request["kind"] == "unsubscribe"
    assert request["explained"]
    letter = next(one for one in file["letters"] if one["left"])
    assert letter["approvals"][0]["digest"] == letter["digest"]
    assert letter["approvals"][0]["by"] == "Eva Ek"
    assert file["history"]["entries"][-1]["event"] == "exported"
    assert file["identity"]["method"] == "strong"


def test_the_case_file_tells_a_broken_chain_and_takes_no_markup(house: House) -> None:
    words = "Radera mig <script>alert(1)</script>\n```\n# Falsk rubrik"
    house.receive(mail_of(ADDRESS, "<b>Radera</b> | mig", words, number=2))
    reference = house.cases()[0].reference
    tamper(house, "UPDATE history SET door = 'web' WHERE sequence = 1")
    pages = case_pages(export_case(house.desk, reference, actor=house.actor, now=house.now()))
    assert "Kedjan är bruten vid händelse 1" in as_markdown(pages)
    page = as_html(pages, "sv")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "````text" in as_markdown(pages)


def test_the_file_of_a_purged_case_is_its_proof(house: House) -> None:
    reference = house.finished_case()
    house.move(dt.timedelta(days=800))
    retain(house.desk, now=house.now())
    file = export_case(house.desk, reference, actor=house.actor, now=house.now())
    assert file["identity"]["method"] == "strong"
    assert file["requests"][0]["outcome"] == "granted"
    assert file["history"]["whole"] is True
    assert ADDRESS not in json.dumps(file)
    assert as_markdown(case_pages(file)).count("811228") == 0
