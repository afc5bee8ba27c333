"""What the program refuses and the letter check finds, in the words of the pages: its own English, or Swedish."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from inboxbot.desk.letters import Finding
from inboxbot.errors import InboxbotError
from inboxbot.web.words import Words

_ARTICLE = re.compile(r"Art\. .*? GDPR")
_UNDECIDED = re.compile(r"\w+:(.*) is not decided: ([a-z ]+)")
# Their English holds a colon or names what the page shows anyway; the others end with the words they are about.
_NO_EXCERPT = frozenset(
    {
        "outcome",
        "stale",
        "late_extension",
        "identity_level",
        "address_proposed",
        "no_address_on_file",
        "other_person",
        "approved_before",
    }
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One sentence of the program: ``pattern`` finds it, ``text`` says it, ``codes`` tell what its values are."""

    pattern: re.Pattern[str]
    text: str
    codes: tuple[str, ...]


@functools.cache
def refusals() -> tuple[Refusal, ...]:
    """Return the list, the sentences with the most words of their own first."""
    source = files(__package__).joinpath("words", "refusals.toml").read_text(encoding="utf-8")
    listed = sorted(tomllib.loads(source)["refusal"], key=lambda one: -len(one["en"].replace("{}", "")))
    return tuple(Refusal(pattern_of(one["en"]), one["sv"], tuple(one.get("codes", ()))) for one in listed)


def pattern_of(sentence: str) -> re.Pattern[str]:
    """Return what finds a sentence with something in place of each ``{}``."""
    return re.compile("(.*?)".join(re.escape(part) for part in sentence.split("{}")), re.DOTALL)


def in_words(error: InboxbotError, words: Words) -> str:
    """Return what a page says of an error. One that is not in the list is told as the program tells it."""
    if words.language != "sv":
        return str(error)
    for one in refusals():
        found = one.pattern.fullmatch(error.what)
        if found:
            return one.text.format(*_values(found.groups(), one.codes, words))
    return str(error)


@functools.cache
def findings() -> dict[str, str]:
    """Return what the letter check finds in Swedish, by rule."""
    return tomllib.loads(files(__package__).joinpath("words", "findings.toml").read_text(encoding="utf-8"))


def finding_in_words(finding: Finding, words: Words) -> tuple[str, str, str]:
    """Return what a page says of a finding: what it is, what it is about ("" for nothing), the article of the law."""
    article = " ".join(_ARTICLE.findall(finding.source))
    told = findings().get(finding.rule) if words.language == "sv" else None
    if told is None:
        return finding.text, "", article
    undecided = _UNDECIDED.fullmatch(finding.text)
    if undecided:
        return told, f"{undecided[1]}: {words.of('lack', undecided[2].replace(' ', '_'))}", article
    return told, "" if finding.rule in _NO_EXCERPT else finding.text.partition(": ")[2], article


def _values(values: Sequence[str], codes: Sequence[str], words: Words) -> list[str]:
    groups = [*codes, *[""] * len(values)]
    return [
        ", ".join(words.of(group, code) for code in value.split(", ")) if group else value
        for value, group in zip(values, groups, strict=False)
    ]
