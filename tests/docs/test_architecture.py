"""`docs/architecture.md` is true where a machine can tell: states, rooms, files and crash points."""

from __future__ import annotations

import re
from pathlib import Path

from inboxbot.cases.transitions import tables_markdown
from inboxbot.crash import POINTS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "inboxbot"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def table_under(heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, without its head."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_states_are_those_of_the_code() -> None:
    printed = TEXT.partition("<!-- states:")[2].partition("-->\n")[2].partition("<!-- end of states -->")[0]
    assert printed.strip() == tables_markdown().strip()


def test_every_room_stands_on_the_map_and_every_room_of_the_map_is_there() -> None:
    named = {row[0].strip("`/") for row in table_under("The map of rooms")}
    real = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert named | {"config"} == real


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", TEXT))
    assert len(named) > 40
    there = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py")}
    rows = {
        name: f"{row[0].strip('`')}{name}"
        for row in table_under("The map of rooms")
        for name in re.findall(r"`([a-z_]+\.py)`", row[3])
    }
    missing = {name for name in named if name not in there and rows.get(name) not in there}
    assert {name for name in missing if not (ROOT / name).exists()} == {"model.py", "load.py", "faults.py"}
    assert {f"config/{name}" for name in ("model.py", "load.py", "faults.py")} <= there


def test_every_crash_point_says_what_comes_after_it() -> None:
    rows = table_under("Where it may be killed")
    assert [row[0].strip("`") for row in rows] == list(POINTS)
    assert all(row[1] for row in rows)


def test_the_papers_name_no_place_of_a_machine() -> None:
    for paper in ("README.md", "CHANGELOG.md", "config.example.toml", "docs/architecture.md"):
        text = (ROOT / paper).read_text(encoding="utf-8")
        assert not re.search(r"/(?:root|home|work|tmp|Users)/", text), paper
        assert not re.search(r"https?://[^\s)]*(?:pypi|index|mirror|artifact)", text), paper
