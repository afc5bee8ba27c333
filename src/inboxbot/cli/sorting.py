"""``inboxbot classify`` and ``inboxbot evaluate``: the judge on files, without storing anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inboxbot.cli.output import safe
from inboxbot.errors import InboxbotError, UsageError

if TYPE_CHECKING:
    from inboxbot.sorting.judge import Judge
    from inboxbot.sorting.values import Verdict

_REASONS = {
    "access": "wants to know what is held about them",
    "erasure": "wants something about them gone",
    "unsubscribe": "wants mailings or calls to stop",
    "complaint": "has a grievance about how data or privacy is treated",
    "rectification": "wants something about them corrected",
    "portability": "wants their data in a reusable form or moved",
    "objection": "says no to a use of their data",
    "restriction": "wants their data kept but not used",
    "other": "asks for no right; these words speak most against a request",
}
_WHY = {
    "bare_removal": "“remove me” and nothing else: erasure, unsubscribe or both",
    "bare_stop": "a single word that ends mailings",
    "nothing_new": "the words stand only in quoted text",
    "words_beyond_limit": "telling words stand in a part of the mail that is too long to weigh",
    "unknown_language": "the language is not known",
    "no_words": "there are no words to judge",
    "close_call": "a close call",
    "vague": "it wants something about a matter that it does not name",
}
_MOST_LINES = 60
_AT_ONCE = 50  # answers written at once when a whole file is judged


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON (an array for several files).")
@click.option(
    "--jsonl", type=click.Path(allow_dash=True), help="Judge one JSON object a line (id, subject, from, body)."
)
def classify(files: tuple[str, ...], as_json: bool, jsonl: str | None) -> None:
    """Judge mails (FILE.eml … or - for standard input) without storing anything."""
    from inboxbot.sorting.judge import Judge

    if bool(files) == bool(jsonl):
        raise _usage("give either mail files or --jsonl FILE", "inboxbot classify mail.eml")
    judge = Judge.load()
    if jsonl:
        _say(_classify_lines(judge, _lines(jsonl), jsonl), at_once=1 if jsonl == "-" else _AT_ONCE)
        return
    results = []
    for name in files:
        subject, text, verdict = _judge_file(judge, name)
        if as_json:
            results.append({**verdict_data(verdict), "subject": subject, "text": text})
        else:
            click.echo(explain(name if len(files) > 1 else "", subject, text, verdict))
    if as_json:
        click.echo(json.dumps(results if len(results) > 1 else results[0], ensure_ascii=False, indent=2))


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(file: str, as_json: bool) -> None:
    """Measure the judge on FILE.jsonl, whose mails carry gold "labels"."""
    from inboxbot.sorting.evaluation import measure, read_gold, render
    from inboxbot.sorting.judge import Judge

    figures = measure(Judge.load(), read_gold(_lines(file), file))
    if as_json:
        click.echo(json.dumps(figures.as_data(), ensure_ascii=False, indent=2))
    else:
        click.echo(render(figures))


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict in the shape of the contract."""
    return {
        "kinds": [kind.value for kind in verdict.kinds],
        "confidence": {kind.value: chance for kind, chance in verdict.confidence.items()},
        "unsure": verdict.unsure,
        "reminder": verdict.reminder,
        "language": verdict.language,
        "robot": verdict.robot.value if verdict.robot else None,
        "evidence": [
            {"kind": item.kind.value, "part": item.part, "text": item.text, "start": item.start, "end": item.end}
            for item in verdict.evidence
        ],
        "flags": sorted(verdict.flags),
        "reasons": list(verdict.reasons),
    }


def explain(name: str, subject: str, text: str, verdict: Verdict) -> str:
    """Return the mail with the decisive words marked, and a line of reason for each kind."""
    lines = [f"— {safe(name)} —"] if name else []
    lines.append("Subject: " + _marked(subject, verdict, "subject"))
    body = _marked(text, verdict, "body").rstrip().splitlines()
    lines += ["", *body[:_MOST_LINES], *(["…"] if len(body) > _MOST_LINES else []), ""]
    for kind in verdict.kinds:
        words = "; ".join(f"“{safe(' '.join(item.text.split()))}”" for item in verdict.evidence if item.kind is kind)
        lines.append(
            f"{kind.value} ({verdict.confidence[kind]:.0%}): {_REASONS[kind.value]}" + (f": {words}" if words else "")
        )
    if verdict.unsure:
        reasons = "; ".join(_WHY.get(reason, reason) for reason in verdict.reasons) or "a close call"
        lines.append(f"unsure: a person should look ({reasons})")
    traits = [f"language {verdict.language}"]
    traits += ["reminder"] if verdict.reminder else []
    traits += [f"written by a machine: {verdict.robot.value} ({verdict.robot_rule})"] if verdict.robot else []
    traits += sorted(verdict.flags)
    lines.append(" · ".join(traits))
    return "\n".join(lines)


def _marked(text: str, verdict: Verdict, part: str) -> str:
    """Return the text with evidence between marks; what could steer a terminal is made visible."""
    spans = sorted({(item.start, item.end) for item in verdict.evidence if item.part == part and item.kind.is_right})
    pieces = []
    place = 0
    for start, end in spans:
        if end <= place:
            continue
        start = max(start, place)  # noqa: PLW2901  two kinds may share words
        pieces += [
            safe(text[place:start], newlines=True),
            click.style(f"»{safe(text[start:end], newlines=True)}«", bold=True),
        ]
        place = end
    return "".join([*pieces, safe(text[place:], newlines=True)])


def _judge_file(judge: Judge, name: str) -> tuple[str, str, Verdict]:
    from inboxbot.reading.read import read_whole
    from inboxbot.reading.values import UnreadableError

    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise _usage(f"cannot be read: {error.strerror}", "check the name", name) from error
    try:
        mail = read_whole(data)
    except UnreadableError as error:
        raise InboxbotError(
            f"is not a mail that can be read ({error.code})", where=name, cure="open it in a mail program"
        ) from error
    return mail.subject, mail.text, judge.judge(mail)


def _classify_lines(judge: Judge, lines: Iterable[str], where: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            subject, body, sender = (str(data.get(key) or "") for key in ("subject", "body", "from"))
        except (ValueError, AttributeError, RecursionError) as error:
            raise _usage(
                f"line {number} is not a JSON object", "one object a line: id, subject, from, body", where
            ) from error
        verdict = judge.judge_text(subject, body, sender)
        identity = {"id": data["id"]} if "id" in data else {}
        answer = json.dumps({**identity, **verdict_data(verdict)}, ensure_ascii=False)
        yield answer.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair: as JSON escapes it


def _say(answers: Iterable[str], *, at_once: int) -> None:
    """Print answers, several ``at_once``: each writing costs as much as a twentieth of a judgement."""
    held: list[str] = []

    def write() -> None:
        text = "\n".join(held)
        held.clear()
        if text:
            click.echo(text)

    try:
        for answer in answers:
            held.append(answer)
            if len(held) >= at_once:
                write()
    finally:  # what was judged before a line that cannot be read
        write()


def _lines(name: str) -> Iterator[str]:
    try:
        if name == "-":
            yield from sys.stdin
        else:
            with Path(name).open(encoding="utf-8-sig") as file:
                yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise _usage(f"cannot be read: {error}", "check the name; the text must be UTF-8", name) from error


def _usage(what: str, cure: str, where: str = "") -> UsageError:
    return UsageError(what, where=where, cure=cure)
