"""The `[web]` table of the settings: whether the desk can be served there, safely, and somebody can sign in."""

from __future__ import annotations

import http.client
import socket
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from inboxbot.config.addresses import is_loopback
from inboxbot.config.model import Settings, WebSettings
from inboxbot.daemon.findings import Finding, Level
from inboxbot.errors import InboxbotError
from inboxbot.store.engine import Store
from inboxbot.store.people import Role, User, list_users
from inboxbot.store.schema import require_current

ANSWER_S: Final = 3.0
_OURS: Final = b"inboxbot</title>"


def check_web(settings: Settings) -> list[Finding]:
    """Look at the desk in the browser; nothing when the settings have no [web] table."""
    if settings.web is None:
        return []
    return [_port(settings.web), *_way_there(settings.web), *_people(settings)]


def _port(web: WebSettings) -> Finding:
    """See whether the desk can listen where it is told to, or does so already."""
    where = f"{web.listen}:{web.port}"
    door = socket.socket(socket.AF_INET6 if ":" in web.listen else socket.AF_INET, socket.SOCK_STREAM)
    try:
        with door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((web.listen, web.port))
            door.listen(1)
    except OSError as error:
        if _is_ours(web):
            return Finding("web", where, Level.OK, "the desk answers there already")
        what = f"the desk cannot listen there: {error.strerror or 'not possible'}"
        return Finding("web", where, Level.ERROR, what, "set another web.port, or end what listens there")
    return Finding("web", where, Level.OK, "free for the desk")


def _is_ours(web: WebSettings) -> bool:
    """Return whether what listens there shows our page for signing in."""
    to = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(web.listen, web.listen)  # noqa: S104  (asked for in the settings)
    named = urlsplit(web.base_url).netloc if web.base_url else f"127.0.0.1:{web.port}"
    connection = http.client.HTTPConnection(to, web.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/signin", headers={"Host": named})
        return _OURS in connection.getresponse().read(20_000)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _way_there(web: WebSettings) -> list[Finding]:
    """See that no password travels in clear text. The settings refuse to listen beyond loopback without https."""
    address = urlsplit(web.base_url or "")
    if address.scheme == "http" and not is_loopback(address.hostname or ""):
        what = "people reach the desk without encryption, passwords included"
        cure = 'put a web server with TLS in front and set web.base_url = "https://…"'
        return [Finding("web", str(web.base_url), Level.ERROR, what, cure)]
    if not is_loopback(web.listen):
        what = "other machines reach the desk past the web server with TLS, if nothing is in between"
        cure = 'set web.listen = "127.0.0.1" when that server runs here, else let only it through'
        return [Finding("web", web.listen, Level.WARNING, what, cure)]
    return []


def _people(settings: Settings) -> list[Finding]:
    """See that somebody can sign in, somebody manages accounts, and letters of every company can be approved."""
    try:
        people = _accounts(settings)
    except (InboxbotError, SQLAlchemyError, ModuleNotFoundError):
        return []  # told where the database is looked at
    add = "`inboxbot user add NAME --role {}`"
    if not people:
        what = "nobody can sign in: there are no accounts"
        return [Finding("web", "accounts", Level.WARNING, what, add.format("admin"))]
    found = []
    if not any(one.role is Role.ADMIN for one in people):
        what = "no account is an admin, so accounts are made in the terminal only"
        found.append(Finding("web", "accounts", Level.WARNING, what, add.format("admin")))
    for company in settings.company:
        approves = any("web" in one.approval or "terminal" in one.approval for one in company.mailbox)
        if approves and not any(one.may_approve and one.sees(company.name) for one in people):
            what = "no account may approve its letters, so none goes out"
            found.append(Finding("web", company.name, Level.ERROR, what, add.format("approver")))
    return found or [Finding("web", "accounts", Level.OK, f"{len(people)} can sign in")]


def _accounts(settings: Settings) -> list[User]:
    """Return the accounts that are open; none when there is no database yet."""
    store = Store(settings.database.url, folder=settings.folder)
    try:
        if store.path is not None and not store.path.exists():
            return []
        require_current(store)
        with store.read() as connection:
            return [one for one in list_users(connection) if one.disabled_at is None]
    finally:
        store.close()
