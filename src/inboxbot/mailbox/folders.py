"""Which folder holds inbox, junk, sent mail and drafts: as configured, by SPECIAL-USE, or by usual names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from inboxbot.config.model import FolderSettings
from inboxbot.mailbox.faults import MissingFolderError

_SPECIAL: Final = {"junk": "\\junk", "sent": "\\sent", "drafts": "\\drafts"}
# Last parts of folder names, in lower case: Swedish, English, Danish, Norwegian, Finnish, German, Dutch, French.
_USUAL: Final = {
    "junk": (
        "junk",
        "spam",
        "junk email",
        "junk e-mail",
        "bulk mail",
        "skräppost",
        "skräp",
        "uønsket e-post",
        "søppelpost",
        "uønsket mail",
        "roskaposti",
        "junk-e-mail",
        "spamverdacht",
        "ongewenste e-mail",
        "courrier indésirable",
    ),
    "sent": (
        "sent",
        "sent items",
        "sent mail",
        "sent messages",
        "skickat",
        "skickade",
        "skickade objekt",
        "skickat mail",
        "sendt",
        "sendt post",
        "sendte elementer",
        "lähetetyt",
        "gesendet",
        "gesendete objekte",
        "gesendete elemente",
        "verzonden",
        "verzonden items",
        "éléments envoyés",
        "envoyés",
    ),
    "drafts": ("drafts", "draft", "utkast", "kladder", "kladde", "luonnokset", "entwürfe", "concepten", "brouillons"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder as the server lists it; ``attributes`` in lower case."""

    name: str
    attributes: frozenset[str]
    delimiter: str | None


@dataclass(frozen=True, slots=True)
class Folders:
    """The special folders of a mailbox by their names on the server; None where there is none."""

    inbox: str
    junk: str | None
    sent: str | None
    drafts: str | None
    approved: str | None = None


def choose_folders(listed: Sequence[Listed], settings: FolderSettings, *, where: str) -> Folders:
    """Choose the folders. Raises MissingFolderError when one that the configuration names is not there."""
    usable = [item for item in listed if not item.attributes & {"\\noselect", "\\nonexistent"}]
    names = {_key(item.name): item.name for item in usable}
    found: dict[str, str | None] = {}
    for use in _SPECIAL:
        wished: str | None = getattr(settings, use)
        found[use] = _named(wished, use, names, where) if wished else _special(usable, use)
    inbox = settings.inbox if settings.inbox.upper() == "INBOX" else _named(settings.inbox, "inbox", names, where)
    approved = _named(settings.approved, "approved", names, where) if settings.approved else None
    return Folders(inbox=inbox, approved=approved, **found)


def _named(name: str, use: str, names: dict[str, str], where: str) -> str:
    there = names.get(_key(name))
    if there is None:
        raise MissingFolderError(
            f'there is no folder "{name}" in the mailbox',
            where=where,
            cure=f"set folders.{use} to one of: {', '.join(sorted(names.values())[:20])}",
            retry=False,
        )
    return there


def _key(name: str) -> str:
    """Only INBOX is the same in capitals and small letters."""
    return "INBOX" if name.upper() == "INBOX" else name


def _special(listed: Sequence[Listed], use: str) -> str | None:
    marked = [item.name for item in listed if _SPECIAL[use] in item.attributes]
    return _first(marked) or _first(item.name for item in listed if _leaf(item) in _USUAL[use])


def _first(names: Iterable[str]) -> str | None:
    """Of several the shortest, then the first by name: the same at every start."""
    return min(names, key=lambda name: (len(name), name), default=None)


def _leaf(item: Listed) -> str:
    name = item.name.rpartition(item.delimiter)[2] if item.delimiter else item.name
    return name.strip().lower()
