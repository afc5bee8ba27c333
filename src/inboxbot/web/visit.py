"""One request: who asks, what they may see, and what they sent. Every route passes `guard`; public ones are marked."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from inboxbot.cases.values import Case
from inboxbot.config.model import WebSettings
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.originals import Originals
from inboxbot.errors import UsageError
from inboxbot.store.cases import case_id_of, load_case
from inboxbot.store.people import Role, Session, User, change_session, end_session, load_session, user_of_token
from inboxbot.web.limits import Tries
from inboxbot.web.words import Words, chosen_language, words_in

MAX_FIELDS, MAX_FILES = 400, 20
_SKEW = dt.timedelta(minutes=5)
_SEEN_EVERY = dt.timedelta(minutes=1)
_SAFE: Final = frozenset({"GET", "HEAD"})


class SignInNeededError(Exception):
    """Nobody is signed in."""


class ForbiddenError(Exception):
    """The account may not do this, or the request did not come from our own pages."""


class NotFoundError(Exception):
    """There is no such thing, or it is not shown to this account."""


@dataclass(slots=True)
class Site:
    """What the pages work with. ``origins`` are those our own forms come from."""

    desk: Desk
    now: Callable[[], dt.datetime]
    settings: WebSettings
    origins: frozenset[str]
    secure: bool
    originals: Originals | None = None
    tries: Tries = field(default_factory=Tries)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; with TLS one that no other host can set."""
        return "__Host-inboxbot" if self.secure else "inboxbot"

    @property
    def hold(self) -> dt.timedelta:
        """How long an approved letter can be called back."""
        return dt.timedelta(seconds=self.settings.hold_s)


@dataclass(slots=True)
class Visit:
    """A request with everything that was checked about it."""

    request: Request
    site: Site
    now: dt.datetime
    words: Words
    person: User | None = None
    session: Session | None = None
    form: FormData = field(default_factory=FormData)

    @property
    def user(self) -> User:
        """Who is signed in."""
        if self.person is None:
            raise SignInNeededError
        return self.person

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.site.desk

    @property
    def actor(self) -> Actor:
        """Who acts, and through this door."""
        return Actor(self.user.name, "web")

    def text(self, name: str) -> str:
        """Return a field of the form, "" when it is missing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def files(self, name: str) -> list[UploadFile]:
        """Return the files that were chosen in a field."""
        return [one for one in self.form.getlist(name) if isinstance(one, UploadFile) and one.filename]

    def case(self, reference: str) -> Case:
        """Return a case. Raises NotFoundError when there is none, or it is another company's."""
        with self.desk.store.read() as connection:
            try:
                case = load_case(connection, case_id_of(connection, reference))
            except UsageError:
                raise NotFoundError from None
        if not self.user.sees(case.company):
            raise NotFoundError
        return case

    def tell(self, text: str, *, level: str = "ok", undo: dict[str, Any] | None = None) -> None:
        """Let the next page tell something once; ``undo`` is what can be taken back."""
        if self.session is None:
            return
        notice = {"text": text, "level": level}
        with self.desk.store.write() as connection:
            change_session(connection, self.session.digest, notice=notice, undo=undo)


_Function = TypeVar("_Function", bound=Callable[..., Any])


def public(function: _Function) -> _Function:
    """Mark a route that anybody may ask for. Everything else needs somebody signed in."""
    function.__dict__["public"] = True
    return function


async def guard(request: Request) -> AsyncIterator[None]:
    """Check a request before its route runs, and keep what was found as ``request.state.visit``."""
    try:
        await _check(request)
        yield
    finally:
        visit: Visit | None = getattr(request.state, "visit", None)
        if visit is not None:
            await visit.form.close()


async def _check(request: Request) -> None:
    site: Site = request.app.state.site
    endpoint = request.scope["route"].endpoint
    anybody = bool(getattr(endpoint, "public", False))
    now = site.now()
    words = words_in(chosen_language("", request.headers.get("accept-language", "")))
    visit = Visit(request, site, now, words)
    request.state.visit = visit
    if request.url.path.startswith("/api/"):
        visit.person = await run_in_threadpool(_token_user, site, request.headers.get("authorization", ""))
        if visit.person is None and not anybody:
            raise SignInNeededError
        return
    token = request.cookies.get(site.cookie, "")
    visit.session = await run_in_threadpool(_session, site, token, now) if token else None
    if visit.session is not None:
        visit.person = visit.session.user
        visit.words = words_in(chosen_language(visit.person.language, request.headers.get("accept-language", "")))
    if request.method not in _SAFE:
        _require_own_origin(request, site)
        visit.form = await request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS)
    if visit.session is None and not anybody:
        raise SignInNeededError
    if visit.session is not None and request.method not in _SAFE and not anybody:
        require_equal(visit.text("csrf"), visit.session.csrf)


def require_equal(given: str, kept: str) -> None:
    """Raise ForbiddenError unless a form's token is the one that was given out. Compared as bytes, in constant time."""
    if not kept or not hmac.compare_digest(given.encode("utf-8", "replace"), kept.encode("utf-8", "replace")):
        raise ForbiddenError


def _require_own_origin(request: Request, site: Site) -> None:
    origin = request.headers.get("origin")
    if origin is not None:
        if origin.lower() in site.origins:
            return
    elif request.headers.get("sec-fetch-site") == "same-origin":
        return
    raise ForbiddenError


def _session(site: Site, token: str, now: dt.datetime) -> Session | None:
    """Return the live session of a cookie. A clock that was set back ends it rather than making it eternal."""
    with site.desk.store.read() as connection:
        found = load_session(connection, token)
    if found is None:
        return None
    idle, age = now - found.seen_at, now - found.created_at
    longest = dt.timedelta(hours=site.settings.session_hours)
    if not (-_SKEW <= idle <= dt.timedelta(minutes=site.settings.idle_minutes) and -_SKEW <= age <= longest):
        with site.desk.store.write() as connection:
            end_session(connection, found.digest)
        return None
    if idle > _SEEN_EVERY:
        with site.desk.store.write() as connection:
            change_session(connection, found.digest, seen_at=now)
    return found


def _token_user(site: Site, header: str) -> User | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with site.desk.store.read() as connection:
        return user_of_token(connection, token.strip())


def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


def _approver(request: Request) -> Visit:
    visit = _visit(request)
    if not visit.user.may_approve:
        raise ForbiddenError
    return visit


def _admin(request: Request) -> Visit:
    visit = _visit(request)
    if visit.user.role is not Role.ADMIN:
        raise ForbiddenError
    return visit


Visited = Annotated[Visit, Depends(_visit)]
ByApprover = Annotated[Visit, Depends(_approver)]
ByAdmin = Annotated[Visit, Depends(_admin)]
