"""Signing in by a service (OpenID Connect): who gets in, and everything that must not."""

from __future__ import annotations

import html
import http.client
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from tests.requests.commands import Person as Clerk
from tests.servers.installation import Office
from tests.servers.oidc import CLIENT, SECRET, Service, running_service
from tests.web.browsers import Window, running_chromium
from tests.web.house import BASE, Person, app_of, person_at, signed_in

from inboxbot.config.model import OidcSettings, WebSettings
from inboxbot.store.people import change_user, disable_user, find_user, set_oidc
from inboxbot.web.passwords import new_totp_secret
from inboxbot.web.serve import served


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as one:
        yield one


@pytest.fixture
def settings(service: Service, tmp_path: Path) -> OidcSettings:
    secret = tmp_path / "client-secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    return OidcSettings(name="Exempelkonto", issuer=service.issuer, client_id=CLIENT, client_secret_file=secret)


@pytest.fixture
def known(office: Office) -> Office:
    """The office, in which Eva may sign in by the service; her account wants a one-time password else."""
    with office.desk.store.write() as connection:
        eva = find_user(connection, "Eva Ek")
        assert eva
        set_oidc(connection, eva, "eva.ek@EXAMPLE.se")
        change_user(connection, eva.id, totp_secret=new_totp_secret())
    return office


@pytest.fixture
def guest(known: Office, settings: OidcSettings) -> Person:
    return person_at(app_of(known, oidc=settings))


