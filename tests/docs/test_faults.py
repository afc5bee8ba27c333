"""`docs/faults.md` names every row of the catalogues, and the tests it names are there and say which row they prove."""

from __future__ import annotations

from tests.docs.faults import IDS, LEFT_OUT, proofs, rows


def test_every_row_stands_there_once() -> None:
    assert [row.id for row in rows()] == IDS


def test_every_row_has_a_test_or_the_reason_why_not() -> None:
    bare = [row.id for row in rows() if not row.tests and len(row.proof.removeprefix(LEFT_OUT)) < 20]
    assert bare == []
    assert [row.id for row in rows() if not row.tests and not row.proof.startswith(LEFT_OUT)] == []


def test_every_test_that_is_named_is_there_and_says_so() -> None:
    found = proofs()
    wrong = [(row.id, test) for row in rows() for test in row.tests if test not in found.get(row.id, [])]
    assert wrong == []
