"""One SMTP conversation, driven command by command so that the caller knows what is certain.

The library's own ``sendmail`` raises the same error for a connection cut before the text and after the final dot, so
it cannot say whether a letter went out. Here every step is a phase; only between the final dot and its answer is the
outcome unknown (RFC 1047), and then nobody tries again by himself.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from inboxbot.config.addresses import is_loopback
from inboxbot.config.model import SmtpSettings
from inboxbot.crash import crash_here

MAX_LINE = 998
MAX_REPLY_LINES = 100
MAX_REPLY_LINE = 2048
_CONTEXT_S = 900.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait: for a connection, a whole answer, and the answer to the final dot (RFC 5321 4.5.3.2.6)."""

    connect_s: float = 30.0
    command_s: float = 60.0
    final_s: float = 600.0


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
    """smtplib's connection with answers bounded in length and time (a server may drip bytes for ever)."""

    answer_s = 60.0

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # Text and final dot are two writes: held back until the first is acknowledged, the dot costs 40 ms a letter.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = self.sock.makefile("rb")  # type: ignore[union-attr]
        deadline = time.monotonic() + self.answer_s
        lines: list[bytes] = []
        while True:
            line = self._line(deadline)
            if not line:
                self.close()
                raise smtplib.SMTPServerDisconnected("connection closed")
            lines.append(line[4:].strip(b" \t\r\n"))
            if not line.endswith(b"\n") or len(lines) > MAX_REPLY_LINES or not line[:3].isdigit():
                self.close()
                raise smtplib.SMTPResponseException(-1, "the answer is not SMTP")
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _line(self, deadline: float) -> bytes:
        """Return one line with its end, less of one that is too long, or b"" at the end of the connection."""
        line = b""
        while not line.endswith(b"\n") and len(line) < MAX_REPLY_LINE:
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))  # type: ignore[union-attr]
            ready = self.file.peek(1)  # type: ignore[union-attr]
            if not ready:
                return b""
            wanted = min(ready.find(b"\n") + 1 or len(ready), MAX_REPLY_LINE - len(line))
            line += self.file.read(wanted)  # type: ignore[union-attr]
        self.sock.settimeout(self.answer_s)  # type: ignore[union-attr]
        return line


class _TlsConnection(_Connection):
    """The same over TLS from the first byte."""

    def __init__(self, context: ssl.SSLContext, host: str, timeout: float) -> None:
        self._context, self._name = context, host
        super().__init__(timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
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
    limits: Limits | None = None,
) -> Delivery:
    """Give ``message`` to the server for exactly one ``recipient`` and return what is certain afterwards.

    ``reached`` is called with each phase before its first byte goes out; when it raises, nothing of that phase was
    sent and the error goes to the caller. Everything the server does wrong becomes a `Delivery`.
    """
    limits = limits or Limits()
    if (fault := _unclean(message, sender, recipient)) is not None:
        return Delivery(Result.REFUSED, Phase.ENVELOPE, fault)
    phase = Phase.CONNECT
    connection: _Connection | None = None
    try:
        reached(phase)
        connection = _connect(settings, greeting_name, limits)
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
        if early := _spoke_early(connection):
            return Delivery(_by_code(early[0]), phase, _clean(early))
        phase = Phase.DOT
        connection.answer_s = limits.final_s
        connection.send(b".\r\n")
        crash_here("send_after_dot")
        code, words = connection.getreply()
        return Delivery(_after_dot(code), Phase.DONE, _clean((code, words)))
    except (smtplib.SMTPException, OSError) as error:
        return _failed(error, phase)
    finally:
        if connection is not None:
            _leave(connection, politely=phase is Phase.DOT)


