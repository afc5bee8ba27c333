"""How long to stay away from a mail server after a fault: longer each time, and never so soon as to lock an account."""

from __future__ import annotations

from typing import Final

from inboxbot.errors import MailboxError
from inboxbot.mailbox.faults import UnavailableError

FIRST_S: Final = 2.0
MOST_S: Final = 300.0
REFUSED_S: Final = 900.0  # a refused sign-in is not hammered: it may lock the account (promises.md F22)
JITTER: Final = 0.25


class Patience:
    """The pauses of one mailbox. They grow while faults follow one another and begin anew after a good while."""

    def __init__(self) -> None:
        self._next = FIRST_S

    def pause(self, error: Exception, *, worked_s: float, random: float) -> float:
        """Return the seconds to wait after ``error``, which came ``worked_s`` seconds after the last try began.

        ``random`` (0…1) spreads them upwards, so that many mailboxes of one server do not come back at once. What the
        server or a refused sign-in asks for is never undercut.
        """
        if worked_s > MOST_S:
            self._next = FIRST_S
        wait, self._next = self._next, min(self._next * 2, MOST_S)
        if isinstance(error, UnavailableError):
            wait = max(wait, error.pause_s)
        elif isinstance(error, MailboxError) and not error.retry:
            wait = REFUSED_S
        return wait * (1 + JITTER * random)
