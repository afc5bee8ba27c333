"""How `model.json` holds what is long: names a line each, weights lane by lane, deflated and in base64.

Weights of one lane resemble each other more than those of one feature, so lane by lane they take a tenth less.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence


def pack(data: bytes) -> str:
    """Return bytes as the text that the model holds."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpack(text: str) -> bytes:
    """Read what `pack` returned; `ValueError` or `zlib.error` when it is damaged."""
    return zlib.decompress(base64.b64decode(text, validate=True))


def pack_names(names: Sequence[str]) -> str:
    """Return names (none of them with a line end) as the text that the model holds."""
    return pack("\n".join(names).encode())


def unpack_names(text: str) -> tuple[str, ...]:
    """Read what `pack_names` returned."""
    names = unpack(text).decode()
    return tuple(names.split("\n")) if names else ()


def pack_lanes(rows: bytes, size: int) -> str:
    """Return rows of ``size`` bytes, one behind the other, as the text that the model holds."""
    return pack(b"".join(rows[lane::size] for lane in range(size)))


def unpack_lanes(text: str, size: int) -> bytes:
    """Read what `pack_lanes` returned."""
    lanes = unpack(text)
    count = len(lanes) // size
    rows = bytearray(len(lanes))
    for lane in range(size):
        rows[lane::size] = lanes[lane * count : (lane + 1) * count]
    return bytes(rows)
