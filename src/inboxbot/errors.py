"""The errors a user can meet: what happened, where, and what to do about it.

Every room raises these (or its own subclass); the commands print them as three short pieces and never
show a traceback. Texts hold configuration keys, file names, hosts and mailbox names, never mail content.
"""

from __future__ import annotations


class InboxbotError(Exception):
    """Something a person can act on.

    ``what`` says what happened, ``where`` names the file, key, mailbox or server, ``cure`` says what to do.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        cure = f" ({self.cure})" if self.cure else ""
        return f"{place}{self.what}{cure}"


class UsageError(InboxbotError):
    """The command was called with values that cannot be right."""

    exit_code = 2


class ConfigError(InboxbotError):
    """One or more settings are wrong; ``faults`` holds all of them, each with its key."""

    exit_code = 2

    def __init__(self, faults: list[ConfigFault], *, where: str) -> None:
        super().__init__(f"{len(faults)} setting(s) are wrong", where=where, cure="mend them and try again")
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join([f"{self.where}: {self.what}:", *(f"  {fault}" for fault in self.faults)])


class ConfigFault:
    """One wrong setting: its dotted ``key``, ``what`` is wrong, and how to ``cure`` it."""

    __slots__ = ("cure", "key", "what")

    def __init__(self, key: str, what: str, cure: str = "") -> None:
        self.key = key
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.key}: {self.what}" + (f" ({self.cure})" if self.cure else "")


class MailboxError(InboxbotError):
    """A mailbox could not be served. ``retry`` is false when trying again soon is useless or harmful."""

    def __init__(self, what: str, *, where: str = "", cure: str = "", retry: bool = True) -> None:
        super().__init__(what, where=where, cure=cure)
        self.retry = retry


class StoreError(InboxbotError):
    """The database cannot be used as it is."""


class DamagedError(StoreError):
    """The file of the database is damaged: nothing more may be written to it."""


class RefusedError(InboxbotError):
    """A person asked for something that a rule forbids; ``what`` says which rule and why."""


class IllegalMoveError(RefusedError):
    """An event is not allowed in the present state of a case or a draft."""
