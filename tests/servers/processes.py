"""Whether a process of this machine still runs."""

from __future__ import annotations

import os
from pathlib import Path


def lives(number: int) -> bool:
    """Whether a process runs; one that ended and that nobody has waited for yet does not."""
    try:
        os.kill(number, 0)
        status = Path(f"/proc/{number}/stat")
        return not status.exists() or status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
