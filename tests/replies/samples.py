"""Sample companies and cases for the letters (invented; organisation numbers pass the Luhn check)."""

from __future__ import annotations

import datetime as dt

from inboxbot.config.model import CompanySettings
from inboxbot.replies.facts import LetterFacts, letter_facts
from inboxbot.sorting.kinds import Kind

RECEIVED_AT = dt.datetime(2026, 3, 5, 8, 12, tzinfo=dt.UTC)
_LOOPBACK = {"host": "127.0.0.1", "security": "none"}
MINIMAL = CompanySettings.model_validate(
    {
        "name": "Exempel AB",
        "organisation_number": "556000-0001",
        "mailbox": [{"address": "kontakt@example.se", "promise_hours": 24, "imap": _LOOPBACK, "smtp": _LOOPBACK}],
    }
)


def facts(language: str = "sv", *kinds: Kind, **more: object) -> LetterFacts:
    given: dict[str, object] = {"name": "Anna", "address": "anna@example.com", **more}
    if any(kind.is_right for kind in kinds):
        given.setdefault("answer_by", dt.date(2026, 4, 7))
    return letter_facts(
        MINIMAL,
        MINIMAL.mailbox[0],
        language=language,
        reference="EX-2026-0001",
        received_at=RECEIVED_AT,
        kinds=kinds or (Kind.OTHER,),
        **given,
    )
