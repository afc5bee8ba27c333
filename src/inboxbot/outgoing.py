"""The one way out by HTTP: to addresses from the settings, checked, bounded in time and size, and signed where asked.

Redirects are not followed and no proxy of the environment is used. A name may not lead into a private network unless
the settings allow it (promises.md E57): every address it stands for is looked at, and the connection goes to one of
those, so that a second answer of the name server changes nothing. Loopback is taken where the settings say so outright.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from inboxbot.config.addresses import is_loopback

WAIT_S: Final = 10.0
WHOLE_S: Final = 20.0
MOST_BYTES: Final = 1 << 20
ID_HEADER: Final = "X-Inboxbot-Id"
TIME_HEADER: Final = "X-Inboxbot-Timestamp"
SIGNATURE_HEADER: Final = "X-Inboxbot-Signature"


class UnreachableError(Exception):
    """No answer came: ``code`` says why (``private_address``, ``name_not_found``, ``no_answer``, ``too_long``)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: the status and at most a megabyte of text."""

    status: int
    body: bytes


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a body sent at ``timestamp`` (seconds since 1970): ``sha256=`` and hex digits."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def post_signed(
    url: str, body: bytes, *, delivery_id: str, secret_file: Path | None, private: bool, now: dt.datetime
) -> Answer:
    """Send JSON with its id, the moment and a signature over both moment and body. Raises UnreachableError."""
    timestamp = str(int(now.timestamp()))
    headers = {"Content-Type": "application/json", ID_HEADER: delivery_id, TIME_HEADER: timestamp}
    if secret_file is not None:
        try:
            secret = secret_file.read_text(encoding="utf-8").strip().encode()
        except (OSError, UnicodeDecodeError):
            raise UnreachableError("no_secret") from None
        headers[SIGNATURE_HEADER] = signature(secret, timestamp, body)
    return request("POST", url, body=body, headers=headers, private=private)


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    private: bool = False,
    whole_s: float = WHOLE_S,
) -> Answer:
    """Ask a server and return its answer, whatever its status. Raises UnreachableError when none comes in time."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    places = _addresses(host, port, private=private)
    connection = _Tls(host, port, places) if parts.scheme == "https" else _Plain(host, port, places)
    ending = threading.Timer(whole_s, connection.cut)  # a server that drips its answer must not hold us for ever
    ending.daemon = True
    ending.start()
    try:
        named = f"[{host}]" if ":" in host else host
        given = {
            "Host": named if parts.port is None else f"{named}:{port}",
            "User-Agent": "inboxbot",
            **(headers or {}),
        }
        connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, given)
        response = connection.getresponse()
        text = response.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise UnreachableError("too_long")
        return Answer(response.status, text)
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        # AttributeError: the library loses its socket when it is cut from outside.
        raise UnreachableError("no_answer") from None
    finally:
        ending.cancel()
        connection.close()


def obstacle(url: str, *, private: bool) -> str | None:
    """Return the code of why an address would not be asked, None when it would be; nothing is sent."""
    parts = urlsplit(url)
    try:
        _addresses(parts.hostname or "", parts.port or 443, private=private)
    except UnreachableError as error:
        return error.code
    return None


def _addresses(host: str, port: int, *, private: bool) -> list[str]:
    """Return the addresses of a host, when every one of them may be asked."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnreachableError("name_not_found") from None
    places = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not places or not all(_allowed(place, host, private=private) for place in places):
        raise UnreachableError("private_address")
    return places


def _allowed(place: str, host: str, *, private: bool) -> bool:
    address = ipaddress.ip_address(place.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_multicast or address.is_unspecified:
        return False
    return address.is_global or private or (address.is_loopback and is_loopback(host))


class _Plain(http.client.HTTPConnection):
    """A connection to addresses that were looked at before, the first that answers."""

    def __init__(self, host: str, port: int, places: Sequence[str]) -> None:
        super().__init__(host, port, timeout=WAIT_S)
        self._places = places

    def connect(self) -> None:
        """Connect to an address, not to the name."""
        for last, place in enumerate(self._places, 1 - len(self._places)):
            try:
                self.sock = socket.create_connection((place, self.port), timeout=WAIT_S)
            except OSError:
                if last == 0:
                    raise
            else:
                return

    def cut(self) -> None:
        """End it from another thread."""
        wire: socket.socket | None = self.sock
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)


class _Tls(_Plain):
    """The same over TLS, with the certificate checked against the name."""

    def connect(self) -> None:
        """Connect and agree on keys."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
