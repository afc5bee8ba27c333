"""Filing a copy of what was sent, where the server does not do so itself. Best effort, never a part of sending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from inboxbot.config.model import MailboxSettings
from inboxbot.crash import crash_here
from inboxbot.desk.arrivals import Served
from inboxbot.desk.context import Desk
from inboxbot.desk.filing import Copy, filed, unfiled
from inboxbot.errors import MailboxError
from inboxbot.logs import get_logger
from inboxbot.mailbox.server import Server

log = get_logger()

# These services keep a copy of what is sent by their own SMTP server; a second one would be a double, or even sent.
_FILES_BY_ITSELF = ("gmail.com", "googlemail.com", "google.com", "office365.com", "outlook.com", "icloud.com", "me.com")


def file_copies(
    desk: Desk, served: Served, server: Server, folder: str | None, *, now: Callable[[], dt.datetime]
) -> int:
    """Put a copy of each sent letter that has none yet into the sent folder, and return how many.

    Call it after the sent folder was looked through: a copy that is there already (a crash came between) counts.
    """
    waiting = unfiled(desk, served)
    if not waiting:
        return 0
    if folder is None or not _wanted(served.mailbox):
        for copy in waiting:
            filed(desk, copy.draft_id, now=now())
        return 0
    done = 0
    for copy in waiting:
        done += _file(desk, server, folder, copy, now())
    return done


def _wanted(mailbox: MailboxSettings) -> bool:
    if mailbox.file_sent != "auto":
        return mailbox.file_sent == "always"
    host = mailbox.smtp.host.lower()
    return not any(host == name or host.endswith(f".{name}") for name in _FILES_BY_ITSELF)


def _file(desk: Desk, server: Server, folder: str, copy: Copy, now: dt.datetime) -> int:
    try:
        server.append(folder, copy.message, ["\\Seen"], copy.sent_at)
    except MailboxError as error:
        log.warning("copy_not_filed", draft=copy.draft_id, error=error)
        return 0
    crash_here("copy_appended")
    filed(desk, copy.draft_id, now=now)
    crash_here("copy_committed")
    return 1
