"""A mail program of staff, as it works on the shared mailbox: through IMAP, by writing anew and deleting."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage

from tests.servers.dovecot import Dovecot
from tests.servers.writing import fresh_id

DRAFTS, SENT = "Utkast", "Skickat"


@dataclass
class MailProgram:
    """Staff's mail program, signed in to the mailbox of ``user``."""

    dovecot: Dovecot
    user: str

    def uids(self, folder: str) -> list[int]:
        connection = self.dovecot.imap(self.user, _quoted(folder))
        try:
            _, data = connection.uid("SEARCH", "ALL")
            return [int(one) for one in (data[0] or b"").split()]
        finally:
            connection.logout()

    def uids_of_drafts(self) -> list[int]:
        return self.uids(DRAFTS)

    def mails(self, folder: str = DRAFTS) -> list[EmailMessage]:
        return [_parsed(one) for one in self.raw(folder)]

    def raw(self, folder: str = DRAFTS) -> list[bytes]:
        connection = self.dovecot.imap(self.user, _quoted(folder))
        try:
            _, data = connection.uid("FETCH", "1:*", "(BODY.PEEK[])")
            return [one[1] for one in data if isinstance(one, tuple)]
        finally:
            connection.logout()

    def flags(self, folder: str = DRAFTS) -> list[bytes]:
        return self.dovecot.state(self.user, _quoted(folder))[1]

    def delete(self, folder: str = DRAFTS) -> None:
        """Delete everything in a folder."""
        connection = self.dovecot.imap(self.user, _quoted(folder))
        try:
            connection.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
            connection.expunge()
        finally:
            connection.logout()

    def save(self, message: bytes, folder: str = DRAFTS, at: dt.datetime | None = None) -> None:
        self.dovecot.append(self.user, [message], folder=_quoted(folder), at=at)

    def edit(self, old: str, new: str) -> None:
        """Open the only draft, change words and save it: written anew, the old one deleted."""
        (message,) = self.raw()
        self.delete()
        self.save(_changed(message, lambda body: body.replace(old, new)))

    def send(
        self,
        *,
        new_id: bool = False,
        keeps_marks: bool = True,
        sender: str = "",
        to: str = "",
        change: tuple[str, str] = ("", ""),
        at: dt.datetime | None = None,
    ) -> None:
        """Send the only draft: the copy goes into the sent folder, the draft away."""
        (message,) = self.raw()

        def changed(body: str) -> str:
            return body.replace(*change) if change[0] else body

        mail = _changed(message, changed)
        if not keeps_marks:
            mail = re.sub(rb"(?im)^X-Inboxbot-Draft:.*\r\n", b"", mail)
        if new_id:
            mail = re.sub(
                rb"(?im)^Message-ID:.*\r\n", f"Message-ID: {fresh_id('mailer.example.se')}\r\n".encode(), mail
            )
        if sender:
            mail = f"Sender: {sender}\r\n".encode() + mail
        if to:
            mail = re.sub(rb"(?im)^To:.*\r\n", f"To: {to}\r\n".encode(), mail)
        self.save(mail, SENT, at)
        self.delete()

    def move(self, folder: str) -> None:
        """Move the only draft to another folder."""
        connection = self.dovecot.imap(self.user, DRAFTS)
        try:
            connection.create(_utf7(folder))
            connection.uid("COPY", "1:*", _utf7(folder))
            connection.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")
            connection.expunge()
        finally:
            connection.logout()

    def create(self, folder: str) -> None:
        connection = self.dovecot.imap(self.user)
        try:
            connection.create(_utf7(folder))
        finally:
            connection.logout()


def words(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _changed(message: bytes, change: object) -> bytes:
    assert callable(change)
    mail = _parsed(message)
    head = message.partition(b"\r\n\r\n")[0]
    kept = re.sub(rb"(?im)^(Content-Transfer-Encoding|Content-Type):.*(\r\n[ \t].*)*\r\n", b"", head + b"\r\n")
    body = change(words(mail)).replace("\n", "\r\n")
    return kept + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body.encode()


def _parsed(message: bytes) -> EmailMessage:
    mail = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def _utf7(folder: str) -> str:
    """Return a folder's name as IMAP spells it, quoted (RFC 3501 5.1.3); for the one name used here."""
    return '"' + folder.replace("ä", "&AOQ-") + '"'


def _quoted(folder: str) -> str:
    return _utf7(folder) if "/" in folder or " " in folder else folder
