"""When a mail was received: the earlier of a trusted Received line and INTERNALDATE, never ``Date:`` (law.md 4)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_tz
from typing import Final

# Moments before this are no mail's: a store that lost its times says 1970.
_PLAUSIBLE: Final = dt.datetime(1995, 1, 1, tzinfo=dt.UTC)
_APART: Final = dt.timedelta(minutes=15)
_MOST_HOPS: Final = 60
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
_BY: Final = re.compile(rf"(?:^|\s)by\s+({_HOST})(?=[\s;]|$)", re.IGNORECASE)
_ZONE: Final = re.compile(r"(?:[+-]\d{4}|\b[A-Z]{2,5})\s*(?:\([^()]{0,40}\))?\Z")
_FROM: Final = re.compile(rf"^\s*from\s+({_HOST})(?=[\s;]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The moment of receipt in UTC and where it comes from.

    ``source`` is ``received``, ``internaldate`` or ``fetched``. ``note`` holds codes joined by a comma, or None:
    ``times_differ`` (over 15 minutes between Received and INTERNALDATE), ``in_future`` (clamped to the fetch),
    ``implausible`` (INTERNALDATE passed over), ``no_zone`` (taken as UTC), ``low_confidence`` (fetch alone is left).
    """

    at: dt.datetime
    source: str
    note: str | None = None


def receipt_time(
    internaldate: dt.datetime | None,
    received_headers: Sequence[str],
    trusted_hosts: Sequence[str],
    fetched_at: dt.datetime,
) -> Receipt:
    """Return the moment a mail was received, never later than ``fetched_at``.

    ``received_headers`` are the values in message order (newest first). Trusted are the topmost lines written by one of
    ``trusted_hosts`` (a name, or ``.example.se`` for all below it) as long as each was handed over by a trusted host;
    the first of our hosts to see the mail counts.
    """
    notes: list[str] = []
    stamped, zone_told = _trusted_moment(received_headers, trusted_hosts)
    if stamped is not None and not zone_told:
        notes.append("no_zone")
    stored = internaldate
    if stored is not None and stored < _PLAUSIBLE:
        stored = None
        notes.append("implausible")
    if stamped is not None and stored is not None and abs(stamped - stored) > _APART:
        notes.append("times_differ")
    found = [(moment, source) for moment, source in ((stamped, "received"), (stored, "internaldate")) if moment]
    if not found:
        return Receipt(fetched_at, "fetched", ",".join([*notes, "low_confidence"]))
    moment, source = min(found, key=lambda pair: pair[0])
    if moment > fetched_at:
        return Receipt(fetched_at, "fetched", ",".join([*notes, "in_future"]))
    return Receipt(moment, source, ",".join(notes) or None)


def _trusted_moment(headers: Sequence[str], trusted: Sequence[str]) -> tuple[dt.datetime | None, bool]:
    """Return the moment of the lowest trusted line, and whether it names its zone."""
    best: tuple[dt.datetime | None, bool] = None, True
    for header in headers[:_MOST_HOPS]:
        by = _BY.search(header[:4096])
        if by is None or not _is_trusted(by[1], trusted):
            break
        moment, zone_told = _moment(header)
        if moment is not None and moment >= _PLAUSIBLE:
            best = moment, zone_told
        giver = _FROM.match(header[:4096])
        if giver is not None and not _is_trusted(giver[1], trusted):
            break
    return best


def _is_trusted(host: str, trusted: Sequence[str]) -> bool:
    name = host.lower().rstrip(".")
    return any(
        name.endswith(item.lower()) if item.startswith(".") else name == item.lower().rstrip(".") for item in trusted
    )


def _moment(header: str) -> tuple[dt.datetime | None, bool]:
    """Return the moment after the last semicolon in UTC, and whether a zone stood there."""
    text = header.rpartition(";")[2].strip()[:120]
    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None, False
        local = dt.datetime(*parts[:6], tzinfo=dt.UTC)
        return local - dt.timedelta(seconds=parts[9] or 0), _ZONE.search(text) is not None
    except (ValueError, OverflowError, IndexError, TypeError):
        return None, False
