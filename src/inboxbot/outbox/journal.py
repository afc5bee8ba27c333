"""A side journal for the one moment the database cannot cover: accepted by the server, not yet committed.

A line is written and fsynced after the server's 250 and before the commit. At the next start it tells that a letter
found in transmission was accepted. Lines hold a draft id, its digest and the server's queue text.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from inboxbot.store.beside import append_lines
from inboxbot.store.engine import Store


class Journal:
    """The file beside the database; a missing file is an empty journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, draft_id: int, digest: str, server_text: str) -> None:
        """Write that the server accepted a letter; durable when this returns."""
        append_lines(self.path, [json.dumps({"draft": draft_id, "digest": digest, "text": server_text})])

    def accepted(self) -> dict[tuple[int, str], str]:
        """Return the server's text by (draft id, digest); a half-written last line is passed over."""
        return accepted_in(self.path.read_text(encoding="utf-8", errors="replace")) if self.path.exists() else {}

    def clear(self) -> None:
        """Forget everything; called when the database holds it. The file stays, so that its folder is synced once."""
        if self.path.exists():
            os.truncate(self.path, 0)


def accepted_in(words: str) -> dict[tuple[int, str], str]:
    """Return what the words of a journal say, as `Journal.accepted` does."""
    found: dict[tuple[int, str], str] = {}
    for line in words.splitlines():
        try:
            entry = json.loads(line)
            found[int(entry["draft"]), str(entry["digest"])] = str(entry["text"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


def journal_path(store: Store) -> Path:
    """Return where the journal of a database lies: beside an embedded one, else in the folder of the settings."""
    return store.beside(".sent") if store.path is not None else store.folder / "inboxbot.sent"
