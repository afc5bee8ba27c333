"""What every verb of the desk needs: the database, the settings, the installation's secret, and who acts."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from inboxbot.config.model import CompanySettings, MailboxSettings, Settings
from inboxbot.errors import UsageError
from inboxbot.store.engine import Store


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and through which door: ``terminal``, ``web``, ``drafts`` or ``daemon``."""

    name: str
    door: str


DAEMON = Actor("inboxbot", "daemon")


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one installation."""

    store: Store
    settings: Settings
    secret: bytes

    def salted(self, digest: str) -> str:
        """Return a keyed digest of a digest, fit for history rows: nobody outside can match it to a guessed text."""
        return hmac.new(self.secret, f"inboxbot history {digest}".encode(), hashlib.sha256).hexdigest()[:32]

    def find_mailbox(self, address: str) -> tuple[CompanySettings, MailboxSettings] | None:
        """Return the company and settings of a mailbox, or None when it is not configured any more."""
        return next((pair for pair in self.settings.mailboxes() if pair[1].address == address), None)

    def of_mailbox(self, address: str) -> tuple[CompanySettings, MailboxSettings]:
        """Return the company and settings of a mailbox. Raises UsageError when it is not configured any more."""
        found = self.find_mailbox(address)
        if found is None:
            raise UsageError(f"the mailbox {address} is not in the settings", cure="put it back into the settings")
        return found
