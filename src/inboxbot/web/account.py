"""One's own account: language, password, one-time passwords, tokens for the API."""

from __future__ import annotations

from fastapi import APIRouter, Response

from inboxbot.errors import UsageError
from inboxbot.reading.charsets import clean_line
from inboxbot.store.people import (
    add_token,
    change_user,
    claim_totp,
    drop_token,
    end_sessions,
    list_tokens,
)
from inboxbot.web.passwords import hash_password, new_totp_secret, password_fits, totp_step, totp_uri
from inboxbot.web.render import goto, page
from inboxbot.web.visit import Visit, Visited
from inboxbot.web.words import LANGUAGES, words_in

router = APIRouter(prefix="/account")


def _page(visit: Visit, *, fault: str = "", token: str = "", secret: str = "", status: int = 200) -> Response:
    with visit.desk.store.read() as connection:
        tokens = list_tokens(connection, visit.user.id)
    return page(
        visit,
        "account.html",
        status=status,
        fault=fault,
        languages=LANGUAGES,
        tokens=tokens,
        token=token,
        secret=secret,
        uri=totp_uri(secret, visit.user.name) if secret else "",
    )


@router.get("")
def show(visit: Visited) -> Response:
    """Show one's account."""
    return _page(visit)


@router.post("/language")
def language(visit: Visited) -> Response:
    """Choose the language of the pages."""
    wish = visit.text("language")
    if wish in LANGUAGES:
        with visit.desk.store.write() as connection:
            change_user(connection, visit.user.id, language=wish)
        visit.tell(words_in(wish)("account.saved"))
    return goto("/account")


@router.post("/password")
def password(visit: Visited) -> Response:
    """Set a new password; every other browser is signed out."""
    wait = visit.site.tries.wait_s(f"own:{visit.user.id}", "")
    if wait > 0:
        return _page(visit, fault=visit.words("signin.wait", minutes=15), status=429)
    if not password_fits(visit.text("present"), visit.user.password):
        visit.site.tries.failed(f"own:{visit.user.id}", "")
        return _page(visit, fault=visit.words("account.wrong_password"), status=422)
    try:
        kept = hash_password(visit.text("new"))
    except UsageError:
        return _page(visit, fault=visit.words("account.short_password"), status=422)
    with visit.desk.store.write() as connection:
        change_user(connection, visit.user.id, password=kept)
        end_sessions(connection, visit.user.id, but=visit.session.digest if visit.session else "")
    visit.tell(visit.words("account.password_changed"))
    return goto("/account")


@router.post("/signout-everywhere")
def sign_out_everywhere(visit: Visited) -> Response:
    """End every session of one's own."""
    with visit.desk.store.write() as connection:
        end_sessions(connection, visit.user.id)
    return goto("/signin")


@router.post("/totp")
def totp(visit: Visited) -> Response:
    """Switch one-time passwords on: first the secret is shown, then one password from the app proves that it works."""
    secret = visit.text("secret")
    if not secret:
        return _page(visit, secret=new_totp_secret())
    if not secret.isalnum() or len(secret) != 32:
        raise UsageError("there is no such secret")
    step = totp_step(secret, visit.text("code"), visit.now)
    if step is None:
        return _page(visit, fault=visit.words("account.wrong_code"), secret=secret, status=422)
    with visit.desk.store.write() as connection:
        change_user(connection, visit.user.id, totp_secret=secret, totp_used=0)
        claim_totp(connection, visit.user, step)
    visit.tell(visit.words("account.totp_on"))
    return goto("/account")


@router.post("/totp-off")
def totp_off(visit: Visited) -> Response:
    """Switch one-time passwords off; the password is asked again."""
    if not password_fits(visit.text("present"), visit.user.password):
        return _page(visit, fault=visit.words("account.wrong_password"), status=422)
    with visit.desk.store.write() as connection:
        change_user(connection, visit.user.id, totp_secret=None, totp_used=0)
    visit.tell(visit.words("account.totp_is_off"))
    return goto("/account")


@router.post("/tokens")
def make_token(visit: Visited) -> Response:
    """Make a token for the API and show it once."""
    name = clean_line(visit.text("name"))[:60]
    if not name:
        return _page(visit, fault=visit.words("account.token_needs_name"), status=422)
    with visit.desk.store.write() as connection:
        token = add_token(connection, visit.user.id, name, now=visit.now)
    return _page(visit, token=token)


@router.post("/tokens/drop")
def remove_token(visit: Visited) -> Response:
    """Withdraw a token."""
    number = visit.text("id")
    if number.isascii() and number.isdigit():
        with visit.desk.store.write() as connection:
            drop_token(connection, visit.user.id, int(number))
    visit.tell(visit.words("account.token_dropped"))
    return goto("/account")
