"""Looking up the address on file: what is proposed, what is left to a person, and that nothing waits for it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.servers.installation import Installation, Office
from tests.servers.offices import NewOffice
from tests.servers.writing import access, letter

from inboxbot.cases.values import CaseState, Outcome
from inboxbot.config.load import load_settings
from inboxbot.desk.checklist import decide
from inboxbot.desk.context import Actor
from inboxbot.desk.enter import Entry, enter
from inboxbot.desk.identity import record_identity
from inboxbot.desk.lookup import Looked, look_up, look_up_waiting
from inboxbot.desk.settle import no_answer_needed
from inboxbot.desk.view import draft_with_checks
from inboxbot.desk.write import write_letter
from inboxbot.errors import ConfigError, RefusedError, UsageError
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import addresses_of
from inboxbot.store.checklists import Identity, load_identity
from inboxbot.store.history import load_history

EVA = Actor("Eva Ek", "terminal")
ANNA = "anna.berg@example.org"
SYSTEM = """
[[company.systems]]
name = "{name}"
holds = "kunder"
{lines}
"""
CSV = SYSTEM.format(name="Webbutiken", lines='lookup_csv = "kunder.csv"')
COMMAND = SYSTEM.format(name="Växeln", lines='lookup_command = ["./find"]')
SILENT = SYSTEM.format(name="Pärmen", lines="")


def customers(office: Office, *rows: str) -> None:
    (office.installation.folder / "kunder.csv").write_text("\n".join(["epost;namn", *rows]), encoding="utf-8")


def answers(office: Office, *lines: str) -> None:
    """Let the command run these lines of Python."""
    script = office.installation.folder / "find"
    script.write_text("\n".join([f"#!{sys.executable}", "import json, sys, time", *lines]), encoding="utf-8")
    script.chmod(0o700)


def opened(office: Office, kind: Kind = Kind.ACCESS) -> int:
    return enter(office.desk, None, Entry(office.clock(), (kind,), ANNA), actor=EVA, now=office.clock()).id


def looked(office: Office, case_id: int) -> Looked:
    return look_up(office.desk, case_id, actor=EVA, now=office.clock())


def waiting(office: Office) -> int:
    return look_up_waiting(office.desk, now=office.clock)


def known(office: Office, case_id: int) -> Identity:
    with office.desk.store.read() as connection:
        return load_identity(connection, case_id)


def entries(office: Office, case_id: int) -> list[dict[str, Any]]:
    with office.desk.store.read() as connection:
        return [one for one in load_history(connection, case_id) if one["event"] == "identity_recorded"]


def test_a_clear_hit_is_recorded_as_a_proposal_with_its_source(new_office: NewOffice, database: str) -> None:
    office = new_office(company_lines=CSV + SILENT, database=database)
    customers(office, f"{ANNA};Anna Berg")
    case_id = opened(office)
    assert waiting(office) == 1
    found = known(office, case_id)
    assert (found.address_on_file, found.found_in, found.looked_up, found.proposed) == (ANNA, "Webbutiken", True, True)
    assert found.searched == [{"system": "Webbutiken", "result": "found"}]
    assert found.searched_at is not None
    (entry,) = entries(office, case_id)
    assert (entry["actor"], entry["door"], entry["detail"]["lookup"]) == ("inboxbot", "daemon", "found")
    assert ANNA not in json.dumps(entry["detail"])
    assert waiting(office) == 0, "once is enough"

    record_identity(office.desk, case_id, actor=EVA, now=office.clock(), address_on_file=ANNA, found_in="Webbutiken")
    assert known(office, case_id).proposed is False


def test_other_facts_leave_a_proposal_a_proposal_and_not_found_takes_it_back(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    customers(office, f"{ANNA};Anna Berg")
    case_id = opened(office)
    looked(office, case_id)
    record_identity(office.desk, case_id, actor=EVA, now=office.clock(), facts={"shared_address": True})
    assert known(office, case_id).proposed is True
    record_identity(office.desk, case_id, actor=EVA, now=office.clock(), not_found=True)
    assert (known(office, case_id).address_on_file, known(office, case_id).proposed) == (None, False)


def test_an_address_that_a_command_has_on_file_joins_the_case(new_office: NewOffice) -> None:
    office = new_office(company_lines=COMMAND)
    answers(office, "print(json.dumps({'address': 'anna@kund.example.net', 'found_in': 'Kundkort'}))")
    case_id = opened(office)
    assert waiting(office) == 1
    assert (known(office, case_id).address_on_file, known(office, case_id).found_in) == (
        "anna@kund.example.net",
        "Kundkort",
    )
    with office.desk.store.read() as connection:
        assert addresses_of(connection, [case_id])[case_id] == {ANNA, "anna@kund.example.net"}


@pytest.mark.parametrize(
    ("row", "result"),
    [
        ("annaberg@example.org;Någon Annan", "lookalike"),
        ("bo.ek@example.org;Bo Ek", "nothing"),
        (f"{ANNA};Anna Berg\n{ANNA};Bo Berg", "several"),
    ],
)
def test_what_is_not_clear_is_told_and_not_decided(new_office: NewOffice, row: str, result: str) -> None:
    office = new_office(company_lines=CSV)
    customers(office, row)
    case_id = opened(office)
    assert waiting(office) == 1
    found = known(office, case_id)
    assert (found.address_on_file, found.looked_up, found.proposed) == (None, False, False)
    assert found.searched == [{"system": "Webbutiken", "result": result}]
    assert waiting(office) == 0


def test_systems_that_disagree_decide_nothing(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV + COMMAND)
    customers(office, f"{ANNA};Anna Berg")
    answers(office, "print(json.dumps({'address': 'helt@annan.example'}))")
    case_id = opened(office)
    assert [one.result for one in looked(office, case_id).answers] == ["differs", "differs"]
    assert known(office, case_id).looked_up is False
    answers(office, f"print(json.dumps({{'address': '{ANNA.upper()}'}}))")
    assert [one.result for one in looked(office, case_id).answers] == ["found", "found"]
    assert known(office, case_id).proposed is True


def test_what_staff_recorded_is_never_changed(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    customers(office, f"{ANNA};Anna Berg")
    case_id = opened(office)
    other = "anna@kund.example.net"
    record_identity(office.desk, case_id, actor=EVA, now=office.clock(), address_on_file=other, found_in="Pärmen")
    assert waiting(office) == 0
    assert [one.result for one in looked(office, case_id).answers] == ["differs"]
    found = known(office, case_id)
    assert (found.address_on_file, found.found_in, found.proposed) == (other, "Pärmen", False)


def test_a_fault_of_a_register_is_a_note_in_the_case_and_no_error(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV + COMMAND)
    answers(office, "sys.exit('Anna Berg finns inte')")
    office.receive(access("Anna Berg"))
    assert waiting(office) == 1
    (case,) = office.cases()
    assert known(office, case.id).searched == [
        {"system": "Webbutiken", "result": "file_missing"},
        {"system": "Växeln", "result": "command_failed"},
    ]
    assert case.state is CaseState.OPEN


def test_only_who_must_prove_who_they_are_is_looked_up(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    customers(office, f"{ANNA};Anna Berg")
    for kind in (Kind.UNSUBSCRIBE, Kind.COMPLAINT, Kind.OTHER):
        opened(office, kind)
    proven = opened(office)
    record_identity(office.desk, proven, actor=EVA, now=office.clock(), facts={"strong": True})
    office.receive(letter("Fullmakt", "Jag skriver för min mor. Hon vill ha ett registerutdrag. Fullmakt bifogas."))
    withdrawn = opened(office)
    decide(office.desk, withdrawn, Kind.ACCESS, Outcome.WITHDRAWN, actor=EVA, now=office.clock(), told=True)
    asked = opened(office)
    waiting(office)
    assert [one.id for one in office.cases() if known(office, one.id).searched_at is not None] == [asked]


def test_an_ended_case_is_left_alone(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    case_id = opened(office)
    decide(office.desk, case_id, Kind.ACCESS, Outcome.WITHDRAWN, actor=EVA, now=office.clock(), told=True)
    no_answer_needed(office.desk, case_id, actor=EVA, now=office.clock())
    with pytest.raises(RefusedError, match="the case is closed"):
        looked(office, case_id)


def test_the_check_tells_what_cannot_be_searched(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV + COMMAND)
    found = lookups_checked(office)
    assert [(one["level"], one["what"]) for one in found] == [
        ("error", "the file is not there"),
        ("error", "the command is not there or cannot be executed"),
    ]
    assert "company[1].systems[2].lookup_command" in found[1]["cure"]
    customers(office)
    (office.installation.folder / "find").touch()
    (office.installation.folder / "kunder.csv").chmod(0o644)
    assert [one["level"] for one in lookups_checked(office)] == ["warning", "error"]
    (office.installation.folder / "kunder.csv").write_text("namn;kundnummer\n", encoding="utf-8")
    answers(office)
    found = lookups_checked(office)
    assert [(one["level"], one["what"]) for one in found] == [
        ("error", "the file has no column of addresses"),
        ("ok", "addresses can be looked up there"),
    ]


def lookups_checked(office: Office) -> list[dict[str, str]]:
    done = office.installation.run("check", "--json", check=False)
    return [one for one in json.loads(done.stdout)["findings"] if one["area"] == "lookup"]


def test_what_cannot_be_looked_up_says_why(new_office: NewOffice) -> None:
    office = new_office(company_lines=SILENT)
    case_id = opened(office)
    with pytest.raises(UsageError, match="no system of Exempel AB that can be searched"):
        looked(office, case_id)
    assert waiting(office) == 0


def test_told_to_stop_nothing_is_recorded(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    customers(office, f"{ANNA};Anna Berg")
    case_id = opened(office)
    with pytest.raises(RefusedError, match="told to stop"):
        look_up(office.desk, case_id, actor=EVA, now=office.clock(), stop=lambda: True)
    assert known(office, case_id).searched_at is None
    assert look_up_waiting(office.desk, now=office.clock, stop=lambda: True) == 0
    assert waiting(office) == 1


def test_a_code_to_a_proposed_address_is_warned_of(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV)
    customers(office, f"{ANNA};Anna Berg")
    case_id = opened(office)
    looked(office, case_id)
    draft_id = write_letter(office.desk, case_id, "code", actor=EVA, now=office.clock())
    rules = {one.rule: one.blocks for one in draft_with_checks(office.desk, draft_id, now=office.clock())[1]}
    assert rules.get("address_proposed") is False
    record_identity(office.desk, case_id, actor=EVA, now=office.clock(), address_on_file=ANNA)
    found = draft_with_checks(office.desk, draft_id, now=office.clock())[1]
    assert "address_proposed" not in {one.rule for one in found}


def test_by_command_it_is_told_and_can_be_confirmed(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV + COMMAND)
    customers(office, f"{ANNA};Anna Berg")
    answers(office, f"print(json.dumps({{'address': '{ANNA}', 'found_in': '$(touch x) `id`'}}))")
    opened(office)
    said = office.installation.run("cases", "identity", "EX-2026-0001", "--look-up").stdout
    assert "Webbutiken: the address is on file" in said
    assert f"cases identity EX-2026-0001 --address-on-file {ANNA} --found-in Webbutiken" in said
    shown = office.installation.run("cases", "show", "EX-2026-0001").stdout
    assert f"on file {ANNA}, found in Webbutiken; proposed by inboxbot, nobody has confirmed it" in shown
    assert office.installation.json("cases", "show", "EX-2026-0001")["identity"]["proposed"] is True
    office.installation.run("cases", "identity", "EX-2026-0001", "--address-on-file", ANNA)
    assert "proposed by inboxbot" not in office.installation.run("cases", "show", "EX-2026-0001").stdout
    refused = office.installation.run("cases", "identity", "EX-2026-0001", "--look-up", "--not-found", check=False)
    assert refused.returncode == 2
    assert "--look-up goes alone" in refused.stderr


def test_nothing_of_it_is_in_the_log(new_office: NewOffice) -> None:
    office = new_office(company_lines=CSV + COMMAND)
    customers(office, f"{ANNA};Anna Berg")
    answers(office, f"print('{ANNA}', file=sys.stderr)", f"print('{ANNA}')")
    opened(office)
    done = office.installation.run("cases", "identity", "EX-2026-0001", "--look-up")
    assert "found,answer_not_understood" in done.stderr
    assert ANNA not in done.stderr


def test_one_way_for_a_system(tmp_path: Path) -> None:
    both = SYSTEM.format(name="Båda", lines='lookup_csv = "a.csv"\nlookup_command = ["./find", ""]')
    with pytest.raises(ConfigError) as caught:
        load_settings(Installation(tmp_path, 1, 1, "kontakt", "secret", company_lines=both).config)
    assert "systems[1].lookup_command[2]: must be a text that is not empty" in str(caught.value)
    both = SYSTEM.format(name="Båda", lines='lookup_csv = "a.csv"\nlookup_command = ["./find"]\nlookup_encoding = "x"')
    with pytest.raises(ConfigError) as caught:
        load_settings(Installation(tmp_path, 1, 1, "kontakt", "secret", company_lines=both).config)
    assert "is not a known encoding" in str(caught.value)
    both = both.replace('lookup_encoding = "x"', "")
    with pytest.raises(ConfigError, match=r"lookup_csv and lookup_command are both given"):
        load_settings(Installation(tmp_path, 1, 1, "kontakt", "secret", company_lines=both).config)
