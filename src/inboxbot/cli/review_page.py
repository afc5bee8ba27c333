"""What `inboxbot review` shows of a case: the clocks, the mail with its decisive words, the letter and its check.

Every word from outside is made harmless before it is styled. Without a terminal, or with NO_COLOR, the decisive words
stand between asterisks.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import click

from inboxbot.cases.promise import promise_status
from inboxbot.cases.values import Case, PromiseStatus
from inboxbot.cli.output import cut, local_text, safe, width_of
from inboxbot.desk.letters import Finding
from inboxbot.store.drafts import Draft

MOST_LINES = 60
NARROWEST, WIDEST = 40, 100
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Page:
    """A case as it is shown: its newest incoming mail (None: there is none), the letter that waits, and its findings.

    ``number`` of ``count`` is its place in the queue, ``earlier`` the count of its mails before this one.
    """

    case: Case
    mail: dict[str, Any] | None
    earlier: int
    letter: Draft | None
    findings: Sequence[Finding]
    others: Sequence[Draft]
    number: int
    count: int


def print_page(page: Page, *, now: dt.datetime, zone: ZoneInfo) -> None:
    """Print a case."""
    width = _width()
    click.echo()
    click.echo(_rule(f"{page.number} of {page.count}", f"{page.case.reference} · {page.case.state.value}", width))
    for line in _head(page, now, zone, width):
        click.echo(line)
    click.echo()
    _print_mail(page, zone, width)
    click.echo()
    _print_letter(page, width)


def _print_mail(page: Page, zone: ZoneInfo, width: int) -> None:
    mail = page.mail
    if mail is None:
        click.echo(_bold("No mail: the case was entered by hand."))
        return
    verdict = mail["detail"].get("verdict", {})
    marks: dict[str, list[tuple[int, int]]] = {"subject": [], "body": []}
    for one in verdict.get("evidence", []):
        marks.setdefault(one["part"], []).append((one["start"], one["end"]))
    moment = local_text(mail["received_at"], zone)
    for line in marked_lines(mail["subject"] or "(no subject)", marks["subject"], width, bold=True):
        click.echo(line)
    click.echo(_dim(f"received {moment}" + (f" · {page.earlier} earlier on this case" if page.earlier else "")))
    if mail["detail"].get("fault"):
        click.echo(f"  (it could not be read: {mail['detail']['fault'].replace('_', ' ')})")
    _print_cut([*marked_lines(mail["text"].rstrip(), marks["body"], width - 2)], page.case.reference)
    for one in mail["detail"].get("attachments", []):
        click.echo(_dim(cut(f"  file: {safe(one['name'])} ({one['type']}, {one['size']} bytes)", width)))


def _print_cut(lines: list[str], reference: str) -> None:
    for line in lines[:MOST_LINES]:
        click.echo(f"  {line}".rstrip())
    if len(lines) > MOST_LINES:
        click.echo(_dim(f"  … {len(lines) - MOST_LINES} more lines: `inboxbot cases show {reference}`"))


def _print_letter(page: Page, width: int) -> None:
    letter = page.letter
    if letter is None:
        click.echo(_bold("No letter waits for approval."))
        for other in page.others:
            click.echo(f"  letter {other.id} is {other.state.value}: `inboxbot drafts settle {other.id}`")
        return
    head = f"Letter {letter.id} · {letter.template.replace('_', ' ')} · {letter.language} · to "
    click.echo(_bold(cut(head + safe(letter.recipient or "(nobody yet)"), width)))
    click.echo(cut(f"Subject: {safe(letter.subject)}", width))
    for line in marked_lines((letter.final or letter.body).rstrip(), (), width - 2):
        click.echo(f"│ {line}".rstrip())
    for one in page.findings:
        sign = _bold("must be mended:") if one.blocks else "look at:"
        click.echo(f"{sign} {safe(one.text)} [{one.rule}]")


# --- the head -----------------------------------------------------------------------------------------------------


def _head(page: Page, now: dt.datetime, zone: ZoneInfo, width: int) -> Iterator[str]:
    case = page.case
    name = f"{safe(case.requester_name)} " if case.requester_name else ""
    sender = f"{name}<{safe(case.requester)}>" if case.requester else "(nobody knows who asks)"
    yield cut(f"from  {sender} to {safe(case.mailbox)}", width)
    asked = [one for one in case.requests if one.outcome is None]
    if asked:
        yield cut("asks  " + ", ".join(one.kind.value for one in asked), width)
    yield "due   " + " · ".join([_promise(case, now, zone), *_law(case)])
    if case.held_reason:
        yield _bold(f"held  {case.held_reason.replace('_', ' ')}: is it what it was taken for?")
    if case.assignee:
        yield f"with  {safe(case.assignee)}"


def _promise(case: Case, now: dt.datetime, zone: ZoneInfo) -> str:
    status, shown = promise_status(case.promises, now)
    if shown is None or status in (PromiseStatus.NONE, PromiseStatus.EXCUSED):
        return "no promise runs"
    if status in (PromiseStatus.MET, PromiseStatus.LATE):
        return f"answered ({status.value})"
    due = local_text(shown.due_at, zone)
    if status is PromiseStatus.OVERDUE:
        return _bold(f"OVERDUE since {span(now - shown.due_at)}, promised by {due}")
    return f"answer within {span(shown.due_at - now)}, by {due}"


def _law(case: Case) -> list[str]:
    dates = [one.due_hard for one in case.requests if one.due_hard is not None and one.outcome is None]
    return [f"by law {min(dates).isoformat()}"] if dates else []


def span(length: dt.timedelta) -> str:
    """Return a span for people: minutes below two hours, hours below two days, else days."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


