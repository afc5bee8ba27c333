"""Folding: one letter case, no accents, no invisible letters, with every place still known.

People write the same wish with and without å, ä and ö, in capitals, and sometimes with letters that cannot be
seen. The judge reads folded text; `Folded.origin` leads each place back to the text that was given.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

_ASCII = bytes(range(128))
_FEW = 16  # strange letters that are replaced one by one
GONE = "\x00"  # stands for a letter that cannot be seen; taken out before words are read
_SINGLE = {
    "æ": "a", "ø": "o", "ð": "d", "þ": "t", "ß": "s", "đ": "d", "ł": "l", "ı": "i", "œ": "o", "ħ": "h", "ŋ": "n",
    "ς": "σ", "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "\u00a0": " ", "\u202f": " ", "\r": " ", "\t": " ",
    "µ": "u", "ƒ": "f", "•": "·",
}  # fmt: skip


def _fold_letter(letter: str) -> str:
    """Return the one character that stands for ``letter``."""
    lower = letter.lower()[:1] or letter
    single = _SINGLE.get(lower)
    if single is not None:
        return single
    if unicodedata.category(letter) in ("Mn", "Me", "Cf") or letter == GONE:
        return GONE
    plain = unicodedata.normalize("NFKD", lower)[:1].lower()[:1] or lower
    return _SINGLE.get(plain, plain)


class _Table(dict[int, str]):
    """A translation table that learns each character once."""

    def __missing__(self, code: int) -> str:
        value = self[code] = _fold_letter(chr(code))
        return value


_TABLE = _Table()


def _page(encoding: str) -> bytes:
    """Return a translation of a whole code page at once, which is much quicker than letter by letter."""
    letters = [bytes([code]).decode(encoding, "replace") for code in range(256)]
    return bytes(ord(_fold_letter(letter)) if ord(_fold_letter(letter)) < 256 else 32 for letter in letters)


_PAGES = tuple((encoding, _page(encoding)) for encoding in ("latin-1", "cp1252"))


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded ``text``; ``cuts`` are the places (in the given text) of the letters that were taken out."""

    text: str
    cuts: tuple[int, ...] = ()

    def origin(self, place: int) -> int:
        """Return where the folded ``place`` stands in the given text."""
        if not self.cuts:
            return place
        # ``shifted[i] = cuts[i] - i`` never falls, so the letters taken out before a place can be searched for.
        return place + bisect_right(range(len(self.cuts)), place, key=lambda index: self.cuts[index] - index)


def _by_page(text: str) -> str | None:
    """Fold a text that a common code page holds whole, or return None."""
    for encoding, table in _PAGES:
        try:
            return text.encode(encoding).translate(table).decode("latin-1")
        except UnicodeEncodeError:
            continue
    return None


def strange_letters(text: str) -> str:
    """Return the letters of a text that are not ASCII, in order."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _fold_ascii(text: str) -> str:
    """Fold the letters that are ASCII."""
    return text.lower().replace("\r", " ").replace("\t", " ").replace("`", "'")


def _by_letter(text: str) -> str:
    """Fold a text of any letters. A few that are strange are replaced one by one, in a third of the time."""
    strange = set(strange_letters(text))
    if len(strange) > _FEW:
        return text.translate(_TABLE)
    for letter in strange:
        text = text.replace(letter, _TABLE[ord(letter)])
    return _fold_ascii(text)


def fold(text: str) -> Folded:
    """Fold a text in time linear to its length."""
    if text.isascii() and GONE not in text:
        return Folded(_fold_ascii(text))
    folded = _by_page(text)
    if folded is None:
        folded = _by_letter(text)
    if GONE not in folded:
        return Folded(folded)
    cuts = tuple(place for place, letter in enumerate(folded) if letter == GONE)
    return Folded(folded.replace(GONE, ""), cuts)
