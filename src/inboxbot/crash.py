"""Named places where a test may kill the process: at each commit and each effect outside.

Nothing happens unless ``INBOXBOT_CRASH_AT`` names a point, ``name`` or ``name:3`` for the third time it is reached;
then the process ends as if killed, or gets the signal whose number ``INBOXBOT_CRASH_SIGNAL`` is and goes on.
``INBOXBOT_CRASH_LOG`` names a file that gets a line for each point reached. ``INBOXBOT_CRASH_MARK`` names one that
holds the point each thread passed last: killed from outside, it tells where that was (`passed_last`).
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Final

POINTS: Final = {
    "intake_begun": "what is new is known, nothing is fetched",
    "intake_fetched": "mails are read and judged, nothing is written",
    "intake_in_transaction": "everything of a batch is written, not committed",
    "intake_committed": "a batch is committed, the folder's mark is not moved",
    "folder_mark_committed": "the folder's mark is moved",
    "approve_in_transaction": "an approval is written, not committed",
    "approve_committed": "an approval is committed",
    "send_begun": "a try is recorded, nothing was said to the server",
    "send_claimed": "the letter is in transmission, no byte of its text went out",
    "send_text_out": "the whole text went out, nobody wrote down that the dot comes next",
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
    "expired_moved": "expired mails lie in the folder for them, nothing is written",
    "expired_noted": "it is written that they lie in their old folder no more",
    "alarm_in_transaction": "what a clock says is written with its history, not committed",
    "alarm_raised": "what a clock says is committed, nobody is told",
    "webhook_taken": "a webhook took an event, nothing is written",
    "alarm_mail_made": "a mail to staff is committed, nothing was said to the server",
    "alarm_mail_claimed": "a mail to staff is in transmission, no byte of its text went out",
    "alarm_mail_before_dot": "its whole text went out, the final dot did not",
    "alarm_mail_taken": "the server took a mail to staff, nothing is written",
    "audit_kept": "the result of an audit is committed, nobody is told",
    "upgrade_in_transaction": "a migration ran, not committed",
    "backup_copied": "a backup is whole, it has no name yet",
    "backup_named": "the backup has its name, the name it was written under is still there",
    "restore_prepared": "the backup is read and made ready, nothing is replaced",
    "restore_marked": "the mark beside the database is ahead, the database still the old one",
    "restore_in_transaction": "everything on the server is replaced, not committed",
    "restore_replaced": "the restored database is in place",
}
_SLOT: Final = 32
_reached: Counter[str] = Counter()
_slots: dict[int, int] = {}
_marks: dict[str, int] = {}
_marking = threading.Lock()


def crash_here(point: str) -> None:
    """Mark a point, and end the process here when a test asks for it. Raises KeyError for a name not in `POINTS`."""
    POINTS[point]
    log = os.environ.get("INBOXBOT_CRASH_LOG")
    if log:
        with open(log, "a", encoding="utf-8") as out:  # noqa: PTH123  (one short line, appended whole)
            out.write(f"{point}\n")
    mark = os.environ.get("INBOXBOT_CRASH_MARK")
    if mark:
        _mark(mark, point)
    wanted = os.environ.get("INBOXBOT_CRASH_AT")
    if not wanted:
        return
    name, _, turn = wanted.partition(":")
    if name == point:
        _reached[point] += 1
        if _reached[point] == int(turn or 1):
            number = os.environ.get("INBOXBOT_CRASH_SIGNAL")
            if not number:
                os._exit(137)
            os.kill(os.getpid(), int(number))


def passed_last(mark: Path) -> list[str]:
    """Return the point that each thread of the process that wrote ``mark`` passed last; nothing when it passed none."""
    data = mark.read_bytes() if mark.exists() else b""
    names = (data[place : place + _SLOT].strip(b"\0 ").decode() for place in range(0, len(data), _SLOT))
    return [name for name in names if name]


def _mark(file: str, point: str) -> None:
    """Write a point into this thread's place of the file: one small write, which a kill cannot cut."""
    with _marking:
        handle = _marks.get(file)
        if handle is None:
            handle = _marks[file] = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        slot = _slots.setdefault(threading.get_ident(), len(_slots))
    os.pwrite(handle, point.encode().ljust(_SLOT), slot * _SLOT)
