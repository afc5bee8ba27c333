"""Signing in and out."""

from __future__ import annotations

import datetime as dt
import math
import secrets

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from inboxbot.logs import get_logger
from inboxbot.store.people import (
    User,
    claim_totp,
    drop_stale_sessions,
    end_session,
    find_user,
    folded,
    open_session,
)
from inboxbot.web.passwords import MAX_PASSWORD, password_fits, totp_step
from inboxbot.web.render import goto, own_path, page
from inboxbot.web.visit import Visit, Visited, public, require_equal


class SignInFailedError(Exception):
    """A sign-in service's answer signs nobody in; ``code`` says why, for the log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


router = APIRouter()
log = get_logger()
_BEFORE = "inboxbot_before"  # ties the form to the browser, so that nobody is signed in by somebody else's form


@router.get("/signin")
@public
def show(visit: Visited, next: str = "/") -> Response:  # noqa: A002  (the name in the address)
    """Show the form."""
    return goto(own_path(next)) if visit.session else sign_in_form(visit, own_path(next))


@router.post("/signin")
@public
def sign_in(visit: Visited) -> Response:
    """Check name, password and one-time password, and start a session. One answer for everything that is wrong."""
    where = own_path(visit.text("next"))
    require_equal(visit.text("csrf"), visit.request.cookies.get(_BEFORE, ""))
    name, address = folded(visit.text("name"))[:200], client_address(visit)
    wait = visit.site.tries.wait_s(name, address)
    if wait > 0:
        return sign_in_form(visit, where, fault=visit.words("signin.wait", minutes=math.ceil(wait / 60)), status=429)
    user = _checked(visit, name)
    if user is None:
        visit.site.tries.failed(name, address)
        log.warning("sign_in_failed")
        return sign_in_form(visit, where, fault=visit.words("signin.wrong"), status=401)
    visit.site.tries.succeeded(name)
    answer = goto(where)
    give_session(visit, answer, user)
    return answer


def give_session(visit: Visit, answer: Response, user: User, *, origin: str = "") -> None:
    """Start a session in place of the one that is there, and give its cookie to the browser.

    ``origin`` is what a sign-in service sent: it starts one session. Raises SignInFailedError the second time.
    """
    settings = visit.site.settings
    with visit.desk.store.write() as connection:
        drop_stale_sessions(
            connection,
            seen_before=visit.now - dt.timedelta(minutes=settings.idle_minutes),
            created_before=visit.now - dt.timedelta(hours=settings.session_hours),
        )
        if visit.session is not None:
            end_session(connection, visit.session.digest)
        token = open_session(connection, user.id, now=visit.now, origin=origin)
    if token is None:
        raise SignInFailedError("came_twice")
    site = visit.site
    answer.set_cookie(site.cookie, token, path="/", secure=site.secure, httponly=True, samesite="strict")
    answer.delete_cookie(_BEFORE, path="/", secure=site.secure, httponly=True, samesite="strict")


@router.post("/signout")
def sign_out(visit: Visited) -> Response:
    """End the session."""
    if visit.session is not None:
        with visit.desk.store.write() as connection:
            end_session(connection, visit.session.digest)
    answer = goto("/signin")
    answer.delete_cookie(visit.site.cookie, path="/", secure=visit.site.secure, httponly=True, samesite="strict")
    return answer


def _checked(visit: Visit, name: str) -> User | None:
    """Return the account when everything is right. The slow hash is computed in every case."""
    with visit.desk.store.read() as connection:
        user = find_user(connection, name)
    closed = user is None or user.disabled_at is not None
    fits = password_fits(visit.text("password")[: MAX_PASSWORD + 1], None if closed or user is None else user.password)
    if user is None or not fits:
        return None
    if user.totp_secret is None:
        return user
    step = totp_step(user.totp_secret, visit.text("code"), visit.now)
    if step is None:
        return None
    with visit.desk.store.write() as connection:
        return user if claim_totp(connection, user, step) else None


def sign_in_form(visit: Visit, where: str, *, fault: str = "", status: int = 200) -> HTMLResponse:
    """Show the form, with what went wrong."""
    before = visit.request.cookies.get(_BEFORE) or secrets.token_urlsafe(24)
    values = {"next": where, "fault": fault, "before": before, "name": visit.text("name")}
    answer = page(visit, "signin.html", values, status=status, oidc=visit.site.settings.oidc)
    answer.set_cookie(
        _BEFORE, before, path="/", secure=visit.site.secure, httponly=True, samesite="strict", max_age=3600
    )
    return answer


def client_address(visit: Visit) -> str:
    """Return where a request came from; a server in front is believed only when the settings trust it."""
    address = visit.request.client.host if visit.request.client else ""
    if address not in visit.site.settings.trusted_proxies:
        return address
    told = [one.strip() for one in visit.request.headers.get("x-forwarded-for", "").split(",")]
    return next((one for one in reversed(told) if one and one not in visit.site.settings.trusted_proxies), address)
