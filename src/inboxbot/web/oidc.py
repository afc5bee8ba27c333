"""Signing in by a service of the company (OpenID Connect): code flow with PKCE, state and nonce.

The service says who somebody is; what they may do here is an account's that was made by hand. What belongs to one
attempt lies in a signed cookie of the browser that began it, for ten minutes. It is SameSite=Lax, for the service sends
the browser back from another site; the session's own cookie stays Strict, which is why the last answer is a page that
leads on, and no redirect: browsers count that as coming from the other site still.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from inboxbot.logs import get_logger
from inboxbot.store.people import User, user_of_oidc
from inboxbot.web.provider import Provider
from inboxbot.web.render import goto, own_path, page
from inboxbot.web.signin import SignInFailedError, client_address, give_session, sign_in_form
from inboxbot.web.visit import Visit, Visited, public

router = APIRouter()
log = get_logger()
BACK: Final = "/signin/oidc/back"
ATTEMPT_S: Final = 600
_LONGEST: Final = 4000


@router.get("/signin/oidc")
@public
def begin(visit: Visited, next: str = "/") -> Response:  # noqa: A002  (the name in the address)
    """Send the browser to the service. A link and no form: `form-action` of our pages would stop the redirect."""
    where = own_path(next)
    if visit.session is not None:
        return goto(where)
    provider = _provider(visit)
    state, nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    attempt = {"state": state, "nonce": nonce, "verifier": verifier, "next": where[:1000], "at": _seconds(visit)}
    challenge = hashlib.sha256(verifier.encode()).digest()
    try:
        address = provider.authorization_endpoint()
    except SignInFailedError as error:
        return _failed(visit, error.code, where, status=503)
    asked = {
        "response_type": "code",
        "client_id": provider.settings.client_id,
        "redirect_uri": _back(visit),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    answer = Response(status_code=303)
    answer.headers["Location"] = f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
    site = visit.site
    answer.set_cookie(
        _cookie(visit), _sealed(visit, attempt), path="/", secure=site.secure, httponly=True, samesite="lax",
        max_age=ATTEMPT_S,
    )  # fmt: skip
    return answer


@router.get(BACK)
@public
def back(visit: Visited) -> Response:
    """Take the browser back from the service, and start a session for the account that the service names."""
    attempt = _opened(visit)
    where = own_path(str(attempt.get("next", "/")))
    address = client_address(visit)
    if visit.site.tries.wait_s(_counted(address), address) > 0:
        return _failed(visit, "too_many_tries", where, status=429)
    try:
        user, origin = _who(visit, attempt)
        answer = page(visit, "signin_done.html", next=where)
        give_session(visit, answer, user, origin=origin)
    except SignInFailedError as error:
        visit.site.tries.failed(_counted(address), address)
        return _failed(visit, error.code, where, status=401)
    _forget(visit, answer)
    return answer


def _who(visit: Visit, attempt: dict[str, Any]) -> tuple[User, str]:
    """Return the open account the service names, and what the attempt is known by. Raises SignInFailedError."""
    asked = visit.request.query_params
    state = asked.get("state", "")
    if not attempt or not hmac.compare_digest(state.encode("utf-8", "replace"), str(attempt["state"]).encode()):
        raise SignInFailedError("state_unknown")
    provider = _provider(visit)
    if asked.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise SignInFailedError("other_issuer")
    if "error" in asked or not asked.get("code"):
        raise SignInFailedError("refused_by_service")
    token = provider.exchange(asked["code"], verifier=str(attempt["verifier"]), redirect_uri=_back(visit))
    claims = provider.checked(token, nonce=str(attempt["nonce"]))
    with visit.desk.store.read() as connection:
        user = user_of_oidc(connection, provider.named(claims))
    if user is None or user.disabled_at is not None:
        raise SignInFailedError("no_account")
    return user, f"oidc {state}"


def _failed(visit: Visit, code: str, where: str, *, status: int) -> Response:
    log.warning("oidc_sign_in_failed", code=code)
    key = "signin.oidc_no_account" if code == "no_account" else "signin.oidc_failed"
    answer = sign_in_form(visit, where, fault=visit.words(key), status=status)
    _forget(visit, answer)
    return answer


def _provider(visit: Visit) -> Provider:
    found: Provider = visit.request.app.state.oidc
    return found


def _back(visit: Visit) -> str:
    """Return our address that the service sends the browser back to; the host of a request was checked before."""
    base = visit.site.settings.base_url or f"http://{visit.request.headers['host']}"
    return base + BACK


def _counted(address: str) -> str:
    return f"oidc {address}"


# --- the cookie of one attempt ------------------------------------------------------------------------------------


def _cookie(visit: Visit) -> str:
    return "__Host-inboxbot-oidc" if visit.site.secure else "inboxbot-oidc"


def _seal(visit: Visit, text: str) -> str:
    return hmac.new(visit.desk.secret, b"inboxbot oidc " + text.encode(), hashlib.sha256).hexdigest()


def _sealed(visit: Visit, attempt: dict[str, Any]) -> str:
    text = base64.urlsafe_b64encode(json.dumps(attempt).encode()).decode()
    return f"{text}.{_seal(visit, text)}"


def _opened(visit: Visit) -> dict[str, Any]:
    """Return the attempt of this browser, {} when there is none that counts."""
    text, _, seal = visit.request.cookies.get(_cookie(visit), "")[:_LONGEST].partition(".")
    if not hmac.compare_digest(_seal(visit, text).encode(), seal.encode("utf-8", "replace")):
        return {}
    attempt: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
    return attempt if 0 <= _seconds(visit) - int(attempt["at"]) <= ATTEMPT_S else {}


def _seconds(visit: Visit) -> int:
    return int(visit.now.timestamp())


def _forget(visit: Visit, answer: Response) -> None:
    answer.delete_cookie(_cookie(visit), path="/", secure=visit.site.secure, httponly=True, samesite="lax")
