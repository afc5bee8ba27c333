"""Transfer encodings undone: base64 and quoted-printable with junk in them, and format=flowed."""

from __future__ import annotations

import binascii

from inboxbot.reading.encoded_words import decode_base64
from inboxbot.reading.values import RawPart


def decode_body(part: RawPart) -> bytes:
    """Return the decoded bytes of a part's body; never raises. An unknown encoding is taken as none."""
    body = part.body or b""
    if part.encoding == "base64":
        return decode_base64(body)
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    return body


def unflow(text: str, *, delsp: bool) -> str:
    """Join the soft lines of format=flowed text (RFC 3676), within one depth of quoting; newline is the line end."""
    pieces: list[str] = []
    depth_before = -1
    soft = False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        if not (soft and depth == depth_before and words != "-- "):
            pieces.append("\n" + ("> " * depth) if pieces else "> " * depth)
        soft = words.endswith(" ") and words != "-- "
        pieces.append(words[:-1] if soft and delsp else words)
        depth_before = depth
    return "".join(pieces)
