"""What surrounds every request: who may be asked for, how much may be sent, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY: Final = 25 * 1024 * 1024  # files that go with a letter are at most 20 MiB
CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "frame-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then send "Origin: null" with our own forms, and the check would refuse them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}

# What somebody else wrote goes out with a stricter policy of its own (`original.py`), to be framed by our page alone.
_HEADERS_OF_ITS_OWN: Final = frozenset({"Content-Security-Policy", "X-Frame-Options"})


class TooLargeError(Exception):
    """More was sent than is taken; the app answers it with 413."""


class Shell:
    """ASGI middleware: refuses foreign hosts and large bodies, and adds the headers."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], secure: bool) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                own = _HEADERS_OF_ITS_OWN if "Content-Security-Policy" in headers else frozenset()
                for name, value in self._headers.items():
                    if name not in own or name not in headers:
                        headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self._hosts:
            await PlainTextResponse("unknown host", status_code=400)(scope, receive, answer)
            return
        if not _short(headers.get("content-length", "0")):
            await PlainTextResponse("too large", status_code=413)(scope, receive, answer)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise TooLargeError
            return message

        await self._app(scope, counted, answer)


def _short(length: str) -> bool:
    return length.isascii() and length.isdigit() and int(length) <= MAX_BODY
