"""The web application: every route behind one guard, every fault a page in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from inboxbot import __version__
from inboxbot.config.model import OidcSettings, WebSettings
from inboxbot.desk.context import Desk
from inboxbot.desk.originals import Originals
from inboxbot.errors import InboxbotError, MailboxError, RefusedError, StoreError, UsageError
from inboxbot.logs import get_logger
from inboxbot.web import account, actions, api, bulk, casepage, letters, original, people, queue, sending, signin
from inboxbot.web.refusals import in_words
from inboxbot.web.render import page
from inboxbot.web.shell import Shell, TooLargeError
from inboxbot.web.visit import ForbiddenError, NotFoundError, SignInNeededError, Site, Visit, guard
from inboxbot.web.words import chosen_language, words_in

log = get_logger()
_FAULTS: tuple[type[Exception], ...] = (
    HTTPException, RequestValidationError, SignInNeededError, ForbiddenError, NotFoundError, TooLargeError,
    InboxbotError, Exception,
)  # fmt: skip
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def build_app(
    desk: Desk,
    *,
    now: Callable[[], dt.datetime],
    settings: WebSettings | None = None,
    port: int | None = None,
    originals: Originals | None = None,
) -> FastAPI:
    """Return the application of an installation. ``port`` is the one it listens on, when the settings leave it open."""
    chosen = settings or desk.settings.web or WebSettings()
    hosts = {f"{name}:{port or chosen.port}" for name in LOOPBACK}
    origins = {f"http://{host}" for host in hosts}
    if chosen.base_url:
        hosts.add(urlsplit(chosen.base_url).netloc.lower())
        origins.add(chosen.base_url.lower())
    secure = (chosen.base_url or "").startswith("https://")
    app = FastAPI(
        title="inboxbot",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard)],
    )
    if chosen.oidc is not None:
        _add_sign_in_service(app, chosen.oidc)
    app.state.site = Site(desk, now, chosen, frozenset(origins), secure, originals)
    for room in (signin, queue, bulk, casepage, original, actions, letters, account, people, sending, api):
        app.include_router(room.router)
    app.mount("/static", _Static(directory=str(files(__package__).joinpath("static"))))
    for fault in _FAULTS:
        app.add_exception_handler(fault, _fault)
    app.add_middleware(Shell, hosts=hosts, secure=secure)
    return app


def _add_sign_in_service(app: FastAPI, settings: OidcSettings) -> None:
    try:
        from inboxbot.web import oidc, provider  # noqa: PLC0415  (an extra: without it there is no such library)
    except ModuleNotFoundError:
        raise UsageError(
            "the library for signing in by a service is not installed",
            where="web.oidc",
            cure='pip install "inboxbot[oidc]"',
        ) from None
    app.state.oidc = provider.Provider(settings)
    app.include_router(oidc.router)


class _Static(StaticFiles):
    """Our own files; their addresses change with their content, so browsers may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def _fault(request: Request, error: Exception) -> Response:
    """Answer a fault: a page in words, JSON for the API, never a traceback."""
    if isinstance(error, SignInNeededError):
        return _ask_to_sign_in(request)
    status, key = _what(error)
    if status == 500:
        log.error("web_failed", error=error, route=getattr(request.scope.get("route"), "path", ""))
    ours = error if isinstance(error, InboxbotError) and status != 503 else None
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": key, "text": str(ours or "")}, status_code=status)
    visit = getattr(request.state, "visit", None) or _stranger(request)
    return page(visit, "fault.html", status=status, key=key, text=in_words(ours, visit.words) if ours else "")


def _what(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        known = {404: "not_found", 405: "not_allowed", 400: "bad_request"}
        return error.status_code, known.get(error.status_code, "bad_request")
    table: tuple[tuple[type[Exception], int, str], ...] = (
        (NotFoundError, 404, "not_found"),
        (ForbiddenError, 403, "forbidden"),
        (RequestValidationError, 400, "bad_request"),
        (TooLargeError, 413, "too_large"),
        (StoreError, 503, "busy"),
        (MailboxError, 503, "mailbox_away"),
        (RefusedError, 409, "refused"),
        (UsageError, 422, "usage"),
        (InboxbotError, 409, "refused"),
    )
    return next(((status, key) for kind, status, key in table if isinstance(error, kind)), (500, "broken"))


def _ask_to_sign_in(request: Request) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "sign_in"}, status_code=401, headers={"WWW-Authenticate": "Bearer"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    there = f"/signin?next={quote(here, safe='')}" if request.method == "GET" and here != "/" else "/signin"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": there})
    return Response(status_code=303, headers={"Location": there})


def _stranger(request: Request) -> Visit:
    """Return the visit of a request that no route took, so that its fault can be told in the right language."""
    site: Site = request.app.state.site
    words = words_in(chosen_language("", request.headers.get("accept-language", "")))
    return Visit(request, site, site.now(), words)
