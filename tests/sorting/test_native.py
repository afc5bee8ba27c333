"""The native core says of every mail exactly what the reference in plain Python says, and is not needed."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.longer import more
from tests.servers.fixtures import missing

from inboxbot.daemon.checks import check_machine
from inboxbot.reading.segments import segment
from inboxbot.sorting import native
from inboxbot.sorting.evaluation import shipped_mails
from inboxbot.sorting.features import Reading, read_mail
from inboxbot.sorting.fold import Folded, fold
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.language import LETTERS, LOOKED, SMALL_WORDS, rank_languages
from inboxbot.sorting.model import TARGETS
from inboxbot.sorting.weighing import PlainWeigher
from inboxbot.sorting.words import split_sentences, word_places

if TYPE_CHECKING:
    from inboxbot.sorting.native._core import Core

SHIPPED = Judge.load()
PLAIN = PlainWeigher(SHIPPED.vocabulary, SHIPPED.model)
REFERENCE = Judge(SHIPPED.vocabulary, SHIPPED.model, PLAIN)
TRAINING = Path(__file__).parents[2] / "training" / "mails"


@pytest.fixture(scope="module")
def core() -> Core:
    """The compiled core, which is missing where there was no C++ compiler."""
    try:
        module = importlib.import_module("inboxbot.sorting.native._core")
    except ImportError:
        missing("native")
    return module.Core(SHIPPED.vocabulary, SHIPPED.model)  # type: ignore[no-any-return]


def assert_same(core: Core, subject: str, body: str) -> None:
    """Hold the core to the reference: sentences, what is added up, and what each sentence tells, to the last bit."""
    plain = read_mail(subject, body, segment(body))
    quick = read_mail(subject, body, segment(body), core.split, core.rank)
    assert plain == quick
    assert PLAIN.weigh(plain) == core.weigh(quick)
    for (_, one), (_, other) in islice(zip(plain.spoken, quick.spoken, strict=True), 60):
        for target in range(len(TARGETS)):
            assert PLAIN.spans(plain, one, target) == core.spans(quick, other, target)


def assert_found_again(core: Core, folded: Folded) -> None:
    """Hold the places of words to those that are found by counting marks."""
    for noted, counted in zip(core.split(folded.text, 10_000), split_sentences(folded.text), strict=True):
        assert noted.start >= 0 > counted.start
        last = len(noted.words) - 1
        for first in {0, last // 2, last}:
            assert word_places(folded, noted, first, last) == word_places(folded, counted, first, last)


def assert_same_verdict(core: Core, subject: str, body: str) -> None:
    """Hold the whole verdict to the reference, evidence and sums included."""
    quick = Judge(SHIPPED.vocabulary, SHIPPED.model, core)
    assert quick.judge_text(subject, body) == REFERENCE.judge_text(subject, body)


def test_it_was_compiled_from_what_is_here() -> None:
    """A core that is older than its source would be passed over, and everything would only be slower."""
    try:
        module = importlib.import_module("inboxbot.sorting.native._core")
    except ImportError:
        missing("native")

    assert native.digest_of_source() == module.SOURCE, "install inboxbot anew: the native core's source changed"
    assert native.find_core() is module


def test_mails_that_were_written_for_measuring(core: Core) -> None:
    for mail in shipped_mails():
        assert_same_verdict(core, mail.subject, mail.body)


def test_mails_that_were_written_for_training(core: Core) -> None:
    lines = [
        line for path in sorted(TRAINING.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for line in lines[::40]:
        mail = json.loads(line)
        assert_same(core, mail["subject"], mail["body"])
        assert_same_verdict(core, mail["body"][:300], mail["subject"] + "\n" + mail["body"].upper())


PIECES = [
    *("jag vill inte att ni raderar", "mina uppgifter", "annars anmäler jag er", "ta bort mig", "enligt artikel 15"),
    *("art. 21.2", "Article 17 and 20", "don't delete", "l'accès", "dell'account", "nyhetsbrev", "ta vänligen bort"),
    *(", ", ": ", "(", ")", ". ", "? ", "! ", "; ", ".", "\n", "\n\n", "\n - ", "\n1. ", "\n        a) ", "\n> ", "  "),
    *("'", "’", "_", "a'b'c", "ä", "A", "ß", "ﬁ", "\u0301", "\u200b", "٣", "²", "½", "中文", "🙂", "\x00", "\ud800"),
    *("x" * 45, "1234", "12345", "mejladress", "avregistreringslänken", "\u2028", "\x1c", "\u00a0", "·"),
]


@settings(deadline=None, max_examples=more(60))
@given(
    st.lists(st.sampled_from(PIECES), max_size=4), st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=80)
)
def test_odd_mails(core: Core, subject: list[str], body: list[str]) -> None:
    assert_same(core, "".join(subject), "".join(body))
    assert_same_verdict(core, " ".join(subject), " ".join(body))


@settings(deadline=None, max_examples=more(100))
@given(st.text(max_size=300), st.integers(0, 40))
def test_any_text_is_split_alike(core: Core, text: str, limit: int) -> None:
    for one in (text, fold(text).text):
        assert core.split(one, limit) == split_sentences(one, limit)
    assert_found_again(core, fold(text))


@settings(deadline=None, max_examples=more(60))
@given(
    st.lists(st.sampled_from(sorted(SMALL_WORDS)) | st.text(max_size=3), max_size=300),
    st.text(st.sampled_from([*LETTERS, *"ΣσαжщЖİÅẞa\ud800\U0010ffff"]) | st.characters(), max_size=200),
)
def test_languages_are_ranked_alike(core: Core, words: list[str], text: str) -> None:
    for one in (text, text.upper(), "a" * (LOOKED - 50) + text):
        assert core.rank(words, one) == rank_languages(words, one)


def test_every_letter_says_the_same_of_the_language(core: Core) -> None:
    """Letters are made small one by one: those that Python makes two letters of say nothing either way."""
    strange = [letter for letter in map(chr, range(0x110000)) if len(letter.lower()) > 1]
    telling = [letter for letter in map(chr, range(0x110000)) if letter.lower() in LETTERS]

    assert strange
    for letter in [*strange, *telling, *map(chr, range(0x300, 0x600)), *map(chr, range(0x1EF0, 0x2010))]:
        assert core.rank([], 4 * letter) == rank_languages([], 4 * letter)


def test_there_is_nothing_to_tell_of_a_target_that_does_not_exist(core: Core) -> None:
    reading = read_mail("", "Radera mitt konto.", segment("Radera mitt konto."))
    for target in (-1, len(TARGETS)):
        with pytest.raises(ValueError, match="target"):
            core.spans(reading, reading.spoken[0][1], target)


def test_what_a_sentence_tells_does_not_change_with_what_was_read_since(core: Core) -> None:
    def read(text: str) -> Reading:
        return read_mail("", text, segment(text), core.split, core.rank)

    first, second = read("Jag vill att ni raderar mitt konto enligt artikel 17."), read("Bitte löschen Sie mein Konto.")
    core.weigh(first)
    told = [core.spans(first, first.spoken[0][1], target) for target in range(len(TARGETS))]
    core.weigh(second)
    core.spans(second, second.spoken[0][1], 0)

    assert any(told)
    assert [core.spans(first, first.spoken[0][1], target) for target in range(len(TARGETS))] == told
    assert core.weigh(first) == PLAIN.weigh(first)


@pytest.mark.parametrize(
    "body",
    [
        "inte radera, " * 3_000,
        "ta mig bort ta mig " * 2_500,
        "art 15 " * 6_000,
        "x" * 50_000,
        "a " * 30_000,
        "a'" * 20_000,
    ],
)
def test_mails_that_are_built_to_be_slow(core: Core, body: str) -> None:
    assert_same(core, "", body)


def test_strange_words_do_not_fill_the_memory(core: Core) -> None:
    def strange(number: int) -> str:
        return " ".join(f"ord{number * 6_000 + place}x" for place in range(6_000))

    for number in range(12):
        core.weigh(read_mail("", strange(number), segment(strange(number)), core.split, core.rank))
        assert 0 < core.remembered < 60_000
    quoted = "".join(f"> ord{place}y\nja\n" for place in range(60_000))
    core.weigh(read_mail("", quoted, segment(quoted), core.split, core.rank))
    assert core.remembered < 60_000
    assert_same(core, "Radera", f"Radera mitt konto. {strange(3)}\n> {strange(5)}")


def test_long_words_are_not_remembered(core: Core) -> None:
    before = core.remembered
    assert_same(core, "", "radera " + " ".join("q" * length for length in range(41, 60)))
    assert core.remembered <= before + 1


def test_without_the_core_the_reference_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inboxbot.sorting.native._core", None)

    assert isinstance(native.find_weigher(SHIPPED.vocabulary, SHIPPED.model), PlainWeigher)
    assert "plain Python" in [one.where for one in check_machine(now=dt.datetime.now(dt.UTC))]


def test_a_core_of_another_source_is_not_used(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[type(core).__module__], "SOURCE", "0" * 64)

    assert native.find_core() is None


def test_the_command_says_the_same_either_way(tmp_path: Path) -> None:
    mails = [{"id": mail.id, "subject": mail.subject, "body": mail.body} for mail in shipped_mails()[:50]]
    path = tmp_path / "mails.jsonl"
    path.write_text("".join(json.dumps(mail) + "\n" for mail in mails), encoding="utf-8")
    command = [sys.executable, "-m", "inboxbot.cli.main", "classify", "--jsonl", str(path)]
    said = [
        subprocess.run(command, env={**os.environ, "INBOXBOT_PURE": pure}, capture_output=True, check=True).stdout
        for pure in ("", "1")
    ]

    assert said[0] == said[1]
    assert said[0].count(b"\n") == 50
