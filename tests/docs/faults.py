"""The page of faults and the tests that prove each row: `docs/faults.md`.

    python -m tests.docs.faults

writes the tests of each row into the page anew: those whose name begins with the row's id (``test_f10_…``), or whose
docstring names it, and mails in ``tests/mails`` whose file begins with it. A row without any keeps its words.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
TESTS = ROOT / "tests"
MAILS = "reading/test_mails.py::test_mail"
LEFT_OUT = "left out: "


def span(letter: str, *ranges: tuple[int, int]) -> list[str]:
    """Return the ids of a catalogue."""
    return [f"{letter}{number}" for first, last in ranges for number in range(first, last + 1)]


IDS = [
    *span("F", (1, 8), (10, 26), (30, 46), (50, 68), (70, 84), (90, 95), (100, 105)),
    *span("C", (1, 23), (30, 46), (50, 60), (70, 81)),
    *span("E", (1, 20), (30, 38), (40, 60), (70, 79), (80, 89), (90, 95)),
]


@dataclass(frozen=True)
class Row:
    """A line of the page: id, what is done to the program, and the tests by name or why there is none."""

    id: str
    what: str
    proof: str

    @property
    def tests(self) -> list[str]:
        """Return the tests that are named, as ``folder/file.py::test``."""
        return re.findall(r"`([^`]+::\w+)`", self.proof)


def rows() -> list[Row]:
    """Return the rows of the page in their order."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [FCE]\d", line)]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


def proofs() -> dict[str, list[str]]:
    """Return the tests of each id, as ``folder/file.py::test``."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for one in _ids_of(node):
                    found[one].append(f"{file.relative_to(TESTS).as_posix()}::{node.name}")
    for mail in sorted((TESTS / "mails").glob("c*_*.eml")):
        one = _id(mail.stem.partition("_")[0])
        if MAILS not in found[one]:
            found[one].append(MAILS)
    return found


def _ids_of(node: ast.FunctionDef) -> list[str]:
    leading = re.match(r"test_((?:[a-z]\d+_)*)", node.name)
    named = re.findall(r"[fce]\d+", leading[1]) if leading else []
    told = re.findall(r"\b[FCE]\d{1,3}\b", ast.get_docstring(node) or "")
    return list(dict.fromkeys(_id(one) for one in [*named, *told]))


def _id(text: str) -> str:
    """Return ``F7`` for ``f07``."""
    return f"{text[0].upper()}{int(text[1:])}"


def main() -> None:
    """Write the tests of each row into the page."""
    found = proofs()
    text = PAGE.read_text(encoding="utf-8")
    for row in rows():
        tests = found.get(row.id)
        if tests:
            proof = ", ".join(f"`{test}`" for test in tests)
            text = re.sub(rf"(?m)^\| {row.id} \|.*$", f"| {row.id} | {row.what} | {proof} |", text)
    PAGE.write_text(text, encoding="utf-8")
    bare = [row.id for row in rows() if not row.tests and not row.proof.startswith(LEFT_OUT)]
    print("without a test and without a reason:", ", ".join(bare) or "none")


if __name__ == "__main__":
    main()
