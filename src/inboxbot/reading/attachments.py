"""Names of attachments, cleaned so that no screen, folder or header can be fooled by them (promises.md C45)."""

from __future__ import annotations

import re
from typing import Final

from inboxbot.reading import bounds
from inboxbot.reading.charsets import MARK, clean_line

# Path separators, wildcards and quotes; characters that turn or hide text.
_UNSAFE: Final = re.compile('[/\\\\:*?"<>|\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_SHORT: Final = re.compile(r"[a-z0-9]{2,5}")


def clean_name(name: str | None, content_type: str) -> str:
    """Return a name that is safe to show and to save under; never empty, at most 255 bytes of UTF-8."""
    shown = clean_line((name or "")[:4096]).replace(MARK, "_")
    shown = _UNSAFE.sub("_", shown).strip(" .")
    if not shown.strip("_. "):
        shown = f"unnamed.{_ending(content_type)}"
    if _RESERVED.fullmatch(shown):
        shown = f"_{shown}"
    return _cut(shown)


def _cut(name: str) -> str:
    if len(name.encode()) <= bounds.ATTACHMENT_NAME_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = f".{ending}" if dot and len(ending.encode()) <= 16 else ""
    room = bounds.ATTACHMENT_NAME_BYTES - len(tail.encode())
    return (stem if tail else name).encode()[:room].decode("utf-8", "ignore") + tail


def _ending(content_type: str) -> str:
    known = {"text/plain": "txt", "message/rfc822": "eml", "text/calendar": "ics", "image/jpeg": "jpg"}
    subtype = content_type.rpartition("/")[2]
    return known.get(content_type) or (subtype if _SHORT.fullmatch(subtype) else "bin")
