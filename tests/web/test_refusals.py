"""Whatever the program refuses at a page is told in Swedish to Swedish people; no sentence of it is missing."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.installation import Office
from tests.web.house import Person

from inboxbot.cases.values import CaseState, DraftState, Outcome
from inboxbot.errors import InboxbotError, RefusedError, UsageError
from inboxbot.sorting.kinds import Kind
from inboxbot.web.refusals import in_words, refusals
from inboxbot.web.words import words_in

SOURCE = Path(__file__).parents[2] / "src" / "inboxbot"
# These have a page of their own, whatever they say; what a web server cannot listen on is told in the terminal.
APART = {"StoreError", "ConfigError", "MailboxError", "UnavailableError", "MissingFolderError"}
HANDED_OVER = {SOURCE / "daemon" / "originals.py"}  # reaches the pages as a value, not by an import
TOLD_ELSEWHERE = {"web/serve.py"}
# Raised with words that were made elsewhere; each stands in the list below with what it may say.
PASSED_ON = {
    "str(error)": ["not a mail address: x", "not a plain mail address (ASCII local part without quotes)"],
    "error.message or 'not a template'": ["not a template"],
    "clean_line(error.message or '', 120)": [],  # what Jinja says of a template that an owner wrote
}


def reachable() -> set[Path]:
    """Return the modules that the pages can reach, by the imports that stand in them."""
    waiting, seen = list((SOURCE / "web").glob("*.py")), set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("inboxbot"):
                names = [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
            for name in names:
                found = SOURCE.joinpath(*name.split(".")[1:]).with_suffix(".py")
                if found.is_file():
                    waiting.append(found)
    return seen


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def families() -> frozenset[str]:
    """Return the names of all classes that come from InboxbotError."""
    found = {"InboxbotError"}
    classes = [one for path in SOURCE.rglob("*.py") for one in ast.walk(tree(path)) if isinstance(one, ast.ClassDef)]
    while True:
        more = {one.name for one in classes if {getattr(base, "id", "") for base in one.bases} & found}
        if more <= found:
            return frozenset(found)
        found |= more


def sentences(node: ast.expr) -> Iterator[str | None]:
    """Return what an expression may say, something in place of each value; None when it is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for left in sentences(node.left):
            yield f"{left}x"
    elif isinstance(node, ast.IfExp):
        yield from sentences(node.body)
        yield from sentences(node.orelse)
    else:
        yield None


def raised() -> Iterator[tuple[str, str]]:
    """Return every sentence a page can meet with where it is written."""
    for path in sorted({*reachable(), *HANDED_OVER}):
        where = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or not node.args or where in TOLD_ELSEWHERE:
                continue
            name = getattr(node.func, "id", "")
            if name not in families() - APART:
                continue
            for sentence in sentences(node.args[0]):
                source = ast.unparse(node.args[0])
                if sentence is None:
                    assert source in PASSED_ON, f"{where}:{node.lineno} says {source}: say here what that may be"
                    yield from ((one, where) for one in PASSED_ON[source])
                else:
                    yield sentence, where


def test_every_sentence_a_page_can_meet_has_swedish_words() -> None:
    swedish = words_in("sv")
    missing = {
        (where, sentence) for sentence, where in raised() if in_words(InboxbotError(sentence), swedish) == sentence
    }
    assert not missing, "give them words in src/inboxbot/web/words/refusals.toml"


def test_no_words_are_left_over() -> None:
    said = [sentence for sentence, _ in raised()]
    unused = [one.pattern.pattern for one in refusals() if not any(one.pattern.fullmatch(each) for each in said)]
    assert unused == []


def test_the_codes_of_a_refusal_become_words() -> None:
    swedish = words_in("sv")
    assert in_words(RefusedError("there is no outcome for access, erasure"), swedish).startswith(
        "Beslut saknas för registerutdrag, radering."
    )
    assert "delvis beviljad, inte beviljad" in in_words(
        RefusedError("the lines say partly_granted, not granted", where="EX-2026-0001"), swedish
    )
    assert in_words(UsageError("something new", cure="try"), swedish) == "something new (try)"
    english = words_in("en")
    assert in_words(RefusedError("a mail waits for its answer", cure="answer it"), english).endswith("(answer it)")


def test_every_code_that_is_shown_has_words() -> None:
    groups = {"kind": Kind, "state": CaseState, "draft": DraftState, "outcome": Outcome}
    for language in ("sv", "en"):
        texts = words_in(language).texts
        assert [
            f"{name}.{one}" for name, codes in groups.items() for one in codes if f"{name}.{one}" not in texts
        ] == []


LETTER = {"recipient": "a@example.org", "subject": "a", "body": "b", "version": "1"}


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("close", {}, "Beslut saknas för registerutdrag"),
        ("note", {"words": " "}, "Skriv något i anteckningen"),
        ("merge", {"into": "EX-2026-0001"}, "slås ihop med sig självt"),
        ("no-answer", {}, "Någon använder en rättighet"),
        ("outcome", {"kind": "access", "outcome": "granted"}, "Alla rader i checklistan är inte avgjorda"),
        ("letter", {"template": "code"}, "Anteckna först vilken adress ni har registrerad"),
        ("letters/1/edit", {**LETTER, "recipient": "fel"}, "ingen giltig mejladress"),
        ("letters/1/edit", {**LETTER, "body": ""}, "Brevet är tomt"),
    ],
)
def test_a_page_says_it_in_swedish(office: Office, eva: Person, path: str, fields: dict[str, str], words: str) -> None:
    eva.get("/cases/EX-2026-0001")
    answer = eva.post(f"/cases/EX-2026-0001/{path}", **fields)
    assert answer.status_code in (409, 422)
    assert words in answer.text
