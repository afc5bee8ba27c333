"""A case file as pages for people: Markdown and HTML from the same blocks, with personal numbers masked."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from inboxbot.cases.personal_numbers import mask_personal_numbers

_WORDS = {
    "Case file": "Ärendeakt",
    "Made": "Upprättad",
    "Company": "Personuppgiftsansvarig",
    "Organisation number": "Organisationsnummer",
    "Supervisory authority": "Tillsynsmyndighet",
    "Privacy policy": "Integritetspolicy, version",
    "State": "Läge",
    "Requester": "Den som begär",
    "Mailbox": "Brevlåda",
    "Opened": "Öppnat",
    "Content removed": "Innehållet borttaget",
    "What is asked for": "Vad som begärs",
    "Right": "Rättighet",
    "Received": "Inkom",
    "Last day": "Sista dag",
    "Why": "Varför",
    "Extended": "Förlängd",
    "Outcome": "Utfall",
    "Told": "Besked lämnat",
    "Promised answer": "Utlovat svar",
    "Due": "Senast",
    "Answered": "Besvarat",
    "Status": "Läge för löftet",
    "Identity": "Identitet",
    "Method": "Sätt",
    "Level": "Nivå",
    "Address on file": "Registrerad adress",
    "Found in": "Funnen i",
    "Decided line by line": "Beslut rad för rad",
    "Line": "Rad",
    "Answer": "Svar",
    "Until": "Till och med",
    "Ground": "Grund",
    "Words": "Motivering",
    "Correspondence": "Korrespondens",
    "from the requester": "från den registrerade",
    "our letter": "vårt svar",
    "note": "anteckning",
    "attachment (not opened)": "bilaga (inte öppnad)",
    "Letters": "Svar",
    "Letter": "Brev",
    "Kind of letter": "Mall",
    "To": "Till",
    "Sent": "Skickat",
    "Files": "Filer",
    "Digest of what was approved": "Kontrollsumma av det godkända",
    "Approved": "Godkänt",
    "by": "av",
    "withdrawn": "återtaget",
    "never sent": "aldrig skickat",
    "History": "Händelser",
    "The chain of entries is whole.": "Kedjan av händelser är hel.",
    "The chain is broken at entry": "Kedjan är bruten vid händelse",
    "When": "När",
    "Event": "Händelse",
    "Who": "Vem",
    "Detail": "Uppgift",
    "Moments are local, in": "Tider är lokala, i",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the page: a heading (``level`` 1–3), a table, or text that somebody wrote."""

    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    quoted: bool = False


class _Page:
    def __init__(self, file: dict[str, Any]) -> None:
        self.file = file
        self.swedish = file["language"] == "sv"
        try:
            self.zone: dt.tzinfo = ZoneInfo(file["zone"])
        except (ZoneInfoNotFoundError, ValueError):
            self.zone = dt.UTC
        self.blocks: list[Block] = []

    def say(self, words: str) -> str:
        return _WORDS[words] if self.swedish else words

    def moment(self, text: str | None) -> str:
        if not text:
            return "–"
        return dt.datetime.fromisoformat(text).astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def head(self, level: int, words: str) -> None:
        self.blocks.append(Block(words, level))

    def facts(self, *pairs: tuple[str, str | None]) -> None:
        shown = tuple((self.say(name), value) for name, value in pairs if value)
        if shown:
            self.blocks.append(Block(rows=(("", ""), *shown)))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        if rows:
            titles = tuple(self.say(one) for one in headings)
            self.blocks.append(Block(rows=(titles, *(tuple(row) for row in rows))))

    def quote(self, words: str) -> None:
        if words.strip():
            self.blocks.append(Block(words.strip("\n"), quoted=True))


def case_pages(file: dict[str, Any]) -> list[Block]:
    """Return a case file as blocks, in the company's language (Swedish or English)."""
    page = _Page(file)
    _front(page)
    _asked(page)
    _correspondence(page)
    _letters(page)
    _history(page)
    return page.blocks


def _front(page: _Page) -> None:
    file, company = page.file, page.file["company"]
    page.head(1, f"{page.say('Case file')} {file['reference']}")
    page.facts(
        ("Made", f"{page.moment(file['made_at'])} ({file['made_by']})"),
        ("Company", company["name"]),
        ("Organisation number", company["organisation_number"]),
        ("Supervisory authority", company["authority"]),
        ("Privacy policy", company["policy_version"]),
        ("State", file["state"]),
        ("Requester", " ".join(part for part in (file["requester_name"], file["requester"]) if part)),
        ("Mailbox", file["mailbox"]),
        ("Opened", page.moment(file["opened_at"])),
        ("Content removed", page.moment(file["purged_at"]) if file["purged_at"] else None),
        ("Moments are local, in", file["zone"]),
    )


