"""The words of a mail to staff: which cases wait for them, and what stands still. No name and no word of a mail.

The words are plain ones of work, none that a person would ask for a right with: should such a mail come back to the
mailbox by some detour, it is nobody's request.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from inboxbot.cases.alarms import EventKind

MOST_LINES: Final = 50
_ORDER: Final = (
    EventKind.SENDING_STOPPED,
    EventKind.MAILBOX_BLIND,
    EventKind.OVERDUE,
    EventKind.DUE_SOON,
    EventKind.HELD,
)
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sv": {
        "opening": "Ett meddelande från inboxbot till er som arbetar med {company}.",
        "closing": "Det här har skrivits av ett program; ingen läser svar på det.",
        "jumped": "Serverns klocka har ställts om med {span}. Kontrollera den innan ni litar på tiderna här.",
        "more": "… och {count} till",
        "sending_stopped": "Sändningen av brev vilar",
        "mailbox_blind": "Brevlådan läses inte",
        "overdue": "Tiden har gått ut",
        "due_soon": "Tiden går snart ut",
        "held": "Att ta ställning till",
        "sending_stopped.subject": "sändningen av brev vilar",
        "mailbox_blind.subject": "en brevlåda läses inte",
        "overdue.subject": "försenade: {count}",
        "due_soon.subject": "snart: {count}",
        "held.subject": "att ta ställning till: {count}",
        "sending_stopped.line": "sedan {since} ({reason}); brev skickas igen när någon har tittat på det",
        "blind.now": "{mailbox}: inte läst sedan {since}",
        "blind.was": "{mailbox}: lästes inte från {since} till {until}, men läses igen",
        "promise.overdue": "{case}: svaret skulle ha gått i väg {due}",
        "promise.due_soon": "{case}: svara före {due}",
        "legal.overdue": "{case}: lagens dag var {due}",
        "legal.due_soon": "{case}: lagens dag är {due}",
        "held.line": "{case}",
        "reason.by_hand": "stoppad av en person",
        "reason.restored": "en säkerhetskopia har återställts",
        "reason.older_copy": "en äldre kopia av databasen har lagts på dess plats",
        "reason.other_database": "en annan installations databas har lagts på databasens plats",
        "reason.without_mark": "databasen kom hit utan sin tillhörande fil och kan vara en äldre kopia",
        "reason.over_recipient": "brev efter brev godkändes till någon som redan hade fått dagens antal: en slinga?",
        "reason.over_hour": "gång på gång godkändes fler brev än vad en timme rymmer: en slinga?",
        "reason.failures": "e-postservern tog inte emot brev efter brev, eller så vet ingen om de kom fram",
    },
    "en": {
        "opening": "A message from inboxbot to those who work with {company}.",
        "closing": "This is an automatic message; replies are not read.",
        "jumped": "The server's clock was set by {span}. Check it before you trust the times below.",
        "more": "… and {count} more",
        "sending_stopped": "Sending stands still",
        "mailbox_blind": "The mailbox is not read",
        "overdue": "The time is up",
        "due_soon": "The time is nearly up",
        "held": "To be decided on",
        "sending_stopped.subject": "sending stands still",
        "mailbox_blind.subject": "a mailbox is not read",
        "overdue.subject": "overdue: {count}",
        "due_soon.subject": "due soon: {count}",
        "held.subject": "to be decided on: {count}",
        "sending_stopped.line": "since {since} ({reason}); no letter leaves before somebody has looked at it",
        "blind.now": "{mailbox}: not read since {since}",
        "blind.was": "{mailbox}: was not read from {since} to {until}, and is read again",
        "promise.overdue": "{case}: the answer was due {due}",
        "promise.due_soon": "{case}: answer before {due}",
        "legal.overdue": "{case}: the legal date was {due}",
        "legal.due_soon": "{case}: the legal date is {due}",
        "held.line": "{case}",
        "reason.by_hand": "stopped by hand",
        "reason.restored": "a backup was restored",
        "reason.older_copy": "an older copy of the database was put in its place",
        "reason.other_database": "the database of another installation was put in its place",
        "reason.without_mark": "the database came here without the file that goes with it, and may be an older copy",
        "reason.over_recipient": "letter after letter was approved to somebody who had the day's number: a loop?",
        "reason.over_hour": "again and again more letters were approved than an hour takes: a loop?",
        "reason.failures": "the mail server did not take letter after letter, or nobody knows whether they arrived",
    },
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One event as staff are told of it; ``detail`` is what a webhook would be told."""

    kind: EventKind
    detail: Mapping[str, Any]


def alarm_text(alarms: Sequence[Alarm], *, company: str, language: str, zone: dt.tzinfo) -> tuple[str, str]:
    """Return (subject, body) of one mail about these events, the gravest first; in Swedish, else in English."""
    words = _WORDS["sv" if language == "sv" else "en"]

    def moment(text: str) -> str:
        return dt.datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M")

    by_kind = {kind: [one for one in alarms if one.kind is kind] for kind in _ORDER}
    subject = ", ".join(
        words[f"{kind.value}.subject"].format(count=len(found)) for kind, found in by_kind.items() if found
    )
    parts = [words["opening"].format(company=company)]
    jumps = [int(one.detail["clock_jumped_s"]) for one in alarms if one.detail.get("clock_jumped_s")]
    if jumps:
        parts.append(words["jumped"].format(span=_span(max(jumps, key=abs))))
    for kind, found in by_kind.items():
        if found:
            lines = [line for one in found[:MOST_LINES] for line in _lines(one, words, moment)]
            left = len(found) - MOST_LINES
            lines += [words["more"].format(count=left)] if left > 0 else []
            parts.append("\n".join([words[kind.value], *(f"  {line}" for line in lines)]))
    return f"inboxbot – {subject}", "\n\n".join([*parts, words["closing"]]) + "\n"


def _lines(one: Alarm, words: Mapping[str, str], moment: Callable[[str], str]) -> list[str]:
    detail = one.detail
    if one.kind is EventKind.SENDING_STOPPED:
        code = str(detail["reason"])
        reason = words.get(f"reason.{code}", code.replace("_", " "))
        return [words["sending_stopped.line"].format(since=moment(detail["since"]), reason=reason)]
    if one.kind is EventKind.MAILBOX_BLIND:
        until = detail.get("until")
        line = words["blind.was" if until else "blind.now"]
        times = {"since": moment(detail["since"]), "until": moment(until) if until else ""}
        return [line.format(mailbox=detail["mailbox"], **times)]
    if one.kind is EventKind.HELD:
        line = words["held.line"].format(case=detail["case"])
    else:
        clock = detail["clock"]
        due = moment(detail["due_at"]) if clock == "promise" else detail["due_on"]
        line = words[f"{clock}.{one.kind.value}"].format(case=detail["case"], due=due)
    return [line, f"  {detail['url']}"] if detail.get("url") else [line]


def _span(seconds: int) -> str:
    minutes = abs(seconds) // 60
    return f"{'-' if seconds < 0 else '+'}{minutes // 1440} d {minutes % 1440 // 60} h {minutes % 60} min"
