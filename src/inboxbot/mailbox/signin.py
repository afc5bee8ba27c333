"""From an address to a connection that is safe and signed in; and the gate every string to the server goes through."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from imapclient.exceptions import LoginError

from inboxbot.config.model import ImapSettings
from inboxbot.mailbox import faults
from inboxbot.mailbox.wire import Client


def gate(text: str, where: str) -> str:
    """Pass a string on to the server only when it cannot be a command of its own (promises.md E1)."""
    if any(mark in text for mark in "\r\n\0"):
        raise faults.ProtocolError("a text with a line break was not sent to the server", where=where, retry=False)
    return text


def start(settings: ImapSettings, key: str) -> Client:
    """Connect and make the connection safe; nothing secret is sent yet. Raises MailboxError."""
    where = f"{settings.host}:{settings.port}"
    try:
        context = None if settings.security == "none" else _context(settings)
        client = Client(
            settings.host, settings.port, context, tls_first=settings.security == "tls", read_s=settings.timeout_s
        )
    except Exception as error:
        raise faults.connect_fault(error, where, key) from error
    try:
        _secure(client, settings, context, key)
    except Exception as error:
        client.wire.shutdown()
        raise faults.connect_fault(error, where, key) from error
    return client


def _context(settings: ImapSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _secure(client: Client, settings: ImapSettings, context: ssl.SSLContext | None, key: str) -> None:
    where = f"{settings.host}:{settings.port}"
    if client.wire.state != "NONAUTH":
        raise faults.TlsError("the server says that somebody is signed in already", where=where, retry=False)
    if settings.security == "starttls":
        if not client.has_capability("STARTTLS"):
            raise faults.TlsError(
                "the server does not offer STARTTLS; no password was sent",
                where=where,
                cure=f'set {key}.security = "tls" and the port for it (993)',
                retry=False,
            )
        client.starttls(context)


def sign_in(
    client: Client, settings: ImapSettings, password: str | None, token: Callable[[], str] | None, key: str
) -> None:
    """Sign in by token or password. Raises MailboxError that tells a refusal from a server that cannot just now."""
    where = f"{settings.host}:{settings.port}"
    user = settings.username
    if not user or (password is None and token is None):
        raise faults.LoginRefusedError(
            "no user name or password is set",
            where=where,
            cure=f"set {key}.username and {key}.password_file",
            retry=False,
        )
    client.wire.begin()
    try:
        if token is not None:
            client.oauth2_login(gate(user, where), gate(token(), where))
        else:
            _with_password(client, settings, gate(user, where), gate(password or "", where), key)
    except LoginError as error:
        raise faults.login_fault(error, where, key) from error
    except UnicodeEncodeError as error:
        raise faults.LoginRefusedError(
            "the server's way of signing in carries only ASCII letters", where=where, retry=False
        ) from error


def _with_password(client: Client, settings: ImapSettings, user: str, password: str, key: str) -> None:
    plain = client.has_capability("AUTH=PLAIN")
    if client.has_capability("LOGINDISABLED") and (settings.security == "none" or not plain):
        raise faults.TlsError(
            "the server takes no password on this connection",
            where=f"{settings.host}:{settings.port}",
            cure=f'set {key}.security = "tls"',
            retry=False,
        )
    if plain:
        client.plain_login(user, password)
    else:
        client.login(client.wire._quote(user), password)  # imaplib quotes the password, but not the name