@functools.lru_cache(maxsize=16)
def _context(ca_file: str | None, _age: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _trust(settings: SmtpSettings) -> ssl.SSLContext:
    """Return whom to trust. Reading all certificates of a system takes 30 ms; renewed ones count within a quarter."""
    return _context(str(settings.ca_file) if settings.ca_file else None, int(time.monotonic() // _CONTEXT_S))


def _connect(settings: SmtpSettings, name: str, limits: Limits) -> _Connection:
    connection = (
        _TlsConnection(_trust(settings), settings.host, limits.connect_s)
        if settings.security == "tls"
        else _Connection(timeout=limits.connect_s)
    )
    connection.answer_s = limits.command_s
    connection.local_hostname = name
    try:
        code, words = connection.connect(settings.host, settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        connection.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            connection._host = settings.host  # type: ignore[attr-defined]  # smtplib checks the certificate against it
            connection.starttls(context=_trust(settings))
            connection.ehlo()
    except BaseException:
        connection.close()
        raise
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
    _login(connection, username, password)


def _login(connection: _Connection, username: str, password: str) -> None:
    """Sign in by PLAIN or LOGIN in UTF-8: the library's own way takes ASCII passwords only."""
    offered = connection.esmtp_features["auth"].upper().split()
    name, secret = username.encode(), password.encode()
    if "PLAIN" in offered:
        code, words = connection.docmd("AUTH", "PLAIN " + _base64(b"\0" + name + b"\0" + secret))
    elif "LOGIN" in offered:
        code, words = connection.docmd("AUTH", "LOGIN")
        for answer in (name, secret):
            if code == 334:
                code, words = connection.docmd(_base64(answer))
    else:
        raise _SignInError("the server offers no way of signing in that is known here (PLAIN, LOGIN)")
    if code in {235, 503}:  # 503: signed in already
        return
    if 400 <= code < 500:
        raise smtplib.SMTPResponseException(code, words)  # not now, which is not a wrong password
    raise smtplib.SMTPAuthenticationError(code, words)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


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


def _spoke_early(connection: _Connection) -> tuple[int, bytes] | None:
    """Return what the server said in the middle of the text, if anything: the dot is then never sent.

    Raises OSError when it closed the connection. Looking once here turns many an unknown outcome into a certain one.
    """
    wire = connection.sock
    if wire is None:
        raise smtplib.SMTPServerDisconnected("connection closed")
    wire.settimeout(0)
    try:
        said = wire.recv(MAX_REPLY_LINE)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    finally:
        wire.settimeout(connection.answer_s)
    if not said:
        raise smtplib.SMTPServerDisconnected("connection closed")
    line = said.splitlines()[0]
    return (int(line[:3]) if line[:3].isdigit() else 0), line[4:]


def _dotted(message: bytes) -> bytes:
    """Return the message with leading dots doubled and a line end at its end (the final dot is not in it)."""
    body = re.sub(rb"(?m)^\.", b"..", message)
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _unclean(message: bytes, sender: str, recipient: str) -> str | None:
    """Return what makes these bytes unfit: they could smuggle a second mail, or no server takes them as they are."""
    if re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", message):
        return "the message holds a bare CR, a bare LF or a NUL"
    if any(len(line) > MAX_LINE for line in message.split(b"\r\n")):
        return f"the message holds a line of over {MAX_LINE} bytes"
    for address in (sender, recipient):
        if not address.isascii() or not address or re.search(r"[\s<>\x00-\x1f\x7f]", address):
            return "an address of the envelope is not a plain address"
    return None


def _by_code(code: int) -> Result:
    if code in {530, 538}:  # it wants a sign-in first: no letter is to blame
        return Result.SERVER
    return Result.REFUSED if 500 <= code < 600 else Result.RETRY


def _after_dot(code: int) -> Result:
    """Return what an answer to the final dot means: any 2yz is a yes (RFC 5321 4.2.1), nonsense leaves it unknown."""
    if 200 <= code < 300:
        return Result.ACCEPTED
    return _by_code(code) if 400 <= code < 600 else Result.UNKNOWN


def _failed(error: Exception, phase: Phase) -> Delivery:
    if phase is Phase.DOT:
        return Delivery(Result.UNKNOWN, phase, _words(error))
    faulty = (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, _SignInError, ssl.SSLError)
    if phase is Phase.CONNECT and isinstance(error, faulty):
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
            connection.answer_s = 5.0
            connection.quit()
    connection.close()
