"""Trying the servers of one mailbox: sign-in, folders, and whether letters could be sent. Nothing is taken or sent."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
from typing import Final

from inboxbot.config.addresses import is_loopback
from inboxbot.config.load import server_password, smtp_sign_in
from inboxbot.config.model import FolderSettings, MailboxSettings
from inboxbot.daemon.expired import unfit
from inboxbot.daemon.findings import Finding, Level
from inboxbot.errors import MailboxError
from inboxbot.mailbox.faults import MissingFolderError, server_text
from inboxbot.mailbox.folders import Folders
from inboxbot.mailbox.server import Server
from inboxbot.outbox import smtp

ANSWER_S: Final = 20.0
_USES: Final = ("inbox", "junk", "sent", "drafts", "approved")
_WITHOUT: Final = {
    "junk": "requests that end up in the spam folder are not seen",
    "sent": "answers that staff send from their own mail program are not noticed, and no copy is filed",
    "drafts": "letters cannot be shown in the drafts folder",
}


def check_imap(mailbox: MailboxSettings, key: str) -> list[Finding]:
    """Sign in, find the folders and open them; ``key`` is the mailbox's place in the settings."""
    where = f"{mailbox.address} at {mailbox.imap.host}:{mailbox.imap.port}"
    try:
        with _server(mailbox, key, mailbox.folders) as server:
            found = [Finding("imap", where, Level.OK, f"signed in as {mailbox.imap.username} ({_safety(mailbox)})")]
            if "IDLE" not in server.capabilities:
                what = "the server does not push new mail (no IDLE), so it is asked every 20 s"
                found.append(Finding("imap", where, Level.WARNING, what, "nothing to do; drafts come a little later"))
            try:
                folders = server.folders()
                return found + _opened(server, folders, where, key) + _expired(server, mailbox, folders, where, key)
            except MissingFolderError:
                pass
        return found + _missing_folders(mailbox, key, where)
    except MailboxError as error:
        return [Finding("imap", f"{mailbox.address} at {error.where}", Level.ERROR, error.what, error.cure)]


def _server(mailbox: MailboxSettings, key: str, folders: FolderSettings) -> Server:
    settings = mailbox.imap.model_copy(update={"timeout_s": min(mailbox.imap.timeout_s, ANSWER_S)})
    return Server(settings, password=server_password(mailbox.imap), folders=folders, key=f"{key}.imap")


def _safety(mailbox: MailboxSettings) -> str:
    return "not encrypted, on loopback" if mailbox.imap.security == "none" else "encrypted"


def _opened(server: Server, folders: Folders, where: str, key: str) -> list[Finding]:
    found = []
    for use in _USES:
        name: str | None = getattr(folders, use)
        if name is None and use == "approved":
            continue  # there is none unless one is named
        if name is None:
            cure = f"name it in {key}.folders.{use} if there is one"
            found.append(Finding("folder", where, Level.WARNING, f"no {use} folder was found: {_WITHOUT[use]}", cure))
            continue
        found += _open_one(server, use, name, where, key)
    return found


def _open_one(server: Server, use: str, name: str, where: str, key: str) -> list[Finding]:
    try:
        state = server.open(name)
    except MissingFolderError as error:
        return [Finding("folder", where, Level.ERROR, error.what, f"check {key}.folders.{use}")]
    what = f"{use}: {server_text(name)} ({state.exists} message{'s' * (state.exists != 1)})"
    return [Finding("folder", where, Level.OK, what)]


def _missing_folders(mailbox: MailboxSettings, key: str, where: str) -> list[Finding]:
    """Try each named folder alone, so that one that is missing hides no other; then open what is there."""
    found, there = [], {}
    for use in _USES:
        name: str | None = getattr(mailbox.folders, use)
        if name is None:
            continue
        with _server(mailbox, key, FolderSettings.model_validate({use: name})) as server:
            try:
                server.folders()
            except MissingFolderError as error:
                cure = error.cure.replace(f"folders.{use}", f"{key}.folders.{use}")
                found.append(Finding("folder", where, Level.ERROR, server_text(error.what), server_text(cure)))
            else:
                there[use] = name
    with _server(mailbox, key, FolderSettings.model_validate(there)) as server:
        folders = server.folders()
        opened = [one for one in _opened(server, folders, where, key) if one.level is not Level.WARNING]
        return found + opened + _expired(server, mailbox, folders, where, key)


