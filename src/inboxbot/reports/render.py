"""The report as a person or a program reads it: text, Markdown, HTML, CSV and JSON from the same figures."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from typing import Any

from inboxbot.reports.figures import Figures

_COLUMNS = (
    ("received", "came"),
    ("answered_within_promise", "in time"),
    ("answered_late", "late"),
    ("unanswered_overdue", "overdue"),
    ("running", "running"),
    ("excused", "no answer needed"),
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;margin:1.5rem 0}th{text-align:left;font-weight:500}"
    "td{text-align:right;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid #8885}"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def render_report(figures: Figures, form: str) -> str:
    """Return the report as ``text``, ``md``, ``html``, ``csv`` or ``json``."""
    forms: dict[str, Callable[[Figures], str]] = {
        "text": _text,
        "md": _markdown,
        "html": _html,
        "csv": _csv,
        "json": lambda one: json.dumps(one.values, ensure_ascii=False, indent=2) + "\n",
    }
    return forms[form](figures)


def duration(seconds: float | None) -> str:
    """Return a span for people: minutes under an hour, hours and minutes above."""
    if seconds is None:
        return "–"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def percent(share: float | None) -> str:
    """Return a share for people; a dash when there was nothing to share."""
    return "–" if share is None else f"{share * 100:.1f} %"


def summary(figures: Figures) -> list[tuple[str, str]]:
    """Return the head of the report as (label, value) lines."""
    values = figures.values
    legal = values["legal"]
    excused = ", ".join(f"{count} {reason}" for reason, count in values["excused"].items())
    return [
        ("Mails with a promise", str(values["received"])),
        ("  answered in time", str(values["answered_within_promise"])),
        ("  answered late", str(values["answered_late"])),
        ("  overdue, no answer yet", str(values["unanswered_overdue"])),
        ("  still within their time", str(values["running"])),
        ("  no answer needed", excused or "0"),
        ("Mails without a promise", str(values["without_promise"])),
        ("In time, of those settled", percent(values["share_within_promise"])),
        ("In time, of all that came", percent(values["share_of_all"])),
        ("First answer, median", duration(values["median_first_answer_s"])),
        ("First answer, 9 of 10 within", duration(values["p90_first_answer_s"])),
        ("Legal dates", str(legal["due"])),
        ("  kept", str(legal["met"])),
        ("  missed", str(legal["missed"])),
        ("  running", str(legal["running"])),
        ("Times a mailbox was not read", str(len(values["blind"]))),
        *((f"  {one['mailbox']}", f"{one['since']} – {one['until']}") for one in values["blind"]),
    ]


def _title(figures: Figures) -> str:
    return f"Answers to mail received {figures.first_day} to {figures.last_day}"


def _tables(figures: Figures) -> list[tuple[str, list[list[str]]]]:
    return [
        (
            name,
            [
                [key, *(str(counts[column]) for column, _ in _COLUMNS), percent(counts["share_within_promise"])]
                for key, counts in figures.values[field].items()
            ],
        )
        for name, field in (("by kind", "by_kind"), ("by mailbox", "by_mailbox"))
    ]


def _text(figures: Figures) -> str:
    lines = [_title(figures), ""]
    lines += [f"{label:<29} {value:>10}" for label, value in summary(figures)]
    for name, rows in _tables(figures):
        if not rows:
            continue
        headings = [name, *(title for _, title in _COLUMNS), "share in time"]
        widths = [max(len(row[index]) for row in [headings, *rows]) for index in range(len(headings))]
        lines.append("")
        for row in [headings, *rows]:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  ".join(cells))
    return "\n".join(lines) + "\n"


def _markdown(figures: Figures) -> str:
    lines = [f"# {_title(figures)}", "", "| figure | value |", "| --- | ---: |"]
    lines += [f"| {label.strip()} | {value} |" for label, value in summary(figures)]
    for name, rows in _tables(figures):
        if rows:
            headings = [name, *(title for _, title in _COLUMNS), "share in time"]
            lines += ["", f"| {' | '.join(headings)} |", f"| --- |{' ---: |' * (len(headings) - 1)}"]
            lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _html(figures: Figures) -> str:
    head = html.escape(_title(figures))
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(label.strip())}</th><td>{html.escape(value)}</td></tr>"
        for label, value in summary(figures)
    )
    tables = "".join(_html_table(name, body) for name, body in _tables(figures) if body)
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<title>{head}</title><style>{_STYLE}</style></head><body><h1>{head}</h1><table>{rows}</table>{tables}</body></html>\n"
    )


def _html_table(name: str, rows: list[list[str]]) -> str:
    headings = [name, *(title for _, title in _COLUMNS), "share in time"]
    head = "".join(f"<th scope='col'>{html.escape(cell)}</th>" for cell in headings)
    body = "".join(
        f"<tr><th scope='row'>{html.escape(row[0])}</th>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _csv(figures: Figures) -> str:
    """Return one figure a line: group, name, figure, value. Cells that a spreadsheet could run are quoted with '."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(["group", "name", "figure", "value"])
    for group, name, figure, value in _cells(figures.values):
        writer.writerow(
            [safe_cell(group), safe_cell(name), safe_cell(figure), "" if value is None else safe_cell(str(value))]
        )
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(values: dict[str, Any]) -> list[tuple[str, str, str, Any]]:
    cells: list[tuple[str, str, str, Any]] = []
    for key, value in values.items():
        if key in {"by_kind", "by_mailbox"}:
            cells += [(key, name, figure, one) for name, counts in value.items() for figure, one in counts.items()]
        elif key == "blind":
            cells += [(key, one["mailbox"], figure, one[figure]) for one in value for figure in ("since", "until")]
        elif isinstance(value, dict):
            cells += [(key, "", figure, one) for figure, one in value.items()]
        else:
            cells.append(("total", "", key, value))
    return cells
