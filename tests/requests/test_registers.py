"""Looking somebody up in a CSV file or by a command: what is a hit, and what files and programs may be like."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.servers.processes import lives

from inboxbot.config.model import System
from inboxbot.desk.registers import Person, Result, search, unfitness

ANNA = Person("anna.berg@example.org", "Anna Berg", "Exempel AB")
ROWS = "Kundnr;Namn;E-post\r\n1;Bo Ek;bo.ek@example.org\r\n2;Åsa Öberg;Anna.Berg@Example.org \r\n"


def system(**settings: Any) -> System:
    return System(name="Kunderna", holds="namn", **settings)


def in_file(tmp_path: Path, content: str | bytes, person: Person = ANNA, **settings: Any) -> Result:
    file = tmp_path / "kunder.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = search(system(lookup_csv=file, **settings), person, tmp_path)
    assert (answer.address == person.address) is (answer.result is Result.FOUND)
    return answer.result


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_the_usual_encodings_are_found_by_themselves(tmp_path: Path, encoding: str) -> None:
    assert in_file(tmp_path, ROWS.encode(encoding)) is Result.FOUND
    assert unfitness(system(lookup_csv=tmp_path / "kunder.csv"), tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        "Email,Name\nanna.berg@example.org,Anna Berg\n",
        "E-mail\tName\nanna.berg@example.org\tAnna Berg\n",
        'sep=;\n"Namn";"E-postadress"\n"Berg; Anna";"ANNA.BERG@example.org"\n',
        "mejladress\nanna.berg@example.org\n",
        "Epost|Förnamn|Efternamn\n\nanna.berg@example.org|Anna|Berg\nkort\n",
    ],
    ids=["comma", "tab", "sep", "one_column", "short_rows"],
)
def test_the_usual_forms_are_found_by_themselves(tmp_path: Path, content: str) -> None:
    assert in_file(tmp_path, content) is Result.FOUND


def test_what_is_set_counts(tmp_path: Path) -> None:
    content = "Epost:Faktura:Vem\nekonomi@example.org:anna.berg@example.org:Anna\n"
    assert in_file(tmp_path, content, lookup_delimiter=":") is Result.NOTHING
    assert in_file(tmp_path, content, lookup_delimiter=":", lookup_address_column="faktura") is Result.FOUND
    assert in_file(tmp_path, content, lookup_address_column="Adress") is Result.NO_ADDRESS_COLUMN
    named = in_file(tmp_path, content, lookup_delimiter=":", lookup_name_column="Namn")
    assert named is Result.NO_NAME_COLUMN
    assert in_file(tmp_path, ROWS.encode("windows-1252"), lookup_encoding="utf-8") is Result.FILE_UNREADABLE


def test_several_rows_of_one_person_are_one_hit_and_of_several_people_none(tmp_path: Path) -> None:
    orders = "epost,namn\n" + "anna.berg@example.org,Anna Berg\nanna.berg@example.org,\n"
    assert in_file(tmp_path, orders + 'anna.berg@example.org,"Berg, Anna"\n') is Result.FOUND
    assert in_file(tmp_path, orders + "anna.berg@example.org,Bo Berg\n") is Result.SEVERAL


@pytest.mark.parametrize(
    ("row", "result"),
    [
        ("anna.berg@exampIe.org,Anna Berg", Result.LOOKALIKE),
        ("annaberg@example.org,Någon Annan", Result.LOOKALIKE),
        ("anna@annat.example,Anna Berg", Result.SAME_NAME),
        ("anna@annat.example,Anna", Result.NOTHING),
        ("anna.berg@example.org.example.net,Bo Ek", Result.NOTHING),
    ],
)
def test_what_only_resembles_is_not_taken(tmp_path: Path, row: str, result: Result) -> None:
    assert in_file(tmp_path, f"epost,namn\n{row}\n") is result


def test_a_lookalike_beside_the_very_address_does_not_matter(tmp_path: Path) -> None:
    rows = "epost\nanna.berg@example.0rg\nanna.berg@example.org\nannaberg@example.org\n"
    assert in_file(tmp_path, rows) is Result.FOUND


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", bytes(range(256)) * 50, b"epost\n" + b'"' + b"x" * 200_000, b"\xff\xfe\x00", b"epost,namn"],
)
def test_odd_files_end_in_an_answer(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "kunder.csv"
    file.write_bytes(content)
    found = search(system(lookup_csv=file), ANNA, tmp_path).result
    assert found in {Result.NO_ADDRESS_COLUMN, Result.NOTHING, Result.FILE_UNREADABLE}
    assert search(system(lookup_csv=tmp_path), ANNA, tmp_path).result is Result.FILE_UNREADABLE
    assert search(system(lookup_csv=tmp_path / "inte"), ANNA, tmp_path).result is Result.FILE_MISSING


def test_a_search_of_a_file_ends_in_time(tmp_path: Path) -> None:
    file = tmp_path / "kunder.csv"
    file.write_text("epost\n" + "bo.ek@example.org\n" * 200_000, encoding="utf-8")
    assert search(system(lookup_csv=file, lookup_timeout_s=0.01), ANNA, tmp_path).result is Result.TOOK_TOO_LONG
    assert search(system(lookup_csv=file), ANNA, tmp_path, stop=lambda: True).result is Result.TOOK_TOO_LONG


# --- commands -----------------------------------------------------------------------------------------------------


def command(tmp_path: Path, *lines: str, **settings: Any) -> System:
    """Return a system that is searched by a Python script of these lines."""
    script = tmp_path / "find"
    script.write_text("\n".join([f"#!{sys.executable}", "import json, os, sys, time", *lines]), encoding="utf-8")
    script.chmod(0o700)
    return system(lookup_command=["./find", "--one"], **settings)


def test_a_command_gets_the_person_on_standard_input_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPPORT_PASSWORD", "hemligt")
    monkeypatch.setenv("INBOXBOT_LOG__LEVEL", "debug")
    asked = command(
        tmp_path,
        "told = json.load(sys.stdin)",
        "json.dump([told, sys.argv[1:], dict(os.environ), os.getcwd()], open('seen', 'w'))",
        "print(json.dumps({'address': 'Anna@Kund.Example', 'found_in': 'Kund\\n17'}))",
    )
    trap = Person('-rf"$(touch x)\n@example.org', "-o; rm *\nBerg", "Exempel AB")
    answer = search(asked, trap, tmp_path)
    assert (answer.result, answer.address, answer.found_in) == (Result.FOUND, "anna@kund.example", "Kund 17")
    told, arguments, environment, place = json.loads((tmp_path / "seen").read_text(encoding="utf-8"))
    assert told == {"address": trap.address, "name": trap.name, "system": "Kunderna", "company": "Exempel AB"}
    assert arguments == ["--one"]
    assert Path(place) == tmp_path
    assert {"SUPPORT_PASSWORD", "INBOXBOT_LOG__LEVEL"}.isdisjoint(environment)
    assert {one.name for one in tmp_path.iterdir()} == {"find", "seen"}


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ("", Result.NOTHING),
        ("\n", Result.NOTHING),
        ("null", Result.NOTHING),
        ("[]", Result.NOTHING),
        ('{"address": null}', Result.NOTHING),
        ('{"found_in": "x"}', Result.NOTHING),
        ('[{"address": "a@example.org"}, {"address": "b@example.org"}]', Result.SEVERAL),
        ('{"address": "annaberg@example.org"}', Result.LOOKALIKE),
        ('{"address": "anna.berg@example.org"}', Result.FOUND),
        ('{"address": "a@example.org\\r\\nBcc: x@example.net"}', Result.ANSWER_NOT_UNDERSTOOD),
        ('{"address": ["a@example.org"]}', Result.ANSWER_NOT_UNDERSTOOD),
        ("anna.berg@example.org", Result.ANSWER_NOT_UNDERSTOOD),
        ("[" * 60_000, Result.ANSWER_NOT_UNDERSTOOD),
        ("7", Result.ANSWER_NOT_UNDERSTOOD),
    ],
)
def test_what_a_command_may_answer(tmp_path: Path, said: str, result: Result) -> None:
    (tmp_path / "said").write_text(said, encoding="utf-8")
    assert search(command(tmp_path, "print(open('said').read(), end='')"), ANNA, tmp_path).result is result


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (['print(\'{"address": "anna.berg@example.org"}\')', "sys.exit(3)"], Result.COMMAND_FAILED),
        (["os.close(0)", "os.abort()"], Result.COMMAND_FAILED),
        (["while True: print('x' * 9999)"], Result.ANSWER_TOO_LONG),
        (["time.sleep(60)"], Result.TOOK_TOO_LONG),
        (["os.close(1)", "time.sleep(60)"], Result.TOOK_TOO_LONG),
    ],
)
def test_a_command_that_misbehaves_is_ended(tmp_path: Path, lines: list[str], result: Result) -> None:
    seconds = 0.5 if result is Result.TOOK_TOO_LONG else 30
    assert search(command(tmp_path, *lines, lookup_timeout_s=seconds), ANNA, tmp_path).result is result


def test_its_children_end_with_it(tmp_path: Path) -> None:
    lines = ["child = os.fork()", "if child: print(child, file=open('child', 'w'))", "if not child: time.sleep(60)"]
    answer = search(command(tmp_path, *lines, lookup_timeout_s=2), ANNA, tmp_path)
    assert answer.result is Result.TOOK_TOO_LONG, "the child holds the output open"
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 10
    while lives(child):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.05)


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n", encoding="utf-8")
    for name in ("./inte", "./plain", "finns-inte-alls", str(tmp_path)):
        asked = system(lookup_command=[name])
        assert search(asked, ANNA, tmp_path).result is Result.COMMAND_MISSING
        assert unfitness(asked, tmp_path) is Result.COMMAND_MISSING
    plain.chmod(0o700)
    plain.write_bytes(b"\x00\x01")
    assert unfitness(system(lookup_command=["./plain"]), tmp_path) is None
    assert search(system(lookup_command=["./plain"]), ANNA, tmp_path).result is Result.COMMAND_MISSING
