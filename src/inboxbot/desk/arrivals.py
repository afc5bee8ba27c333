"""The values that intake takes and gives: what came from a folder, and how many became what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields
from typing import Any, Final

from inboxbot.cases.values import LedgerState
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.errors import InboxbotError
from inboxbot.reading.values import Mail
from inboxbot.sorting.values import Verdict

UNSEEN: Final = "uid:"  # begins the digest of a message whose header nobody saw


@dataclass(frozen=True, slots=True)
class Served:
    """A mailbox that is being served, with its row id and those of its company's mailboxes."""

    company: CompanySettings
    mailbox: MailboxSettings
    id: int
    company_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of a folder after reading and judging; ``fault`` is the reason code when that was not possible.

    ``digest`` is the SHA-256 hex of the header block, or begins with `UNSEEN`; ``received_note`` is a code when the
    receipt time is doubtful, and ``vanished`` says that another program removed it before it could be fetched.
    """

    folder_id: int
    uidvalidity: int
    uid: int
    size: int
    digest: str
    header: bytes
    received_at: dt.datetime
    fetched_at: dt.datetime
    mail: Mail | None
    verdict: Verdict | None
    fault: str | None = None
    junk: bool = False
    before_start: bool = False
    vanished: bool = False
    received_note: str | None = None


@dataclass(slots=True)
class Tally:
    """What one run did; the JSON of `inboxbot once`."""

    taken: int = 0
    cases_opened: int = 0
    followups: int = 0
    ignored: int = 0
    held: int = 0
    ordinary: int = 0
    drafts: int = 0
    sent: int = 0
    noticed: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)

    def count(self, state: LedgerState) -> None:
        """Count one new ledger row; the baseline is not counted."""
        if state is LedgerState.BASELINE:
            return
        self.taken += 1
        name = {LedgerState.CASE: "cases_opened", LedgerState.FOLLOWUP: "followups"}.get(state, state.value)
        setattr(self, name, getattr(self, name) + 1)

    def fail(self, error: InboxbotError, mailbox: str) -> None:
        """Add an error that stopped a mailbox or a part of it."""
        self.errors.append({"mailbox": mailbox, "where": error.where, "what": error.what, "cure": error.cure})

    def add(self, other: Tally) -> None:
        """Add the counts of another run."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def as_json(self) -> dict[str, Any]:
        """Return the counts as the contract names them."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def detail_of(mail: Mail, verdict: Verdict) -> dict[str, Any]:
    """Return what is kept of a mail beside its text: where its words stand, its attachments, and the verdict."""
    return {
        "segments": [[part.kind.value, part.start, part.end] for part in mail.segments],
        "attachments": [
            {"part": one.part, "name": one.name, "type": one.content_type, "size": one.size} for one in mail.attachments
        ],
        "page": mail.has_page,
        "flags": sorted(mail.flags),
        "date": mail.date_text,
        "references": list(mail.references[-20:]),
        "reply_to": [one.address for one in mail.reply_to],
        "inner_sender": mail.inner_sender.source if mail.inner_sender else None,
        "verdict": verdict_json(verdict),
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as plain data: the fields of the contract and the codes behind them."""
    return {
        "kinds": [kind.value for kind in verdict.kinds],
        "confidence": {kind.value: round(value, 4) for kind, value in verdict.confidence.items()},
        "unsure": verdict.unsure,
        "reminder": verdict.reminder,
        "language": verdict.language,
        "robot": verdict.robot.value if verdict.robot else None,
        "evidence": [
            {"kind": one.kind.value, "part": one.part, "text": one.text, "start": one.start, "end": one.end}
            for one in verdict.evidence
        ],
        "flags": sorted(verdict.flags),
        "reasons": list(verdict.reasons),
        "features": list(verdict.features),
        "scores": [round(score, 4) for score in verdict.scores],
    }
