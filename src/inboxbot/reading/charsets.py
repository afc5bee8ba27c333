"""Bytes to text: declared charset when it is one of the known ones, then UTF-8, then windows-1252.

No guessing by statistics: on ordinary Swedish it is wrong more often than this order (libraries.md 23). What comes out
holds no NUL, no lone surrogate and no control character but newline and tab, so both databases keep it alike (F82).
"""

from __future__ import annotations

import codecs
import re
from typing import Final

# Text charsets by the name Python knows them by. utf-7, idna, unicode_escape and their like turn harmless bytes into
# markup or raise what no decoder should (C42), so whatever is not listed is treated as undeclared.
_ALLOWED: Final = frozenset(
    {
        *(f"iso8859-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"cp125{number}" for number in range(9)),
        "ascii",
        "big5",
        "big5hkscs",
        "cp437",
        "cp850",
        "cp852",
        "cp865",
        "cp866",
        "cp874",
        "cp932",
        "cp949",
        "euc_jp",
        "euc_kr",
        "gb18030",
        "gb2312",
        "gbk",
        "hz",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_kr",
        "johab",
        "koi8-r",
        "koi8-u",
        "mac-roman",
        "shift_jis",
        "tis-620",
        "utf-16",
        "utf-16-be",
        "utf-16-le",
        "utf-8",
        "utf-8-sig",
    }
)
# Labels under which windows-1252 text travels.
_WESTERN: Final = frozenset({"iso8859-1", "cp1252"})
_UNSAID: Final = frozenset({"ascii", "utf-8", "utf-8-sig"})
# windows-1252 over latin-1; the five bytes it leaves undefined keep their code points, as in browsers.
_WINDOWS: Final = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_NEWLINE: Final = re.compile("\r{1,2}\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MOST_LINES: Final = 20_000  # what follows in one piece is decoded as one line
_DOUBLED: Final = re.compile("[\u00c2\u00c3][\u0080-\u00bf\u0152-\u0178\u2013-\u203a\u20ac\u2122]")
MARK: Final = "\ufffd"


def known_charset(name: str | None) -> str | None:
    """Return Python's name of a declared charset when text may be decoded by it, else None."""
    if not name or len(name) > 40 or not name.isascii() or not name.isprintable():
        return None
    try:
        found = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return found if found in _ALLOWED else None


def decode_text(data: bytes, declared: str | None = None) -> str:
    """Decode ``data``; never raises. Line ends are kept as they are (see `clean_text`)."""
    charset = known_charset(declared)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if charset is None or charset in _UNSAID:
        return _repaired(_by_line(data.removeprefix(b"\xef\xbb\xbf")))
    if charset in _WESTERN:
        return _repaired(_western(data))
    return data.decode(charset, "replace")


def _western(data: bytes) -> str:
    """Decode windows-1252, the undefined bytes too."""
    return data.decode("latin-1").translate(_WINDOWS)


def _by_line(data: bytes) -> str:
    """Decode as UTF-8, and line by line as windows-1252 where that fails: mixed mails are common in threads."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    lines = data.split(b"\n", _MOST_LINES)
    return "\n".join(_line(line) for line in lines)


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        # A line of good UTF-8 with one cut character is UTF-8 still.
        loose = line.decode("utf-8", "replace")
        marks = loose.count(MARK)
        good = len(loose) - len(loose.encode("ascii", "ignore")) - marks
        return loose if good > 2 * marks else _western(line)


def _repaired(text: str) -> str:
    """Undo UTF-8 that was taken for windows-1252 on the way, only where the whole text round-trips."""
    if not _DOUBLED.search(text):
        return text
    try:
        mended = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text
    return mended if mended.encode("utf-8").decode("cp1252", "replace") == text else text


def clean_text(text: str) -> str:
    """Normalise line ends to a newline and turn what must not be stored or shown into U+FFFD."""
    return _CONTROL.sub(MARK, _NEWLINE.sub("\n", text))


def clean_line(text: str) -> str:
    """Return ``text`` on one line: newlines and runs of blanks become one space."""
    return " ".join(clean_text(text).split())
