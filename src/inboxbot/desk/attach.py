"""Files that go with a letter: checked, optionally locked into an encrypted archive, part of what is approved."""

from __future__ import annotations

import datetime as dt
import mimetypes
from collections.abc import Sequence
from pathlib import Path

from inboxbot.cases.transitions import CaseEvent, DraftEvent
from inboxbot.cases.values import DraftState
from inboxbot.desk.archive import locked_archive
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.followup import UNAPPROVED
from inboxbot.desk.record import record, record_draft
from inboxbot.errors import RefusedError, UsageError
from inboxbot.replies.compose import OutAttachment
from inboxbot.store.cases import load_case
from inboxbot.store.checklists import drop_attachments, load_attachments, save_attachment
from inboxbot.store.drafts import load_draft, void_approvals

MAX_BYTES = 20 * 1024 * 1024
_TYPES = frozenset({".csv", ".json", ".pdf", ".txt", ".xml", ".zip", ".xlsx", ".png", ".jpg", ".jpeg"})


def attach(
    desk: Desk,
    draft_id: int,
    files: Sequence[Path],
    *,
    actor: Actor,
    now: dt.datetime,
    passphrase: str | None = None,
    replace: bool = False,
) -> list[str]:
    """Add files to a letter that has not left, and return the names of all its files; an approval is void.

    With ``passphrase`` they go as one AES-256 encrypted archive, and the passphrase has to go another way. ``replace``
    takes the files off that were there. Raises UsageError for a file that cannot be sent.
    """
    read = [_read(file) for file in files]
    if passphrase is not None and read:
        read = [locked_archive(read, passphrase)]
    with desk.store.write() as connection:
        draft = load_draft(connection, draft_id)
        if draft.state not in (DraftState.PROPOSED, DraftState.APPROVED):
            raise RefusedError(f"the letter is {draft.state.value}", where=f"draft {draft_id}")
        if replace:
            drop_attachments(connection, draft_id)
        for file in read:
            save_attachment(connection, draft_id, file, now=now)
        kept = load_attachments(connection, draft_id)
        if sum(len(one.data) for one in kept) > MAX_BYTES:
            raise UsageError(
                f"the files are larger than {MAX_BYTES // 1024 // 1024} MiB together", where=f"draft {draft_id}"
            )
        void_approvals(connection, draft_id, at=now)
        record_draft(connection, draft, DraftEvent.ATTACHED, values=UNAPPROVED)
        case = load_case(connection, draft.case_id)
        detail = {"draft": draft_id, "files": len(kept), "encrypted": int(passphrase is not None)}
        record(connection, case, CaseEvent.DRAFT_ATTACHED, actor=actor, at=now, detail=detail)
        return [one.name for one in kept]


def _read(file: Path) -> OutAttachment:
    if not file.is_file():
        raise UsageError("there is no such file", where=str(file))
    if file.suffix.lower() not in _TYPES:
        raise UsageError("files of this type are not sent", where=str(file), cure=f"send {', '.join(sorted(_TYPES))}")
    size = file.stat().st_size
    if not 0 < size <= MAX_BYTES:
        raise UsageError(
            "the file is empty or too large", where=str(file), cure=f"at most {MAX_BYTES // 1024 // 1024} MiB"
        )
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return OutAttachment(file.name, kind, file.read_bytes())
