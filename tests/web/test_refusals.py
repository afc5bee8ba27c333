"""Whatever the program refuses at a page is told in Swedish to Swedish people; no sentence of it is missing."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.installation import Office
from tests.web.house import Person

from inboxbot.cases import disposition
from inboxbot.cases.checklist import About, Lack, LineAnswer, StepName, StepState
from inboxbot.cases.disposition import Action
from inboxbot.cases.identity import IdentityStep
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import CaseState, DraftState, Outcome, PromiseStatus
from inboxbot.config.model import KeepGround
from inboxbot.desk.identity import FACTS
from inboxbot.desk.letters import Finding
from inboxbot.errors import InboxbotError, RefusedError, UsageError
from inboxbot.outbox.smtp import Phase
from inboxbot.replies.check_parts import KIND_WORDS, PARTS
from inboxbot.replies.check_rules import BANS
from inboxbot.replies.facts import LANGUAGES
from inboxbot.replies.render import LETTERS
from inboxbot.sorting.kinds import Kind
from inboxbot.store.people import Role
from inboxbot.store.placed import WAITS
from inboxbot.web.bulk import EXCUSES
from inboxbot.web.marks import FOLDED
from inboxbot.web.refusals import finding_in_words, findings, in_words, refusals
from inboxbot.web.words import words_in

DOORS = ("terminal", "web", "drafts", "daemon")
SOURCE = Path(__file__).parents[2] / "src" / "inboxbot"
# These have a page of their own, whatever they say; what a web server cannot listen on is told in the terminal.
APART = {"StoreError", "DamagedError", "ConfigError", "MailboxError", "UnavailableError", "MissingFolderError"}
HANDED_OVER = {SOURCE / "daemon" / "originals.py"}  # reaches the pages as a value, not by an import
TOLD_ELSEWHERE = {"web/serve.py", "outgoing.py"}  # the latter's errors are codes, and stay within
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


GROUPS = {
    "kind": Kind, "state": CaseState, "draft": DraftState, "outcome": Outcome, "event": CaseEvent, "role": Role,
    "promise": PromiseStatus, "template": LETTERS, "about": About, "answer": LineAnswer, "ground": KeepGround,
    "lack": Lack, "step": StepName, "step_is": StepState, "excuse": EXCUSES, "door": DOORS, "identity.fact": FACTS,
    "identity.step": [one for one in IdentityStep if one.value != "none"], "letter_trouble": ("failed", "unknown"),
    "segment": FOLDED, "language": (*LANGUAGES, "und"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_code_that_is_shown_has_words(language: str) -> None:
    texts = words_in(language).texts
    shown = {f"{name}.{one}" for name, codes in GROUPS.items() for one in codes}
    shown |= {f"held.{code}" for code in held_codes()} | {f"waits.{code}" for code in waits_codes()}
    assert shown - set(texts) == set()


def text_of(*names: str) -> str:
    return "\n".join((SOURCE / name).read_text(encoding="utf-8") for name in names)


def held_codes() -> set[str]:
    """Return every reason a case may be held for."""
    held = {row[-1] for row in disposition.TABLE if row[1] is Action.HOLD and isinstance(row[-1], str)}
    reading = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "reading").glob("*.py"))
    held |= set(re.findall(r'UnreadableError\(\s*"([a-z_]+)"', reading))
    held |= set(re.findall(r'Refused\([a-z.]+, "([a-z_]+)"\)', text_of("mailbox/fetching.py")))
    held |= set(re.findall(r'Held\("([a-z_]+)"', text_of("mailbox/workers.py")))
    held |= set(re.findall(r'fault="([a-z_]+)"', text_of("daemon/round.py")))
    held |= {"too_slow", "reader_died", "no_sender", "invalid_sender", "ambiguous_sender", "form_without_requester"}
    held |= {"tnef", "no_text", "no_letter_drafted", "followup_on_dismissed", *disposition._DOUBTS}
    return held


def waits_codes() -> set[str]:
    """Return every reason a letter may wait for."""
    found = re.findall(r'"(limit_[a-z_]+|[a-z]+_not_configured|cut_before_dot|server_refuses_[a-z_]+)"',
                       text_of("desk/sending.py", "outbox/runner.py"))  # fmt: skip
    return {*found, WAITS, *(f"retry_after_{phase.value}" for phase in Phase if phase is not Phase.DOT)}


def test_everything_the_letter_check_finds_is_told_in_swedish() -> None:
    rules = {f"missing_{name}" for name in PARTS} | {f"missing_kind_{kind}" for kind in KIND_WORDS}
    rules |= {ban.rule for ban in BANS}
    source = text_of("replies/check.py", "desk/letters.py", "cases/identity.py")
    rules |= set(re.findall(r'(?:Finding|_blocking)\(\s*"([a-z_]+)"', source))
    rules |= set(re.findall(r'^        "([a-z_]+)": "', text_of("desk/letters.py"), re.MULTILINE))
    assert len(rules) > 80
    assert rules - set(findings()) == set()
    assert set(findings()) - rules == set(), "no words are left for rules that are gone"


def test_a_finding_names_what_it_is_about_and_the_article() -> None:
    swedish, english = words_in("sv"), words_in("en")
    fee = Finding("fee", blocks=False, text="answers are free of charge: avgift", source="Art. 12(5) GDPR, law.md 8")
    assert finding_in_words(fee, swedish) == ("svar är gratis", "avgift", "Art. 12(5) GDPR")
    assert finding_in_words(fee, english) == (fee.text, "", "Art. 12(5) GDPR")
    line = Finding("checklist", blocks=True, text="system:Webbutiken is not decided: no answer", source="law.md A-01")
    assert finding_in_words(line, swedish) == ("en rad i checklistan är inte avgjord", "Webbutiken: inget svar", "")
    late = Finding("late_extension", blocks=True, text="late: an extension is valid only inside month one", source="")
    assert finding_in_words(late, swedish)[1] == ""


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