def _expired(server: Server, mailbox: MailboxSettings, folders: Folders, where: str, key: str) -> list[Finding]:
    """Look whether expired mail could be moved as the settings want it."""
    name = mailbox.folders.expired
    if name is None:
        return []
    use = unfit(folders, name)
    if use:
        what = f"{server_text(name)} is the {use} folder; expired mail is not moved there"
        return [Finding("folder", where, Level.ERROR, what, f"name a folder of its own in {key}.folders.expired")]
    found = _open_one(server, "expired", name, where, key)
    if "MOVE" not in server.capabilities:
        what = "the server cannot move a message (no MOVE), so expired mail is only listed"
        found.append(Finding("folder", where, Level.WARNING, what, f"leave {key}.folders.expired out"))
    return found


def check_smtp(mailbox: MailboxSettings, key: str) -> list[Finding]:
    """Connect, make the connection safe and sign in as sending would; then say goodbye."""
    settings = mailbox.smtp
    where = f"{mailbox.address} at {settings.host}:{settings.port}"
    username, password = smtp_sign_in(mailbox)
    name = mailbox.address.partition("@")[2]
    connection: smtplib.SMTP | None = None
    try:
        connection = smtp._connect(settings, name, smtp.Limits(connect_s=ANSWER_S, command_s=ANSWER_S))
        offered = connection.has_extn("auth")
        smtp._sign_in(connection, settings, username, password)
    except (smtplib.SMTPException, OSError) as error:
        what, cure = _sending_fault(error, f"{key}.smtp", connected=connection is not None)
        return [Finding("smtp", where, Level.ERROR, what, cure)]
    finally:
        if connection is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()
    signed = offered and username is not None and password is not None
    how = f"would send, signed in as {username}" if signed else "would send without sign-in"
    return [Finding("smtp", where, Level.OK, f"{how} ({_smtp_safety(mailbox)})")]


def _smtp_safety(mailbox: MailboxSettings) -> str:
    return (
        "not encrypted, on loopback"
        if is_loopback(mailbox.smtp.host) and mailbox.smtp.security == "none"
        else "encrypted"
    )


def _sending_fault(error: Exception, key: str, *, connected: bool) -> tuple[str, str]:
    """Return what is wrong and its cure; ``connected`` says that the connection stood and the sign-in failed."""
    place, safety = f"check {key}.host and {key}.port", f"check {key}.port and {key}.security"
    account = f"check {key}.username and its password"
    authority = f"check {key}.host, or name the authority's file in {key}.ca_file"
    for kind, what, cure in (
        (ssl.SSLCertVerificationError, "the server's certificate was not accepted: {}", authority),
        (ssl.SSLError, "no encrypted connection came about: {}", safety),
        (smtplib.SMTPAuthenticationError, "sign-in was refused: {}", account),
        (smtplib.SMTPNotSupportedError, "{}", safety),
        (smtplib.SMTPException, "{}", account if connected else safety),
        (socket.gaierror, "the server's name is not known", place),
        (TimeoutError, "the server did not answer in time", place),
        (ConnectionRefusedError, "nothing listens there", place),
        (FileNotFoundError, "the authority's file is not there", f"check {key}.ca_file"),
    ):
        if isinstance(error, kind):
            return what.format(_words(error)), cure
    return f"no connection came about: {_words(error)}", place


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return server_text(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return server_text(error.reason or "handshake failed")
    return server_text(error.smtp_error if isinstance(error, smtplib.SMTPResponseException) else error)
