"""Printing: tables for people, JSON for programs, and nothing a mail could do to a terminal."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import click


def print_json(document: Any) -> None:
    """Print one JSON document: moments as UTC with Z, dates as YYYY-MM-DD."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def utc_text(moment: dt.datetime | None) -> str | None:
    """Return a moment as ISO 8601 UTC, or None."""
    if moment is None:
        return None
    utc = moment.astimezone(dt.UTC)
    form = "microseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=form).replace("+00:00", "Z")


def local_text(moment: dt.datetime | None, zone: ZoneInfo) -> str:
    """Return a moment for people: the local day and minute, or a dash."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else "–"


def safe(text: str, *, newlines: bool = False) -> str:
    """Return text from outside with every control and direction character shown instead of sent to the terminal."""
    return "".join(
        letter
        if letter == "\n" and newlines
        else f"\\x{ord(letter):02x}"
        if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        else letter
        for letter in text
    )


def width_of(text: str) -> int:
    """Return the columns a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """Return ``text`` cut to ``width`` columns, with an ellipsis when something was left out."""
    if width_of(text) <= width:
        return text
    kept, used = "", 1
    for letter in text:
        used += width_of(letter)
        if used > width:
            break
        kept += letter
    return kept + "…"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, shrink: int | None = None) -> None:
    """Print rows under headings; the column ``shrink`` gives way when the terminal is narrow."""
    if not rows:
        click.echo("nothing to show")
        return
    cells = [[safe(str(cell)) for cell in row] for row in rows]
    widths = [max(width_of(line[index]) for line in [list(headings), *cells]) for index in range(len(headings))]
    if shrink is not None:
        room = shutil.get_terminal_size((120, 40)).columns - (sum(widths) + 2 * (len(widths) - 1) - widths[shrink])
        widths[shrink] = min(widths[shrink], max(12, room))
    click.echo(_line(headings, widths))
    click.echo("  ".join("─" * width for width in widths))
    for row in cells:
        click.echo(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = [cut(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded = [cell + " " * (width - width_of(cell)) for cell, width in zip(fitted, widths, strict=True)]
    return "  ".join(padded).rstrip()


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return utc_text(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