def _asked(page: _Page) -> None:
    file = page.file
    page.head(2, page.say("What is asked for"))
    for one in file["requests"]:
        page.head(3, one["kind"])
        page.facts(
            ("Received", page.moment(one["received_at"])),
            ("Last day", one["due_on"]),
            ("Why", one["explained"]),
            ("Extended", one["extended_on"]),
            ("Outcome", one["outcome"]),
            ("Told", page.moment(one["told_at"]) if one["told_at"] else None),
        )
        page.table(
            ("Line", "Answer", "Until", "Ground", "Words"),
            [
                (
                    f"{line['about']}: {line['name']}",
                    line["answer"] or "–",
                    line["until"] or "–",
                    line["ground"] or "–",
                    line["detail"],
                )
                for line in one["checklist"]
            ],
        )
    if file["promises"]:
        page.head(2, page.say("Promised answer"))
    page.table(
        ("Received", "Due", "Answered", "Status"),
        [
            (
                page.moment(one["received_at"]),
                page.moment(one["due_at"]),
                page.moment(one["answered_at"]),
                one["status"] + (f" ({one['excused']})" if one["excused"] else ""),
            )
            for one in file["promises"]
        ],
    )
    page.head(2, page.say("Identity"))
    known = file["identity"]
    page.facts(
        ("Method", known["method"]),
        ("Level", known["level"]),
        ("Address on file", known["address_on_file"]),
        ("Found in", known["found_in"]),
    )


def _correspondence(page: _Page) -> None:
    page.head(2, page.say("Correspondence"))
    names = {"in": "from the requester", "out": "our letter", "note": "note"}
    for mail in page.file["mails"]:
        sender = f" ({mail['sender']})" if mail["sender"] else ""
        page.head(
            3, f"{page.moment(mail['received_at'])} {page.say(names[mail['direction']])}{sender}: {mail['subject']}"
        )
        page.quote(mail["text"])
        for one in mail["attachments"]:
            page.quote(
                f"{page.say('attachment (not opened)')}: {one.get('name')} ({one.get('type')}, {one.get('size')})"
            )


def _letters(page: _Page) -> None:
    page.head(2, page.say("Letters"))
    for one in page.file["letters"]:
        page.head(3, f"{page.say('Letter')} {one['id']}: {one['state']}")
        page.facts(
            ("Kind of letter", f"{one['template']} ({one['language']})"),
            ("To", one["to"]),
            ("Sent", page.moment(one["sent_at"]) if one["left"] else page.say("never sent")),
            ("Files", ", ".join(one["files"])),
            ("Digest of what was approved", one["digest"]),
        )
        page.table(
            ("Approved", "by", "withdrawn", "Digest of what was approved"),
            [
                (
                    page.moment(each["at"]),
                    f"{each['by']} ({each['door']})",
                    page.moment(each["void_at"]),
                    each["digest"],
                )
                for each in one["approvals"]
            ],
        )
        page.quote(f"{one['subject']}\n\n{one['text']}" if one["text"] else "")


def _history(page: _Page) -> None:
    past = page.file["history"]
    page.head(2, page.say("History"))
    if past["whole"]:
        page.blocks.append(Block(page.say("The chain of entries is whole.")))
    else:
        page.blocks.append(Block(f"{page.say('The chain is broken at entry')} {past['broken_at']}: {past['what']}"))
    page.table(
        ("When", "Event", "Who", "Detail"),
        [
            (
                page.moment(one["at"]),
                one["event"],
                f"{one['actor']} ({one['door']})",
                ", ".join(f"{key} {value}" for key, value in one["detail"].items()),
            )
            for one in past["entries"]
        ],
    )


def as_markdown(blocks: Sequence[Block]) -> str:
    """Return the blocks as Markdown; what people wrote stands in fences and cannot become markup."""
    parts = []
    for block in blocks:
        text = mask_personal_numbers(block.text)
        if block.rows:
            parts.append("\n".join(_markdown_rows(block.rows)))
        elif block.level:
            parts.append(f"{'#' * block.level} {_one_line(text)}")
        elif block.quoted:
            longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            parts.append(f"{fence}text\n{text}\n{fence}")
        else:
            parts.append(_one_line(text))
    return "\n\n".join(parts) + "\n"


def _markdown_rows(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    cells = [[_one_line(mask_personal_numbers(cell)) for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|{' --- |' * len(rows[0])}", *lines[1:]]


def _one_line(text: str) -> str:
    """Return text from outside as one line of Markdown in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}pre{white-space:pre-wrap;background:#f4f4f4;padding:.75rem}"
    "@media print{pre{background:none;border:1px solid #bbb}}"
)


def as_html(blocks: Sequence[Block], language: str) -> str:
    """Return the blocks as one HTML page that loads nothing and runs nothing."""
    parts = []
    for block in blocks:
        text = html.escape(mask_personal_numbers(block.text))
        if block.rows:
            parts.append(_html_rows(block.rows))
        elif block.level:
            parts.append(f"<h{block.level}>{text}</h{block.level}>")
        elif block.quoted:
            parts.append(f"<pre>{text}</pre>")
        else:
            parts.append(f"<p>{text}</p>")
    title = html.escape(mask_personal_numbers(blocks[0].text))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<style>{_STYLE}</style></head>\n<body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _html_rows(rows: tuple[tuple[str, ...], ...]) -> str:
    cells = [[html.escape(mask_personal_numbers(cell)) for cell in row] for row in rows]
    head = "".join(f'<th scope="col">{cell}</th>' for cell in cells[0]) if any(cells[0]) else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells[1:])
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
