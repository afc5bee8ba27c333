"""The suppression list: entered by hand or from a file, checked, and given to the tool that sends newsletters.

Addresses are never kept, only digests keyed by this installation and the company (law.md 7), so a list that leaves the
house cannot be turned back into addresses; other tools ask with `check`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inboxbot.config.addresses import checked_address
from inboxbot.desk.context import Desk
from inboxbot.errors import UsageError
from inboxbot.reading.charsets import clean_line
from inboxbot.store.suppressions import CHANNELS, address_digest, list_suppressions, suppress, suppressed

COLUMNS = ("company", "address_digest", "channels", "since", "reason")
MAX_REASON = 200
MAX_LINES = 1_000_000
_ADDRESS_NAMES = frozenset({"address", "email", "e-mail", "mail", "e-post", "epost", "e-postadress", "epostadress"})
_CHANNEL_NAMES = frozenset({"channels", "channel", "kanal", "kanaler"})
_REASON_NAMES = frozenset({"reason", "orsak", "skäl"})
_SINCE_NAMES = frozenset({"since", "date", "datum", "sedan"})
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a file that was read: the digest it means, its channels, since when, and why."""

    digest: str
    channels: tuple[str, ...]
    since: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands against marketing to an address: the company, the channels, and since when."""

    company: str
    channels: tuple[str, ...]
    since: dt.datetime
    reason: str


def company_named(desk: Desk, name: str | None) -> str:
    """Return the name of the company that is meant. Raises UsageError when it is unknown or one has to be chosen."""
    names = [one.name for one in desk.settings.company]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        what = f"there is no company {name!r}" if name else "there are several companies"
        raise UsageError(what, where="--company", cure=f"one of: {', '.join(names)}")
    return name


def add(
    desk: Desk, company: str, address: str, *, channels: Sequence[str], reason: str, now: dt.datetime
) -> tuple[str, bool]:
    """Enter an address; return its digest and whether anything is new. Raises UsageError for what is no address."""
    digest = address_digest(desk.secret, company, _address(address))
    with desk.store.write() as connection:
        new = suppress(
            connection,
            company=company,
            digest=digest,
            channels=channels or CHANNELS,
            since=now,
            reason=_reason(reason),
            case_id=None,
        )
    return digest, new


def check(desk: Desk, address: str, *, company: str | None = None, channel: str | None = None) -> list[Standing]:
    """Return what stands against marketing to an address, by company; empty when nothing does."""
    names = [company] if company else [one.name for one in desk.settings.company]
    bare = _address(address)
    found = []
    with desk.store.read() as connection:
        for name in names:
            row = suppressed(connection, name, address_digest(desk.secret, name, bare))
            if row is not None and (channel is None or channel in row["channels"]):
                found.append(Standing(name, tuple(row["channels"]), row["since"], row["reason"]))
    return found


def entries(desk: Desk, *, company: str | None = None, channel: str | None = None) -> list[dict[str, Any]]:
    """Return the list as plain data under the names of `COLUMNS`, oldest first."""
    with desk.store.read() as connection:
        rows = list_suppressions(connection, company=company, channel=channel)
    return [{key: row[key] for key in COLUMNS} for row in rows]


def as_csv(rows: Iterable[dict[str, Any]]) -> str:
    """Return the list as CSV that no spreadsheet takes a formula from."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        since = row["since"].astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        cells = [row["company"], row["address_digest"], " ".join(row["channels"]), since, row["reason"]]
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return out.getvalue()


def bring_in(
    desk: Desk, company: str, content: bytes, *, channels: Sequence[str], reason: str, now: dt.datetime
) -> dict[str, int]:
    """Enter every line of a CSV file, all or nothing; return how many are new and how many stood already.

    The first line is a heading when it names a column; else the first cell of each line is an address. A line may
    also carry the digest of an earlier export. Raises UsageError that names every wrong line.
    """
    found, faults = _read(desk, company, _decoded(content), tuple(channels) or CHANNELS, _reason(reason), now)
    if faults:
        shown = faults[:_FAULTS_SHOWN] + ([f"and {len(faults) - _FAULTS_SHOWN} more"] if len(faults) > 20 else [])
        raise UsageError("; ".join(shown), where="import", cure="mend these lines; nothing was entered")
    new = 0
    with desk.store.write() as connection:
        for one in found:
            new += suppress(
                connection,
                company=company,
                digest=one.digest,
                channels=one.channels,
                since=one.since,
                reason=one.reason,
                case_id=None,
            )
    return {"lines": len(found), "new": new, "known": len(found) - new}


def _read(
    desk: Desk, company: str, text: str, channels: tuple[str, ...], reason: str, now: dt.datetime
) -> tuple[list[Entry], list[str]]:
    rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text)))
    if len(rows) > MAX_LINES:
        raise UsageError(f"more than {MAX_LINES} lines", where="import", cure="import it in parts")
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    places = _places(heading)
    found: list[Entry] = []
    faults: list[str] = []
    for number, row in enumerate(rows, start=1):
        if (number == 1 and places) or not any(cell.strip() for cell in row):
            continue
        cells = {name: row[place].strip() for name, place in (places or {"address": 0}).items() if place < len(row)}
        try:
            found.append(_entry(desk, company, cells, channels, reason, now))
        except ValueError as error:
            faults.append(f"line {number}: {error}")
    return found, faults


def _places(heading: Sequence[str]) -> dict[str, int]:
    """Return which column holds what, or nothing when the first line is no heading."""
    places: dict[str, int] = {}
    for place, name in enumerate(heading):
        for key, names in (
            ("address", _ADDRESS_NAMES),
            ("digest", frozenset({"address_digest"})),
            ("channels", _CHANNEL_NAMES),
            ("reason", _REASON_NAMES),
            ("since", _SINCE_NAMES),
            ("company", frozenset({"company"})),
        ):
            if name in names:
                places.setdefault(key, place)
    return places if {"address", "digest"} & set(places) else {}


def _entry(
    desk: Desk, company: str, cells: dict[str, str], channels: tuple[str, ...], reason: str, now: dt.datetime
) -> Entry:
    if cells.get("company", company) not in {company, ""}:
        raise ValueError(f"belongs to another company than {company}")
    if "digest" in cells:
        if not _DIGEST.fullmatch(cells["digest"]):
            raise ValueError("is no digest of this list")
        digest = cells["digest"]
    else:
        digest = address_digest(desk.secret, company, checked_address(cells.get("address", "")))
    named = tuple(part for part in re.split(r"[\s,;|]+", cells.get("channels", "").lower()) if part)
    unknown = sorted(set(named) - set(CHANNELS))
    if unknown:
        raise ValueError(f"unknown channel {unknown[0]!r}; known are {', '.join(CHANNELS)}")
    words = clean_line(cells.get("reason", "")).lstrip("'")[:MAX_REASON]
    return Entry(digest, named or channels, _moment(cells.get("since", ""), now), words or reason)


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    if not text:
        return now
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day; write it like 2026-03-05") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    if aware > now + dt.timedelta(days=1):
        raise ValueError("the day lies in the future")
    return aware


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _address(text: str) -> str:
    try:
        return checked_address(text)
    except ValueError as error:
        raise UsageError(str(error), where="ADDRESS") from None


def _reason(text: str) -> str:
    reason = clean_line(text)
    if not 0 < len(reason) <= MAX_REASON:
        raise UsageError(f"the reason has between 1 and {MAX_REASON} characters", where="--reason")
    return reason
