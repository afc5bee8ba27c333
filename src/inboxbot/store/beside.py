"""Files that lie beside the database: durable when a call returns, and the daemon can read what root wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a file, for its owner alone. Raises OSError.

    A last line that a loss of power cut off is ended first: else it would spoil the next one as well.
    """
    made = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "ab") as file:
        if made:
            own_like(handle, path.parent)
        size = os.fstat(handle).st_size
        is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        file.write(("\n" * is_cut + "".join(f"{line}\n" for line in lines)).encode())
        file.flush()
        os.fsync(handle)
    if made:
        sync_folder(path.parent)


def own_like(handle: int, other: Path) -> None:
    """Give a file that root writes to whoever owns what lies there: the daemon has to read it."""
    if os.geteuid() == 0:
        owner = other.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: without this a loss of power may forget a new file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
