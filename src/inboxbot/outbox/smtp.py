"""One SMTP conversation, driven command by command so that the caller knows what is certain.

The library's own ``sendmail`` raises the same error for a connection cut before the text and after the final dot, so
it cannot say whether a letter went out. Here every step is a phase; only between the final dot and its answer is the
outcome unknown (RFC 1047), and then nobody tries again by himself.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.config.addresses import is_loopback
from inboxbot.config.model import SmtpSettings
from inboxbot.crash import crash_here

CONNECT_S = 30.0
COMMAND_S = 60.0
FINAL_S = 600.0  # RFC 5321 4.5.3.2.6: ten minutes for the answer to the final dot
MAX_LINE = 998
MAX_REPLY_LINES = 100


class Phase(StrEnum):
    """How far a try came; each is recorded before its first byte goes out."""

    CONNECT = "connect"
    ENVELOPE = "envelope"
    BODY = "body"
    DOT = "dot"
    DONE = "done"


class Result(StrEnum):
    """What is certain after a try."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SERVER = "server"  # the server or the sign-in is at fault, not this letter


@dataclass(frozen=True, slots=True)
class Delivery:
    """The end of one try: the result, the last phase, and the server's words (cut, without control characters)."""

    result: Result
    phase: Phase
    server_text: str


class _Connection(smtplib.SMTP):
    """smtplib's connection with bounded replies (a server may send lines for ever)."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = self.sock.makefile("rb")  # type: ignore[union-attr]
        lines: list[bytes] = []
        while True:
            line = self.file.readline(2048)
            if not line:
                self.close()
                raise smtplib.SMTPServerDisconnected("connection closed")
            lines.append(line[4:].strip(b" \t\r\n"))
            if len(line) >= 2048 or len(lines) > MAX_REPLY_LINES or not line[:3].isdigit():
                self.close()
                raise smtplib.SMTPResponseException(-1, "the answer is not SMTP")
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)


class _TlsConnection(_Connection):
    """The same over TLS from the first byte."""

    def __init__(self, context: ssl.SSLContext, host: str, timeout: float) -> None:
        self._context, self._name = context, host
        super().__init__(timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        return self._context.wrap_socket(plain, server_hostname=self._name)


def deliver(
    settings: SmtpSettings,
    *,
    username: str | None,
    password: str | None,
    sender: str,
    recipient: str,
    message: bytes,
    reached: Callable[[Phase], None],
    greeting_name: str = "localhost",
) -> Delivery:
    """Give ``message`` to the server for exactly one ``recipient`` and return what is certain afterwards.

    ``reached`` is called with each phase before its first byte goes out; when it raises, nothing of that phase was
    sent and the error goes to the caller. Everything the server does wrong becomes a `Delivery`.
    """
    _assert_clean(message, sender, recipient)
    phase = Phase.CONNECT
    connection: _Connection | None = None
    try:
        reached(phase)
        connection = _connect(settings, greeting_name)
        _sign_in(connection, settings, username, password)
        phase = Phase.ENVELOPE
        refusal = _envelope(connection, sender, recipient, len(message))
        if refusal:
            return Delivery(_by_code(refusal[0]), phase, _clean(refusal))
        phase = Phase.BODY
        reached(phase)
        code, words = connection.docmd("DATA")
        if code != 354:
            return Delivery(_by_code(code), phase, _clean((code, words)))
        connection.send(_dotted(message))
        reached(Phase.DOT)
        phase = Phase.DOT
        connection.sock.settimeout(FINAL_S)  # type: ignore[union-attr]
        connection.send(b".\r\n")
        crash_here("send_after_dot")
        code, words = connection.getreply()
        return Delivery(Result.ACCEPTED if code == 250 else _by_code(code), Phase.DONE, _clean((code, words)))
    except (smtplib.SMTPException, OSError) as error:
        return _failed(error, phase)
    finally:
        if connection is not None:
            _leave(connection, politely=phase is Phase.DOT)


def _connect(settings: SmtpSettings, name: str) -> _Connection:
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    connection = (
        _TlsConnection(context, settings.host, CONNECT_S)
        if settings.security == "tls"
        else _Connection(timeout=CONNECT_S)
    )
    connection.local_hostname = name
    code, words = connection.connect(settings.host, settings.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    connection.sock.settimeout(COMMAND_S)  # type: ignore[union-attr]
    connection.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        connection._host = settings.host  # type: ignore[attr-defined]  # smtplib checks the certificate against it
        connection.starttls(context=context)
        connection.ehlo()
    return connection


class _SignInError(smtplib.SMTPException):
    """The server wants or lacks a sign-in in a way that makes sending impossible."""


def _sign_in(connection: _Connection, settings: SmtpSettings, username: str | None, password: str | None) -> None:
    if not connection.has_extn("auth"):
        if is_loopback(settings.host):
            return
        raise _SignInError("the server offers no sign-in; that is accepted only on loopback")
    if username is None or password is None:
        if is_loopback(settings.host):
            return
        raise _SignInError("the server wants a sign-in, and no password is configured")
    connection.login(username, password)


def _envelope(connection: _Connection, sender: str, recipient: str, size: int) -> tuple[int, bytes] | None:
    """Say MAIL and RCPT; return the refusing (code, words), or None when both were taken."""
    limit = connection.esmtp_features.get("size", "")
    if limit.isdigit() and 0 < int(limit) < size:
        return 552, f"the letter has {size} bytes, the server takes {limit}".encode()
    options = [f"SIZE={size}"] if "size" in connection.esmtp_features else []
    if "8bitmime" in connection.esmtp_features:
        options.append("BODY=8BITMIME")
    code, words = connection.mail(sender, options)
    if code != 250:
        return code, words
    code, words = connection.rcpt(recipient)
    return None if code in {250, 251} else (code, words)


def _dotted(message: bytes) -> bytes:
    """Return the message with leading dots doubled and a line end at its end (the final dot is not in it)."""
    body = re.sub(rb"(?m)^\.", b"..", message)
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _assert_clean(message: bytes, sender: str, recipient: str) -> None:
    """Refuse bytes that could smuggle a second mail: bare CR or LF, lines over 998, control characters in addresses."""
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", message):
        raise ValueError("the message holds a bare CR, a bare LF or a NUL")
    if any(len(line) > MAX_LINE for line in message.split(b"\r\n")):
        raise ValueError("the message holds a line of over 998 bytes")
    for address in (sender, recipient):
        if not address.isascii() or re.search(r"[\s<>\x00-\x1f\x7f]", address):
            raise ValueError("an address of the envelope is not a plain address")


def _by_code(code: int) -> Result:
    return Result.REFUSED if 500 <= code < 600 else Result.RETRY


def _failed(error: Exception, phase: Phase) -> Delivery:
    if phase is Phase.DOT:
        return Delivery(Result.UNKNOWN, phase, _words(error))
    if isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, _SignInError, ssl.SSLError)):
        return Delivery(Result.SERVER, phase, _words(error))
    return Delivery(Result.RETRY, phase, _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return _clean((error.smtp_code, text if isinstance(text, bytes) else str(text).encode()))
    return _clean((0, str(error).encode())).removeprefix("0 ")


def _clean(reply: tuple[int, bytes]) -> str:
    text = f"{reply[0]} {reply[1].decode('ascii', 'replace')}"
    return re.sub(r"[^\x20-\x7e]+", " ", text)[:200]


def _leave(connection: _Connection, *, politely: bool) -> None:
    """Say QUIT (its answer means nothing for the letter) and close."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        if politely and connection.sock is not None:
            connection.sock.settimeout(5)
            connection.quit()
    connection.close()