# --- lines --------------------------------------------------------------------------------------------------------


def marked_lines(text: str, spans: Spans, width: int, *, bold: bool = False) -> Iterator[str]:
    """Yield ``text`` wrapped at ``width`` columns, harmless, with the words of ``spans`` marked."""
    begin = 0
    for line in text.split("\n"):
        for start, end in _wrapped(line, width):
            yield _marked(text, begin + start, begin + end, spans, bold=bold)
        begin += len(line) + 1


def _marked(text: str, begin: int, end: int, spans: Spans, *, bold: bool) -> str:
    def is_told(place: int) -> bool:
        return any(start <= place < stop for start, stop in spans)

    pieces = []
    for told, places in groupby(range(begin, end), key=is_told):
        words = safe("".join(text[place] for place in places))
        pieces.append(_tell(words) if told else _bold(words) if bold else words)
    return "".join(pieces)


def _wrapped(line: str, width: int) -> Iterator[tuple[int, int]]:
    """Yield where each printed line begins and ends: broken at spaces, or within a word that is too long."""
    start, last_space, used = 0, -1, 0
    for place, letter in enumerate(line):
        if letter == " ":
            last_space = place
        used += width_of(safe(letter))
        if used <= width:
            continue
        stop = last_space if last_space > start else place
        yield start, stop
        start = stop + 1 if last_space > start else stop
        used = width_of(safe(line[start : place + 1]))
    yield start, len(line)


def _rule(left: str, right: str, width: int) -> str:
    room = max(3, width - len(left) - len(right) - 8)
    return _bold(f"── {left} {'─' * room} {right} ──")


def _width() -> int:
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def _paints() -> bool:
    return not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def _tell(words: str) -> str:
    return click.style(words, bold=True, underline=True) if _paints() else f"*{words}*"


def _bold(words: str) -> str:
    return click.style(words, bold=True) if _paints() else words


def _dim(words: str) -> str:
    return click.style(words, dim=True) if _paints() else words


def print_menu(pairs: Iterable[tuple[str, str]]) -> None:
    """Print the keys that are possible now, on as few lines as fit."""
    line = ""
    for key, what in pairs:
        item = f"{key} {what}"
        if line and width_of(line) + len(item) + 3 > _width():
            click.echo(_dim(line))
            line = ""
        line = f"{line} · {item}" if line else item
    click.echo(_dim(line))
