"""Subjects: without their reply and forward marks, and the case references a text carries."""

from __future__ import annotations

import re
from typing import Final

from inboxbot.reading import bounds

_MARK: Final = re.compile(
    r"\s*(?:(?:re|aw|sv|vs|vl|vb|fw|fwd|wg|tr|rv|ref|antw|odp|svar|videresendt|vidarebefordrat|vidarebef)"
    r"(?:\s?\[\d{1,3}\]|\s?\(\d{1,3}\)|\^\d{1,3})?\s?[:\uff1a])",
    re.IGNORECASE,
)
_MOST_MARKS: Final = 50


def base_subject(subject: str) -> str:
    """Return a subject on one line without leading marks such as ``Re:``, ``SV:`` or ``Fwd:``."""
    rest = " ".join(subject[: bounds.SUBJECT_CHARACTERS].split())
    for _ in range(_MOST_MARKS):
        found = _MARK.match(rest)
        if found is None:
            break
        rest = rest[found.end() :].lstrip()
    return rest


def references_in(text: str, prefix: str) -> tuple[str, ...]:
    """Return the case references with this prefix (``AO-2026-0001``) in a text, each once, in order.

    A reference is only a hint: it gives no right to join a case (promises.md C20).
    """
    pattern = re.compile(rf"(?<![\w-]){re.escape(prefix)}-(\d{{4}})-(\d{{4,9}})(?![\w-]*\w)", re.IGNORECASE)
    found = (f"{prefix}-{item[1]}-{item[2]}" for item in pattern.finditer(text[: bounds.TEXT_CHARACTERS]))
    return tuple(dict.fromkeys(found))
