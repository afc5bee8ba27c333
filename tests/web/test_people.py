"""Accounts: one's own, those an admin manages, and the same in the terminal."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from tests.servers.installation import Office
from tests.web.house import PASSWORD, Person, add_person, app_of, person_at, signed_in

from inboxbot.desk.approve import approve
from inboxbot.desk.context import Actor
from inboxbot.errors import RefusedError, UsageError
from inboxbot.store.people import Role, find_user
from inboxbot.web.passwords import hash_password, new_totp_secret, password_fits, totp_at, totp_step
from inboxbot.web.words import LANGUAGES, chosen_language, words_in


def test_a_new_password_signs_others_out(office: Office, app: Any, eva: Person) -> None:
    elsewhere = signed_in(app, "Eva Ek")
    eva.get("/account")
    assert eva.post("/account/password", present="fel", new="ett helt nytt lösenord").status_code == 422
    assert eva.post("/account/password", present=PASSWORD, new="kort").status_code == 422
    assert "Lösenordet är bytt" in eva.do("/account/password", present=PASSWORD, new="ett helt nytt lösenord").text
    assert elsewhere.client.get("/").status_code == 303
    assert person_at(app).sign_in("Eva Ek").status_code == 401
    assert person_at(app).sign_in("Eva Ek", "ett helt nytt lösenord").status_code == 303


def test_one_time_passwords_are_asked_for_and_taken_once(office: Office, app: Any, eva: Person) -> None:
    eva.get("/account")
    eva.post("/account/totp")
    secret = eva.field("secret")
    step = int(office.clock().timestamp()) // 30
    assert eva.post("/account/totp", secret=secret, code="000000").status_code == 422
    assert "Engångskoder är på" in eva.do("/account/totp", secret=secret, code=totp_at(secret, step)).text
    assert person_at(app).sign_in("Eva Ek").status_code == 401
    assert person_at(app).sign_in("Eva Ek", code=totp_at(secret, step)).status_code == 401
    office.clock.advance(seconds=60)
    fresh = totp_at(secret, int(office.clock().timestamp()) // 30)
    assert person_at(app).sign_in("Eva Ek", code=fresh[:3] + " " + fresh[3:]).status_code == 303
    assert person_at(app).sign_in("Eva Ek", code=fresh).status_code == 401


def test_one_time_passwords_are_those_of_the_standard() -> None:
    """E49."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B
    assert [totp_at(secret, seconds // 30) for seconds in (59, 1111111109, 20000000000)] == [
        "287082",
        "081804",
        "353130",
    ]
    assert totp_step(secret, "287082", dt.datetime.fromtimestamp(59, dt.UTC)) == 1
    assert totp_step(secret, "287082", dt.datetime.fromtimestamp(300, dt.UTC)) is None
    assert totp_step(new_totp_secret(), "ååååå", dt.datetime.fromtimestamp(300, dt.UTC)) is None


def test_passwords_are_kept_as_slow_hashes() -> None:
    """E48."""
    kept = hash_password("lösenord med å")
    assert kept.startswith("$argon2id$")
    assert password_fits("lösenord med å", kept)
    assert not password_fits("lösenord med a", kept)
    assert not password_fits("lösenord med å", None)
    assert not password_fits("lösenord med å", "broken")
    for wrong in ("kort", "x" * 201):
        with pytest.raises(UsageError):
            hash_password(wrong)


def test_an_admin_makes_changes_and_closes_accounts(office: Office, app: Any) -> None:
    ada = signed_in(app, "Ada Admin")
    ada.get("/people")
    ada.post("/people/add", name="Nya Ny", role="staff", company="Exempel AB")
    password = re.search(r'class="secret">([^<]+)<', ada.page)
    assert password
    nya = person_at(app)
    assert nya.sign_in("Nya Ny", password[1]).status_code == 303
    with office.desk.store.read() as connection:
        user = find_user(connection, "Nya Ny")
    assert user
    assert (user.role, user.companies) == (Role.STAFF, ("Exempel AB",))
    ada.get("/people")
    ada.do("/people/role", id=user.id, role="approver")
    ada.do("/people/close", id=user.id)
    assert nya.client.get("/").status_code == 303
    assert ada.post("/people/add", name="Nya Ny", role="staff").status_code == 422
    assert ada.post("/people/add", name="X", role="king").status_code == 422


def test_an_admin_of_one_company_manages_no_other_and_not_himself(office: Office, app: Any) -> None:
    otto = signed_in(app, "Otto Annan")
    page = otto.get("/people").text
    assert "Eva Ek" not in page
    with office.desk.store.read() as connection:
        eva, own = find_user(connection, "Eva Ek"), find_user(connection, "Otto Annan")
    assert eva
    assert own
    for path in ("role", "password", "close"):
        assert otto.post(f"/people/{path}", csrf=otto.field("csrf"), id=eva.id, role="admin").status_code == 404
        otto.get("/people")
    assert otto.post("/people/close", id=own.id).status_code == 422
    assert otto.post("/people/add", name="Ny", role="admin").status_code == 422
    assert otto.post("/people/add", name="Ny", role="admin", company="Exempel AB").status_code == 422


def test_from_the_first_account_on_only_accounts_approve(office: Office) -> None:
    draft = office.drafts()[0]
    for name in ("Vem Som Helst", "Stina Staf", "Otto Annan"):
        with pytest.raises(RefusedError, match="may not approve"):
            approve(office.desk, draft.id, actor=Actor(name, "terminal"), now=office.clock())
    approve(office.desk, draft.id, actor=Actor("Eva Ek", "terminal"), now=office.clock())


def test_accounts_in_the_terminal(office: Office) -> None:
    run = office.installation.run
    made = run("user", "add", "Tove Ny", "--role", "approver", "--company", "Exempel AB")
    password = re.search(r"password: (\S+)", made.stdout)
    assert password
    listed = {one["name"]: one for one in office.installation.json("user", "list")}
    assert listed["Tove Ny"] == {
        "name": "Tove Ny",
        "role": "approver",
        "companies": ["Exempel AB"],
        "totp": False,
        "disabled": False,
        "oidc": None,
    }
    assert listed["Eva Ek"]["companies"] is None
    assert run("user", "add", "tove  ny", "--role", "staff", check=False).returncode == 2
    assert run("user", "add", "X", "--role", "staff", "--company", "Nej AB", check=False).returncode == 2
    run("user", "password", "Tove Ny", "--password-file", "-", input_text="en helt annan mening\n")
    with office.desk.store.read() as connection:
        user = find_user(connection, "Tove Ny")
    assert user
    assert password_fits("en helt annan mening", user.password)
    told = re.search(
        r"otpauth://totp/inboxbot:Tove%20Ny\?secret=([A-Z2-7]{32})&", run("user", "totp", "Tove Ny").stdout
    )
    assert told
    app, code = app_of(office), totp_at(told[1], int(office.clock().timestamp()) // 30)
    assert person_at(app).sign_in("Tove Ny", "en helt annan mening").status_code == 401
    assert person_at(app).sign_in("Tove Ny", "en helt annan mening", code=code).status_code == 303
    assert person_at(app).sign_in("Tove Ny", "en helt annan mening", code=code).status_code == 401, "taken once"
    run("user", "disable", "Tove Ny")
    listed = {one["name"]: one for one in office.installation.json("user", "list")}
    assert (listed["Tove Ny"]["totp"], listed["Tove Ny"]["disabled"]) == (True, True)
    refused = run("drafts", "approve", "1", "--by", "Tove Ny", check=False)
    assert refused.returncode == 1
    assert "may not approve" in refused.stderr


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    swedish, english = (words_in(language).texts for language in LANGUAGES)
    assert set(swedish) == set(english)
    for key, text in swedish.items():
        assert set(re.findall(r"\{\w*\}", text)) == set(re.findall(r"\{\w*\}", english[key])), key
        assert text.strip()


def test_every_word_a_page_asks_for_is_there() -> None:
    known = words_in("sv").texts
    folder = files("inboxbot.web")
    sources = [one for one in folder.iterdir() if one.name.endswith(".py")]
    sources += list(folder.joinpath("templates").iterdir())
    asked = set()
    for source in sources:
        text = source.read_text(encoding="utf-8")
        asked |= set(re.findall(r"\bt\('([a-z_.0-9]+)'(?! ~)", text))
        asked |= set(re.findall(r"words\(\s*\"([a-z_.]+)\"", text))
        groups = re.findall(r"\bt\.of\('([a-z_.]+)'", text)
        assert all(any(key.startswith(f"{group}.") for key in known) for group in groups), source.name
    assert len(asked) > 150
    assert asked - set(known) == set()


@pytest.mark.parametrize(
    ("wish", "accepts", "language"),
    [("en", "sv", "en"), ("", "de,en;q=0.5", "en"), ("", "", "sv"), ("xx", "xx", "sv"), ("", "," * 900, "sv")],
)
def test_the_language_that_is_chosen(wish: str, accepts: str, language: str) -> None:
    assert chosen_language(wish, accepts) == language


def test_what_others_wrote_is_as_they_published_it() -> None:
    static = files("inboxbot.web").joinpath("static")
    for one in tomllib.loads(static.joinpath("vendored.toml").read_text(encoding="utf-8")).values():
        assert hashlib.sha256(static.joinpath(one["file"]).read_bytes()).hexdigest() == one["sha256"]
        assert static.joinpath(one["licence"]).is_file()


def test_a_name_must_be_one(office: Office) -> None:
    for wrong in ("", "x" * 61, "A\nB\x07"):
        with pytest.raises(UsageError):
            add_person(office, wrong)
