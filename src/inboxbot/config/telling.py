"""Settings of those outside: programs and staff who are told of what happens, and the service that signs staff in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from inboxbot.config.addresses import is_loopback
from inboxbot.config.section import Section

Event = Literal["opened", "held", "due_soon", "overdue", "sent", "sending_stopped", "mailbox_blind"]


def checked_https(url: str) -> str:
    """Return ``url`` when it is an https address without a sign-in in it; plain http is taken on loopback only."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
        raise ValueError("must be an https address")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be an https address; plain http is taken on loopback only")
    if parts.username is not None or parts.fragment:
        raise ValueError("must be an https address without a name, a password or a # in it")
    return url


HttpsAddress = Annotated[str, AfterValidator(checked_https)]


class Webhook(Section):
    """A program that is told of what happens in the company's cases; never of words or addresses."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    url: HttpsAddress
    secret_file: Path
    events: list[Event] = ["opened", "due_soon", "overdue", "sent"]
    private: bool = False


class AlarmSettings(Section):
    """How long before a promise or a legal date falls due somebody is told."""

    promise_hours_before: list[Annotated[int, Field(ge=1, le=24 * 31)]] = [4, 1]
    legal_days_before: list[Annotated[int, Field(ge=1, le=60)]] = [7, 3, 1]


class OidcSettings(Section):
    """A sign-in service of the company (OpenID Connect) that says who somebody is. Accounts are made by hand."""

    name: str = Field(default="OpenID Connect", min_length=1, max_length=40)
    issuer: HttpsAddress
    client_id: str = Field(min_length=1)
    client_secret_file: Path
    claim: Literal["email", "sub", "oid", "preferred_username"] = "email"
    private: bool = False
