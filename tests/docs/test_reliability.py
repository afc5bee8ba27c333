"""`docs/reliability.md` has every promise, says truly what the audit sees, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

from inboxbot.desk.audit import PROMISES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
IDS = [
    f"{letter}{number}" for letter, last in (("I", 10), ("P", 7), ("S", 10), ("D", 12)) for number in range(1, last + 1)
]


def rows() -> dict[str, str]:
    """Return what checks each promise, by its id."""
    found = re.findall(r"^\| ([IPSD]\d+) \| [^|]{20,} \| ([^|]+) \|$", TEXT, flags=re.MULTILINE)
    assert len(found) == len(dict(found))
    return dict(found)


def test_every_promise_stands_there_in_order_and_has_a_test() -> None:
    assert list(rows()) == IDS
    assert [one for one, checked in rows().items() if "::test_" not in checked] == []


def test_it_says_of_which_promises_the_audit_sees() -> None:
    assert [one for one, checked in rows().items() if checked.startswith("audit, ")] == list(PROMISES)


def test_every_test_and_file_that_is_named_is_there() -> None:
    named = [
        (file, test) for checked in rows().values() for file, test in re.findall(r"`([^`:]+\.py)::(\w+)`", checked)
    ]
    assert len(named) > 60
    for file, test in named:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), (file, test)
    for script in re.findall(r"`python (benchmarks/\w+\.py)", TEXT):
        assert (ROOT / script).exists(), script
    for page in re.findall(r"\]\(([^)]+\.md)\)", TEXT):
        assert (ROOT / "docs" / page).exists(), page
    assert re.search(r"^chaos:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
