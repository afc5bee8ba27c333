"""What can go wrong at a mailbox, told apart so that the daemon knows what to do and a person how to cure it.

Server texts are shortened and cleaned of control characters; they never hold mail content.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from typing import Final

from imapclient.exceptions import IMAPClientError

from inboxbot.errors import MailboxError

_CODE: Final = re.compile(r"\[([A-Z]+)[^\]]*\]")
# What follows is a line that was not understood: of a mail, when server and client are out of step.
_OUT_OF_STEP: Final = re.compile(r"(unexpected [a-z ]{0,20}response).*", re.DOTALL)
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\xa0-\u2fff]+")
# Response codes (RFC 5530) and words of providers that mean "not now", not "wrong password".
_LATER: Final = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "SERVERBUG", "THROTTLED", "CONTACTADMIN"})
_LATER_WORDS: Final = ("too many", "try again", "temporar", "not connected", "bandwidth", "rate limit", "exceeded")
_QUIET: Final = frozenset({"LIMIT", "OVERQUOTA", "THROTTLED"})
_QUIET_WORDS: Final = ("too many", "bandwidth", "rate limit", "exceeded")


class LoginRefusedError(MailboxError):
    """The server refused the user name or the password; trying again soon may lock the account."""


class UnreachableError(MailboxError):
    """No connection could be made, or it was lost."""


class TlsError(MailboxError):
    """The connection could not be made safe; no password was sent."""


class UnavailableError(MailboxError):
    """The server answers, but cannot serve now. ``pause_s`` is how long to stay away at least, in seconds.

    It is 0 where the server asks for no longer pause than any fault gets: one that is being restarted says so too.
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "", pause_s: float = 0) -> None:
        super().__init__(what, where=where, cure=cure, retry=True)
        self.pause_s = pause_s


class MissingFolderError(MailboxError):
    """A folder named in the configuration is not in the mailbox."""


class ReadOnlyError(MailboxError):
    """The server lets nothing be written to the folder."""


class ProtocolError(MailboxError):
    """The server said what it must not, or nothing in time; the connection is of no more use."""


def server_text(value: object) -> str:
    """Return what a server said, short and printable."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = _OUT_OF_STEP.sub(r"\1", text)
    return _UNPRINTABLE.sub(" ", text).strip()[:200]


def response_code(text: str) -> str | None:
    """Return the response code at the head of a server's text ("UNAVAILABLE"), or None."""
    found = _CODE.search(text[:80])
    return found[1] if found else None


def login_fault(error: Exception, where: str, key: str) -> MailboxError:
    """Tell a wrong password from a server that cannot sign anybody in just now."""
    if isinstance(error.__context__, imaplib.IMAP4.abort):  # IMAPClient calls a lost connection a LoginError too
        return command_fault(error.__context__, where)
    text = server_text(error)
    code = response_code(text)
    if code in _LATER or any(word in text.lower() for word in _LATER_WORDS):
        return UnavailableError(f"sign-in is not possible now: {text}", where=where, pause_s=_asked_for(code, text))
    if code == "PRIVACYREQUIRED":
        return TlsError("the server wants an encrypted connection", where=where, cure=f'set {key}.security = "tls"')
    return LoginRefusedError(
        f"sign-in was refused: {text}",
        where=where,
        cure=f"check {key}.username and its password",
        retry=False,
    )


def _asked_for(code: str | None, text: str) -> float:
    """Return the least pause in seconds: an hour after a limit was hit; trouble of its own says nothing of time."""
    return 3600.0 if code in _QUIET or any(word in text.lower() for word in _QUIET_WORDS) else 0.0


def connect_fault(error: BaseException, where: str, key: str) -> MailboxError:
    """Name why no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(
            f"the server's certificate was not accepted: {server_text(error.verify_message)}",
            where=where,
            cure=f"check {key}.host, or name the authority's file in {key}.ca_file",
            retry=False,
        )
    if isinstance(error, ssl.SSLError):
        return TlsError(
            f"no encrypted connection came about: {server_text(error.reason or 'handshake failed')}",
            where=where,
            cure=f"check {key}.port and {key}.security",
        )
    address = f"check {key}.host and {key}.port"
    for kind, what, cure in (
        (socket.gaierror, "the server's name is not known", f"check {key}.host"),
        (TimeoutError, "the server did not answer in time", address),
        (ConnectionRefusedError, "nothing listens there", address),
        (FileNotFoundError, "the authority's file is not there", f"check {key}.ca_file"),
    ):
        if isinstance(error, kind):
            return UnreachableError(what, where=where, cure=cure)
    return command_fault(error, where)


def command_fault(error: BaseException, where: str) -> MailboxError:
    """Name why a command on an open connection failed."""
    if isinstance(error, MailboxError):
        return error
    if isinstance(error, imaplib.IMAP4.readonly):
        return ReadOnlyError("the folder cannot be written to", where=where)
    if isinstance(error, imaplib.IMAP4.abort | OSError):
        late = isinstance(error, TimeoutError)
        what = "the server did not answer in time" if late else f"the connection was lost: {server_text(error)}"
        return UnreachableError(what, where=where)
    if isinstance(error, IMAPClientError | imaplib.IMAP4.error):
        text = server_text(error)
        if (code := response_code(text)) in _LATER:
            pause = 60.0 if code in _QUIET else 0.0
            return UnavailableError(f"the server cannot do it now: {text}", where=where, pause_s=pause)
        return ProtocolError(f"the server refused a command: {text}", where=where)
    return ProtocolError(f"the server's answer made no sense: {type(error).__name__}", where=where)
