"""A side journal for the one moment the database cannot cover: accepted by the server, not yet committed.

A line is written and fsynced after the server's 250 and before the commit. At the next start it tells that a letter
found in transmission was accepted. Lines hold a draft id, its digest and the server's queue text.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from inboxbot.store.engine import Store


class Journal:
    """The file beside the database; a missing file is an empty journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, draft_id: int, digest: str, server_text: str) -> None:
        """Write that the server accepted a letter; durable when this returns."""
        line = json.dumps({"draft": draft_id, "digest": digest, "text": server_text}) + "\n"
        made = not self.path.exists()
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        if made:
            _sync_folder(self.path.parent)

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


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable: without this a loss of power may forget it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
