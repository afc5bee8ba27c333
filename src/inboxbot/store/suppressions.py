"""The suppression list: who does not want marketing, as keyed digests that cannot be turned back into addresses."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from inboxbot.store.tables import suppressions

CHANNELS = ("email", "sms", "phone", "post", "ads")


def address_digest(secret: bytes, company: str, address: str) -> str:
    """Return the HMAC-SHA-256 of a normalised address, keyed by the installation and the company (law.md 7)."""
    text = f"inboxbot suppression\0{company}\0{address.strip().lower()}"
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def suppress(
    connection: Connection,
    *,
    company: str,
    digest: str,
    channels: Sequence[str],
    since: dt.datetime,
    reason: str,
    case_id: int | None,
) -> bool:
    """Enter an opt-out, or add channels to one that stands; return whether anything is new."""
    query = select(suppressions).where(suppressions.c.company == company, suppressions.c.address_digest == digest)
    row = connection.execute(query).first()
    if row is None:
        connection.execute(
            insert(suppressions).values(
                company=company,
                address_digest=digest,
                channels=sorted(channels),
                since=since,
                reason=reason,
                case_id=case_id,
            )
        )
        return True
    joined = sorted({*row.channels, *channels})
    if joined == row.channels:
        return False
    connection.execute(update(suppressions).where(suppressions.c.id == row.id).values(channels=joined))
    return True


def suppressed(connection: Connection, company: str, digest: str) -> dict[str, Any] | None:
    """Return the opt-out of an address by its digest, or None."""
    query = select(suppressions).where(suppressions.c.company == company, suppressions.c.address_digest == digest)
    row = connection.execute(query).first()
    return dict(row._mapping) if row else None


def list_suppressions(
    connection: Connection, *, company: str | None = None, channel: str | None = None
) -> list[dict[str, Any]]:
    """Return every opt-out, oldest first, narrowed to a company and to those that name a channel."""
    query = select(suppressions).order_by(suppressions.c.id)
    if company is not None:
        query = query.where(suppressions.c.company == company)
    rows = [dict(row._mapping) for row in connection.execute(query)]
    return [row for row in rows if channel is None or channel in row["channels"]]
