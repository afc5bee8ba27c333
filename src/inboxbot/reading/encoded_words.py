"""RFC 2047 encoded words in headers, with caps (`email.header.decode_header` is quadratic on them)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from inboxbot.reading import bounds
from inboxbot.reading.charsets import clean_line, decode_text

_WORD: Final = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z0-9-]{1,20})?\?([bBqQ])\?([^?\r\n]{0,2000})\?=")
_BLANK: Final = re.compile(r"[ \t\r\n]*\Z")


def decode_words(text: str) -> str:
    """Decode the encoded words of an unfolded header value; the result is one clean line.

    Neighbouring words of one charset are joined as bytes first, because some mailers split a character over two.
    After `bounds.ENCODED_WORDS` words the rest stays as it is written.
    """
    pieces: list[str] = []
    run = bytearray()
    charset = ""
    end = 0
    for count, found in enumerate(_WORD.finditer(text)):
        if count >= bounds.ENCODED_WORDS:
            break
        between = text[end : found.start()]
        adjacent = count > 0 and _BLANK.match(between) is not None
        name = found[1].lower()
        if not adjacent or name != charset:
            pieces.append(decode_text(bytes(run), charset) if run else "")
            run.clear()
            if not adjacent:
                pieces.append(between)
        charset = name
        run += _payload(found[2], found[3])
        end = found.end()
    pieces.append(decode_text(bytes(run), charset) if run else "")
    pieces.append(text[end:])
    return clean_line("".join(pieces))


def _payload(encoding: str, body: str) -> bytes:
    raw = body.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b" "), header=False)
    return decode_base64(raw)


def decode_base64(data: bytes) -> bytes:
    """Decode base64 that may hold junk, line ends or a broken end; never raises."""
    clean = data.translate(None, _NOT_BASE64).split(b"=", 1)[0] if b"=" in data else data.translate(None, _NOT_BASE64)
    clean = clean[: len(clean) - (1 if len(clean) % 4 == 1 else 0)]
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        return b""


_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_NOT_BASE64: Final = bytes(byte for byte in range(256) if byte not in _BASE64)
