"""The audit: every promise that database and mailboxes can show, with what was looked at and what is broken.

Nothing is repaired here. A finding names the promise, what is wrong, and where: codes, ids and references only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from random import Random
from typing import Any, Final

from sqlalchemy import text

from inboxbot.desk import audit_letters, audit_mail, audit_records
from inboxbot.desk.audit_values import Checked, Finding, ShownFolder, View, intake_delay
from inboxbot.desk.context import Desk

# What each promise says, and what checks it. The order is that of docs/reliability.md.
CHECKS: Final[Mapping[str, tuple[str, Callable[[View], Checked]]]] = {
    "I1": ("every message is in one state with its reason", audit_mail.accounted),
    "I3": ("one message, one entry and at most one case", audit_mail.once),
    "I6": ("what is held is listed, with its clock running", audit_mail.held),
    "I7": ("what is kept of a message is what the server gives", audit_mail.kept),
    "I9": ("no case ended or lost its mail because a message vanished", audit_mail.not_ended_by_loss),
    "P2": ("a promise falls due so many whole hours after receipt", audit_records.due),
    "P4": ("a clock that came near or ran out was raised, once a step", audit_records.raised),
    "P6": ("a promise was met by a letter that was accepted or noticed", audit_letters.met),
    "S1": ("nothing was sent without an approval of exactly these words", audit_letters.approved),
    "S2": ("no letter was given to the server twice", audit_letters.once),
    "S4": ("an approval that stands is one of the present words", audit_letters.standing),
    "S7": ("our letters are known by their Message-ID, and none opened a case", audit_letters.ours),
    "S10": ("a draft was put into the mailbox once", audit_letters.placed_once),
    "D1": ("committed means on the disk", audit_records.durable),
    "D6": ("a purged case holds nothing of its content, and was not taken again", audit_records.purged),
    "D11": ("history is append-only, whole, and says how each case stands", audit_records.history_whole),
}
PROMISES: Final = {key: says for key, (says, _) in CHECKS.items()}
MOST: Final = 2_000  # messages of a folder, and mails in the database, that are compared by their bytes
EVERYTHING: Final = 2**31
_SHOWN_EACH: Final = 50


def audit(
    desk: Desk,
    shown: Sequence[ShownFolder] = (),
    *,
    now: dt.datetime,
    delay: dt.timedelta | None = None,
    most: int = MOST,
    chance: Random | None = None,
) -> dict[str, Any]:
    """Return ``{"ok", "checked": {promise: count}, "findings": [{"promise", "what", "where"}]}``.

    ``shown`` must have been looked at before: what is taken meanwhile is then in the database. ``delay`` is the age an
    untaken message may have (default: `intake_delay`); ``chance`` picks which messages are compared byte by byte.
    """
    checked: dict[str, int] = {}
    findings: list[Finding] = []
    with desk.store.read() as connection:
        if not desk.store.is_sqlite:  # there every statement would see what was committed in between
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        wait = intake_delay(desk.settings) if delay is None else delay
        view = View(desk, connection, shown, now, wait, most, chance or Random(0))  # noqa: S311  (a sample)
        for promise, (_, check) in CHECKS.items():
            checked[promise], found = check(view)
            findings += _at_most(promise, found)
    return {"ok": not findings, "checked": checked, "findings": [asdict(one) for one in findings]}


def _at_most(promise: str, found: list[Finding]) -> list[Finding]:
    """Cut a long list: one fault can touch every message there is."""
    if len(found) <= _SHOWN_EACH:
        return found
    return [*found[:_SHOWN_EACH], Finding(promise, f"and {len(found) - _SHOWN_EACH} more like these", "")]