def ask_service(address: str) -> str:
    """Go to the service as a browser would, and return where it sends one."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    where = answer.headers["Location"]
    connection.close()
    return where.removeprefix(BASE)


def way_back(guest: Person, begin: str = "/signin/oidc?next=/account") -> str:
    answer = guest.get(begin)
    assert answer.status_code == 303
    return ask_service(answer.headers["location"])


def is_in(guest: Person) -> bool:
    return guest.client.get("/account").status_code == 200


def test_who_the_service_names_is_signed_in_without_a_one_time_password(guest: Person, service: Service) -> None:
    guest.get("/signin?next=/account")
    link = re.search(r'href="(/signin/oidc[^"]*)">([^<]*)<', guest.page)
    assert link
    assert link[2] == "Logga in med Exempelkonto"
    done = guest.get(way_back(guest, html.unescape(link[1])))
    assert done.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/account">' in done.text
    cookie = next(one for one in done.headers.get_list("set-cookie") if one.startswith("inboxbot="))
    assert "SameSite=strict" in cookie
    assert "HttpOnly" in cookie
    guest.get("/account")
    assert "Eva Ek" in guest.page
    (asked,) = service.asked
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{BASE}/signin/oidc/back"
    assert {"openid", "email"} <= set(asked["scope"].split())


def test_there_is_no_button_where_there_is_no_service(app: Any) -> None:
    guest = person_at(app)
    assert "oidc" not in guest.get("/signin").text
    assert guest.client.get("/signin/oidc").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"]},
        {"azp": "somebody-else"},
        {"iss": "http://localhost:1"},
        {"exp": 1_000_000_000},  # 2001; a moment reckoned from now would name the test otherwise in each worker
        {"exp": None},
        {"iat": 4_102_444_800},  # 2100
        {"sub": None},
        {"email": "nobody@example.se"},
        {"email": None},
        {"email": ["eva.ek@example.se"]},
        {"email_verified": False},
        {"email_verified": None},
    ],
    ids=lambda wrong: "-".join(f"{name}={value}" for name, value in wrong.items())[:40],
)
def test_a_token_that_does_not_hold_signs_nobody_in(
    guest: Person, service: Service, known: Office, wrong: dict[str, Any]
) -> None:
    service.claims = wrong
    answer = guest.get(way_back(guest))
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert not is_in(guest)
    assert known.rows("SELECT count(*) FROM sessions") == [(0,)]
    assert known.rows("SELECT count(*) FROM users WHERE oidc IS NOT NULL") == [(1,)], "no account is made by itself"


def _foreign_key(service: Service) -> None:
    service.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _no_signature(service: Service) -> None:
    service.algorithm = "none"


def _public_key_as_secret(service: Service) -> None:
    service.algorithm, service.key = "HS256", "x" * 64


def _other_name(service: Service) -> None:
    service.described = {"issuer": "http://localhost:1"}


@pytest.mark.parametrize("fault", [_foreign_key, _no_signature, _public_key_as_secret])
def test_a_signature_that_is_not_the_services_counts_for_nothing(
    guest: Person, service: Service, fault: Callable[[Service], None]
) -> None:
    fault(service)
    assert guest.get(way_back(guest)).status_code == 401
    assert not is_in(guest)


def test_a_service_under_another_name_is_not_believed(guest: Person, service: Service) -> None:
    _other_name(service)
    assert guest.get("/signin/oidc").status_code == 503


def test_a_service_that_does_not_answer_is_left_alone_for_a_while(
    known: Office, settings: OidcSettings, service: Service
) -> None:
    now = [0.0]
    app = app_of(known, oidc=settings)
    app.state.oidc._clock = lambda: now[0]
    _other_name(service)
    for _ in range(5):
        assert person_at(app).get("/signin/oidc").status_code == 503
    assert len(service.fetched) == 1
    service.described = {}
    now[0] = 16.0
    assert person_at(app).get("/signin/oidc").status_code == 303


def test_endpoints_in_clear_text_elsewhere_are_not_asked(guest: Person, service: Service) -> None:
    service.described = {"authorization_endpoint": "http://login.example.se/authorize"}
    assert guest.get("/signin/oidc").status_code == 503


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(
    known: Office, settings: OidcSettings, service: Service
) -> None:
    app = app_of(known, oidc=settings)
    eva, thief = person_at(app), person_at(app)
    back = way_back(eva)
    assert thief.get(back).status_code == 401, "no cookie of an attempt"
    kept = dict(eva.client.cookies)
    assert eva.get(back).status_code == 200
    assert is_in(eva)
    again = person_at(app)
    again.client.cookies.update(kept)
    service.codes |= {parse_qs(urlsplit(back).query)["code"][0]: service.asked[0]}  # a service that takes codes twice
    assert again.get(back).status_code == 401, "the same state starts one session"
    assert not is_in(again)


@pytest.mark.parametrize(
    "change",
    [
        lambda back: re.sub(r"state=[^&]*", "state=another", back),
        lambda back: re.sub(r"state=[^&]*&", "", back),
        lambda back: re.sub(r"code=[^&]*", "code=another", back),
        lambda back: re.sub(r"iss=[^&]*", "iss=https%3A%2F%2Fevil.example", back),
        lambda back: back + "&error=access_denied",
    ],
)
def test_an_answer_that_was_changed_counts_for_nothing(guest: Person, change: Callable[[str], str]) -> None:
    back = way_back(guest)
    assert guest.get(change(back)).status_code == 401
    assert not is_in(guest)


def test_an_attempt_ends_after_ten_minutes(guest: Person, known: Office) -> None:
    back = way_back(guest)
    known.clock.advance(minutes=11)
    assert guest.get(back).status_code == 401


def test_a_closed_account_stays_closed(guest: Person, known: Office) -> None:
    with known.desk.store.write() as connection:
        eva = find_user(connection, "Eva Ek")
        assert eva
        disable_user(connection, eva.id, known.clock())
    answer = guest.get(way_back(guest))
    assert answer.status_code == 401
    assert "Det finns inget konto här för dig" in answer.text


def test_too_many_answers_that_do_not_hold_are_not_looked_at(guest: Person, service: Service) -> None:
    service.claims = {"nonce": "another"}
    found = [guest.get(way_back(guest)).status_code for _ in range(11)]
    assert found == [401] * 10 + [429]


def test_keys_that_the_service_changed_are_fetched_anew_but_not_for_every_token(
    known: Office, settings: OidcSettings, service: Service
) -> None:
    now = [0.0]
    app = app_of(known, oidc=settings)
    app.state.oidc._clock = lambda: now[0]
    assert person_at(app).get(way_back(person_at(app))).status_code == 401  # the keys are not fetched for a stranger
    assert "/keys" not in service.fetched
    eva = person_at(app)
    assert eva.get(way_back(eva)).status_code == 200
    service.own_key, service.kid = rsa.generate_private_key(public_exponent=65537, key_size=2048), "k2"
    eva = person_at(app)
    assert eva.get(way_back(eva)).status_code == 401
    now[0] = 61.0
    eva = person_at(app)
    assert eva.get(way_back(eva)).status_code == 200
    assert service.fetched.count("/keys") == 2
    assert service.fetched.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    ("claim", "who"), [("sub", "a1b2"), ("oid", "0000-1"), ("preferred_username", "eva@example.se")]
)
def test_people_may_be_known_by_another_claim(
    known: Office, settings: OidcSettings, service: Service, claim: str, who: str
) -> None:
    service.who = {"sub": "a1b2", claim: who}
    service.methods = ["client_secret_post"]
    Clerk(known).says("user", "oidc", "Eva Ek", who)
    app = app_of(known, oidc=settings.model_copy(update={"claim": claim}))
    eva = person_at(app)
    assert eva.get(way_back(eva)).status_code == 200
    assert is_in(eva)


def test_the_commands_tie_an_account_to_a_name_of_the_service(known: Office) -> None:
    clerk = Clerk(known)
    clerk.says("user", "add", "Ny Person", "--role", "staff", "--oidc", "Ny@example.se")
    listed = {one["name"]: one["oidc"] for one in clerk.asks("user", "list")}
    assert (listed["Ny Person"], listed["Ada Admin"]) == ("ny@example.se", None)
    assert "another account" in clerk.is_refused("user", "oidc", "Ada Admin", "NY@example.se")
    clerk.says("user", "oidc", "Ny Person", "--off")
    clerk.says("user", "oidc", "Ada Admin", "NY@example.se")


def test_tying_an_account_signs_it_out(known: Office) -> None:
    ada = signed_in(app_of(known), "Ada Admin")
    assert is_in(ada)
    Clerk(known).says("user", "oidc", "Ada Admin", "ada@example.se")
    assert not is_in(ada)


def test_it_works_behind_tls_or_on_this_machine_only(settings: OidcSettings) -> None:
    WebSettings(oidc=settings, base_url="https://desk.example.se")
    with pytest.raises(ValidationError, match="https"):
        WebSettings(oidc=settings, base_url="http://desk.example.se")
    with pytest.raises(ValidationError, match="https"):
        OidcSettings(issuer="http://login.example.se", client_id="x", client_secret_file=Path("x"))


def test_a_real_browser_comes_back_from_another_site_and_is_signed_in(known: Office, settings: OidcSettings) -> None:
    """The session's cookie is Strict: only a browser tells whether it is sent after the way over the other site."""
    chosen = WebSettings(port=0, oidc=settings)
    with served(known.desk, now=known.clock, settings=chosen) as address, running_chromium() as chromium:
        window = Window(chromium.new_context(locale="sv-SE", java_script_enabled=False), address)
        window.go("/signin?next=/account")
        window.page.click("text=Logga in med Exempelkonto")
        window.page.wait_for_url(f"{address}/account")
        assert "Eva Ek" in (window.page.text_content("main") or "")
        window.context.close()
    assert all(one.startswith(settings.issuer) for one in window.outside)
