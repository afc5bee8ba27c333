"""The words of the pages, one file a language. A key that a language lacks is a fault, found by a test."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

LANGUAGES: Final = ("sv", "en")


class Words:
    """The words of one language."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, /, **values: Any) -> str:
        """Return the text of a key with its values filled in."""
        text = self.texts[key]
        return text.format(**values) if values else text

    def of(self, group: str, code: str | None) -> str:
        """Return the words for a code of the program; one without words is shown as it is, with spaces."""
        if not code:
            return "–"
        return self.texts.get(f"{group}.{code}", code.replace("_", " "))


@functools.cache
def words_in(language: str) -> Words:
    """Return the words of a language."""
    source = files(__package__).joinpath("words", f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(tomllib.loads(source), "")))


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        found += _flat(value, f"{key}.") if isinstance(value, dict) else [(key, value)]
    return found


def chosen_language(wish: str, accepts: str) -> str:
    """Return the language of an account, else the first of ``Accept-Language`` that there is, else Swedish."""
    if wish in LANGUAGES:
        return wish
    for part in accepts[:200].split(","):
        name = part.partition(";")[0].strip().lower()[:2]
        if name in LANGUAGES:
            return name
    return LANGUAGES[0]
