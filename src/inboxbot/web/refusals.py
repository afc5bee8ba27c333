"""What the program refuses, in the words of the pages: its own English, or Swedish from a list of its sentences."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from inboxbot.errors import InboxbotError
from inboxbot.web.words import Words


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


def _values(values: Sequence[str], codes: Sequence[str], words: Words) -> list[str]:
    groups = [*codes, *[""] * len(values)]
    return [
        ", ".join(words.of(group, code) for code in value.split(", ")) if group else value
        for value, group in zip(values, groups, strict=False)
    ]
