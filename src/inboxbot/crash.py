"""Named places where a test may kill the process: at each commit and each effect outside.

Nothing happens unless ``INBOXBOT_CRASH_AT`` names a point, ``name`` or ``name:3`` for the third time it is reached;
then the process ends as if killed. ``INBOXBOT_CRASH_LOG`` names a file that gets a line for each point reached, so that
a chaos test can count how many of its kills fell where.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Final

POINTS: Final = {
    "intake_fetched": "mails are read and judged, nothing is written",
    "intake_in_transaction": "everything of a batch is written, not committed",
    "intake_committed": "a batch is committed, the folder's mark is not moved",
    "folder_mark_committed": "the folder's mark is moved",
    "approve_in_transaction": "an approval is written, not committed",
    "approve_committed": "an approval is committed",
    "send_begun": "a try is recorded, nothing was said to the server",
    "send_claimed": "the letter is in transmission, no byte of its text went out",
    "send_before_dot": "the whole text went out, the final dot did not",
    "send_after_dot": "the final dot went out, its answer is not read",
    "send_accepted": "the server took the letter, nothing is written",
    "send_journaled": "the side journal has it, the database does not",
    "send_committed": "the letter is sent and committed",
    "copy_appended": "the copy lies in the sent folder, nothing is written",
    "copy_committed": "the copy is noted",
    "notice_in_transaction": "an answer of staff is written, not committed",
    "draft_appended": "a letter lies in the drafts folder, nothing is written",
    "draft_placed": "a placed letter is committed, the folder's mark is not moved",
    "draft_removed": "our own stale draft is gone from the drafts folder, nothing is written",
    "upgrade_in_transaction": "a migration ran, not committed",
}
_reached: Counter[str] = Counter()


def crash_here(point: str) -> None:
    """Mark a point, and end the process here when a test asks for it. Raises KeyError for a name not in `POINTS`."""
    POINTS[point]
    log = os.environ.get("INBOXBOT_CRASH_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as out:  # noqa: PTH123  (one short line, appended whole)
            out.write(f"{point}\n")
    wanted = os.environ.get("INBOXBOT_CRASH_AT")
    if not wanted:
        return
    name, _, turn = wanted.partition(":")
    if name == point:
        _reached[point] += 1
        if _reached[point] == int(turn or 1):
            os._exit(137)
