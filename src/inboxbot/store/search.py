"""Finding cases by words: the words of a case's number, requester and subject, each kept for looking up by its start.

Nothing looks through texts: a word is found by a range of an index, so a search stays quick however many cases there
are. Letters are compared without case and marks, so that "oberg" finds "Öberg".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select

from inboxbot.store.tables import case_words, cases

MOST_WORDS, MOST_ASKED, MOST_LETTERS = 60, 8, 40
FEW: Final = 3_000  # so many are fetched and sorted; where more match, the order is walked until the page is full
_WORD: Final = re.compile(r"\w+")
_LAST: Final = "\U0010ffff"


def words_of(*texts: str | None) -> list[str]:
    """Return the words of some texts as they are kept and looked for: folded, each once, in order, at most 60."""
    found: dict[str, None] = {}
    for text in texts:
        plain = unicodedata.normalize("NFKD", (text or "")[:2000].casefold())
        bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
        found |= dict.fromkeys(word[:MOST_LETTERS] for word in _WORD.findall(bare))
    return list(found)[:MOST_WORDS]


def save_words(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep the words of new cases; ``rows`` are rows of `cases`."""
    kept = [
        {"word": word, "case_id": row["id"]}
        for row in rows
        for word in words_of(row["reference"], row["requester"], row["requester_name"], row["subject"])
    ]
    if kept:
        connection.execute(insert(case_words), kept)


def add_words(connection: Connection, case_id: int, text: str) -> None:
    """Keep further words of a case, such as those of an address that turned out to belong to it."""
    known = set(connection.execute(select(case_words.c.word).where(case_words.c.case_id == case_id)).scalars())
    fresh = [{"word": word, "case_id": case_id} for word in words_of(text) if word not in known]
    if fresh:
        connection.execute(insert(case_words), fresh)


def holds(connection: Connection, search: str) -> list[ColumnElement[bool]]:
    """Return the conditions on `cases` that every word of ``search`` begins a word of the case.

    The rarest word leads the way where few cases have it; a search without any word finds nothing.
    """
    asked = sorted(words_of(search)[:MOST_ASKED], key=len, reverse=True)
    if not asked:
        return [cases.c.id.is_(None)]
    counted = {word: _count(connection, word) for word in asked}
    rarest = min(asked, key=lambda word: counted[word])
    found: list[ColumnElement[bool]] = [
        exists().where(case_words.c.case_id == cases.c.id, _begins(word)) for word in asked if word != rarest
    ]
    if counted[rarest] <= FEW:
        return [cases.c.id.in_(select(case_words.c.case_id).where(_begins(rarest))), *found]
    return [*found, exists().where(case_words.c.case_id == cases.c.id, _begins(rarest))]


def _begins(word: str) -> ColumnElement[bool]:
    return and_(case_words.c.word >= word, case_words.c.word < word + _LAST)


def _count(connection: Connection, word: str) -> int:
    """Return how many words begin so, counted no further than one more than a few."""
    some = select(case_words.c.case_id).where(_begins(word)).limit(FEW + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())
