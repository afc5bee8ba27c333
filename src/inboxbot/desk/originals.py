"""Mails as they lie in the mailbox: their HTML and their files, fetched when somebody asks, and kept nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from inboxbot.cases.transitions import CaseEvent
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.record import record
from inboxbot.errors import RefusedError, UsageError
from inboxbot.reading.attachments import clean_name
from inboxbot.reading.html_shown import ShownPage
from inboxbot.store.cases import load_case
from inboxbot.store.ledger import Place, places_of
from inboxbot.store.mails import mails_of

MAX_ENCODED: Final = 36 * 1024 * 1024  # of a file as it travels; about 26 MB of its own


class GoneError(RefusedError):
    """The message does not lie in its mailbox any more."""


class TooLargeToFetchError(RefusedError):
    """A file is larger than what is brought through the desk."""


class Originals(Protocol):
    """The mailboxes, for reading single messages. What cannot be reached raises a MailboxError.

    Both raise GoneError when the message with that digest lies at none of the places.
    """

    def page(self, mailbox: str, at: Sequence[Place]) -> ShownPage | None:
        """Return a message's HTML as it may be shown, None when it has none; UnreadableError when it cannot be."""

    def file(self, mailbox: str, at: Sequence[Place], part: str, limit: int) -> bytes:
        """Return the decoded content of a part, of at most ``limit`` bytes as they travel."""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment of an incoming mail as it is listed: ``number`` counts from 1 within the mail, ``size`` encoded."""

    mail_id: int
    number: int
    part: str
    name: str
    content_type: str
    size: int


def files_of(mail: dict[str, Any]) -> list[File]:
    """Return the attachments of a mail; ``mail`` is a row of `mails`."""
    return [
        File(mail["id"], number, one["part"], clean_name(one["name"], one["type"]), one["type"], one["size"])
        for number, one in enumerate(mail["detail"].get("attachments", []), 1)
    ]


def files_of_case(connection: Connection, case_id: int) -> list[File]:
    """Return every attachment of a case's incoming mails, oldest mail first."""
    return [one for mail in mails_of(connection, case_id) for one in files_of(mail)]


def fetch_page(desk: Desk, originals: Originals, case_id: int, mail_id: int) -> ShownPage | None:
    """Return the HTML of one of a case's mails, None when it has none. Raises as `Originals.page`."""
    mailbox, _, places = _look_up(desk, case_id, mail_id)
    return originals.page(mailbox, places)


def fetch_file(
    desk: Desk, originals: Originals, case_id: int, mail_id: int, number: int, *, actor: Actor, now: dt.datetime
) -> tuple[File, bytes]:
    """Fetch an attachment and record who did. Raises as `Originals.file`, and TooLargeToFetchError."""
    mailbox, mail, places = _look_up(desk, case_id, mail_id)
    file = next((one for one in files_of(mail) if one.number == number), None)
    if file is None:
        raise UsageError("the mail has no such file")
    if file.size > MAX_ENCODED:
        raise TooLargeToFetchError("the file is too large to be fetched here", cure="open the mail in a mail program")
    content = originals.file(mailbox, places, file.part, MAX_ENCODED)
    detail = {"mail": mail_id, "part": file.part}
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        record(connection, case, CaseEvent.FILE_FETCHED, actor=actor, at=now, detail=detail)
    return file, content


def lies_in_mailbox(mail: dict[str, Any]) -> bool:
    """Return whether a mail came from a mailbox and retention left it as it was; what it emptied stays gone."""
    return mail["direction"] == "in" and mail["ledger_id"] is not None and bool(mail["header"])


def _look_up(desk: Desk, case_id: int, mail_id: int) -> tuple[str, dict[str, Any], list[Place]]:
    with desk.store.read() as connection:
        case = load_case(connection, case_id)
        mail = next((one for one in mails_of(connection, case_id) if one["id"] == mail_id), None)
        if mail is None or not lies_in_mailbox(mail):
            raise UsageError("the case has no such mail")
        places = places_of(connection, mail["ledger_id"])
    desk.of_mailbox(case.mailbox)
    return case.mailbox, mail, places
