"""The text of a mail out of its parts: plain or HTML, flowed or not, and what an attached message says.

Both forms of an alternative are read: what differs between them is kept and told (promises.md C36, C55).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from inboxbot.reading import bounds
from inboxbot.reading.addresses import read_sender
from inboxbot.reading.charsets import clean_text, decode_text
from inboxbot.reading.headers import every, first, read_part_fields
from inboxbot.reading.html_text import Shown, html_to_text
from inboxbot.reading.transfer import decode_body, unflow
from inboxbot.reading.values import RawPart, UnreadableError

_WORD: Final = re.compile(r"[^\W\d_]{3,40}")
_LINK: Final = re.compile(r"<?\b(?:https?://|www\.|mailto:|cid:)\S+", re.IGNORECASE)
_STUB: Final = re.compile(
    r"\b(?:html|browser|webbläsare|e-?post ?program|mail ?program|mail client)\w{0,4}\b", re.IGNORECASE
)
_MOST_FORWARDS: Final = 3
_PREVIEW_WORDS: Final = 40
_READ_ALOUD: Final = ("text/plain", "text/html")


@dataclass
class Body:
    """The text that was chosen, with the flags that its making earned."""

    text: str = ""
    flags: set[str] = field(default_factory=set)


def read_body(parts: Sequence[RawPart]) -> Body:
    """Choose and decode a mail's text. Raises UnreadableError ``html_too_complex`` when there is only such HTML."""
    body = Body()
    own = [part for part in parts if is_text(part) and not _holder(part)]
    pieces = [_group_text(group, body.flags) for group in _alternatives(own)]
    if not any(name.startswith("report@") for part in parts for name in part.container):
        pieces.extend(_forwards(parts, body.flags))
    text = "\n\n".join(piece.strip("\n") for piece in pieces if piece.strip())
    if len(text) > bounds.TEXT_CHARACTERS:
        text = text[: bounds.TEXT_CHARACTERS]
        body.flags.add("cut")
    if any(part.cut for part in parts if part.body is not None and part.content_type in _READ_ALOUD):
        body.flags.add("cut")
    body.text = text
    if not text.strip():
        body.flags.add("no_text")
    return body


def is_text(part: RawPart) -> bool:
    """Whether a part is read as words of the mail and not listed as an attachment."""
    if part.content_type not in _READ_ALOUD or part.body is None:
        return False
    return part.disposition != "attachment" and not (part.name and part.content_type == "text/html")


def is_page(part: RawPart) -> bool:
    """Whether a part is HTML that the mail itself says, not a message attached to it."""
    return part.content_type == "text/html" and is_text(part) and _holder(part) is None


def _holder(part: RawPart) -> str | None:
    """Return the number of the outermost attached message that holds the part, or None."""
    return next((name.partition("@")[2] for name in part.container if name.startswith("rfc822@")), None)


def _alternatives(parts: Iterable[RawPart]) -> list[list[RawPart]]:
    """Group parts that are alternatives of one another; each other part is a group of its own, in order."""
    groups: dict[str, list[RawPart]] = {}
    for part in parts:
        choice = next((name for name in reversed(part.container) if name.startswith("alternative@")), None)
        groups.setdefault(choice or f"alone@{part.number}", []).append(part)
    return list(groups.values())


def _group_text(parts: list[RawPart], flags: set[str]) -> str:
    plain = "\n".join(_plain(part) for part in parts if part.content_type == "text/plain")
    pages = [part for part in parts if part.content_type == "text/html"]
    if not pages:
        return plain
    try:
        page = "\n".join(_page(part, flags) for part in pages)
    except UnreadableError:
        if not plain.strip():
            raise
        flags.add("html_fallback")
        return plain
    if not any(part.content_type == "text/plain" for part in parts):
        flags.add("html_only")
    if not plain.strip() or not page.strip():
        return plain if plain.strip() else page
    return _either(plain, page, flags)


def _either(plain: str, page: str, flags: set[str]) -> str:
    """Return the form that says all that the other does; both, with a flag, when each says what the other does not."""
    if plain.split() == page.split():
        return plain
    said, shown = _words_of(plain), _words_of(page)
    if not _says_more(said, shown) and not _says_more(shown, said):
        return plain
    if len(shown - said) < 3:
        return plain
    if len(said - shown) < 3:
        return page
    if len(said) < 30 and _STUB.search(plain) and len(shown) > len(said):
        return page
    flags.add("parts_differ")
    return f"{plain.rstrip()}\n\n{page}"


def _says_more(one: set[str], other: set[str]) -> bool:
    extra = len(one - other)
    return extra >= 3 and extra * 3 > len(one)


def _plain(part: RawPart) -> str:
    text = clean_text(decode_text(decode_body(part), part.charset)[: bounds.TEXT_CHARACTERS])
    return unflow(text, delsp=part.delsp) if part.flowed else text


def _page(part: RawPart, flags: set[str]) -> str:
    source = decode_text(decode_body(part)[: bounds.HTML_BYTES], part.charset)
    shown = html_to_text(source)
    if shown.crude:
        flags.add("html_fallback")
    if _hides_words(shown):
        flags.add("hidden_text")
    return shown.text


def _hides_words(shown: Shown) -> bool:
    """Whether words are hidden that are not to be seen elsewhere; the preview line of a longer page is none."""
    visible = _words_of(shown.text)
    preview = _words_of(shown.ahead)
    if len(preview) > _PREVIEW_WORDS or len(preview) * 2 > len(visible):
        preview = set()
    return len(_words_of(shown.hidden) - visible - preview) >= 3


def _words_of(text: str) -> set[str]:
    return set(_WORD.findall(_LINK.sub(" ", text).casefold()))


def _forwards(parts: Sequence[RawPart], flags: set[str]) -> list[str]:
    """Return the texts of attached messages, each under a line that names it as a forward and its sender."""
    holders = [part for part in parts if part.content_type == "message/rfc822" and not _holder(part)]
    texts: list[str] = []
    for holder in holders[:_MOST_FORWARDS]:
        inner = [part for part in parts if is_text(part) and _holder(part) == holder.number]
        if not inner and holder.body is None:
            continue
        flags.add("forwarded")
        words = "\n\n".join(_group_text(group, flags).strip("\n") for group in _alternatives(inner))
        texts.append(f"---------- Forwarded message ----------\n{_inner_heading(holder.body or b'')}\n\n{words}")
    return texts


def _inner_heading(block: bytes) -> str:
    fields = read_part_fields(block)
    sender, _ = read_sender(every(fields, "from"))
    lines = [f"From: {f'{sender.name} <{sender.address}>' if sender.name else sender.address}"] if sender else []
    for name, label in (("date", "Date"), ("subject", "Subject"), ("to", "To")):
        found = first(fields, name)
        if found is not None:
            lines.append(f"{label}: {found.text[: bounds.SUBJECT_CHARACTERS]}")
    return "\n".join(lines)
