"""Recording who the requester is, asking for proof, and recognising the one-time code that comes back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from sqlalchemy import Connection

from inboxbot.cases.codes import CodeAnswer, check_code, code_in
from inboxbot.cases.identity import reached_level
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case
from inboxbot.config.addresses import checked_address
from inboxbot.desk.context import Actor, Desk
from inboxbot.desk.dates import note_proven
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.record import record
from inboxbot.errors import UsageError
from inboxbot.reading.charsets import clean_line
from inboxbot.store.cases import add_address, load_case
from inboxbot.store.checklists import Identity, load_codes, load_identity, mark_code, save_identity

# What staff may record, as facts of `cases.identity.Evidence`.
FACTS = (
    "shared_address",
    "address_changed_recently",
    "facts_confirmed",
    "strong",
    "trivial",
    "on_behalf",
    "other_person",
    "mandate_checked",
)


def record_identity(
    desk: Desk,
    case_id: int,
    *,
    actor: Actor,
    now: dt.datetime,
    address_on_file: str | None = None,
    found_in: str | None = None,
    not_found: bool = False,
    facts: dict[str, bool] | None = None,
) -> int:
    """Record what staff looked up or checked about the requester, and return the level that is reached then (0-4).

    The address on file belongs to the case from then on: its mails join it, and disclosing letters go only there.
    Raises UsageError for a wrong address or an unknown fact.
    """
    unknown = set(facts or {}) - set(FACTS)
    if unknown:
        raise UsageError(f"{', '.join(sorted(unknown))} cannot be recorded", cure=f"known are {', '.join(FACTS)}")
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        before = load_identity(connection, case_id)
        address = _address(address_on_file) if address_on_file else before.address_on_file
        identity = replace(
            before,
            address_on_file=None if not_found else address,
            found_in=clean_line(found_in) if found_in else before.found_in,
            looked_up=before.looked_up or not_found or address_on_file is not None,
            facts={**before.facts, **(facts or {})},
            proposed=before.proposed and not not_found and address_on_file is None,
        )
        return keep_identity(desk, connection, case, identity, actor=actor, now=now)


def keep_identity(
    desk: Desk,
    connection: Connection,
    case: Case,
    identity: Identity,
    *,
    actor: Actor,
    now: dt.datetime,
    lookup: str = "",
) -> int:
    """Write what is known about who asks, with everything that follows from it; return the level (0-4).

    ``lookup``: what the systems answered that inboxbot searched itself, as codes.
    """
    save_identity(connection, case.id, identity)
    if identity.address_on_file:
        add_address(connection, case.id, identity.address_on_file)
    level = reached_level(evidence_on_case(connection, case))
    note_proven(connection, case, desk.of_mailbox(case.mailbox)[0], now)
    detail = {
        "level": int(level),
        "on_file": int(identity.address_on_file is not None),
        "facts": ",".join(sorted(name for name, value in identity.facts.items() if value)),
        **({"lookup": lookup} if lookup else {}),
    }
    record(connection, case, CaseEvent.IDENTITY_RECORDED, actor=actor, at=now, detail=detail)
    return int(level)


def take_code(desk: Desk, connection: Connection, case: Case, words: str, *, actor: Actor, now: dt.datetime) -> Case:
    """Look for a one-time code in the new words of a mail and record the proof when it is right.

    A wrong one is counted; nothing tells the writer so by itself. Returns the case.
    """
    given = code_in(words)
    waiting = [(row_id, code) for row_id, code in load_codes(connection, case.id) if code.used_at is None]
    if given is None or not waiting:
        return case
    row_id, code = waiting[0]
    answer = check_code(desk.secret, given, code, now)
    if answer in (CodeAnswer.RIGHT, CodeAnswer.WRONG):
        mark_code(connection, row_id, right=answer is CodeAnswer.RIGHT, now=now)
    if answer is CodeAnswer.RIGHT:
        known = load_identity(connection, case.id)
        facts = {**known.facts, "code_confirmed": True}
        save_identity(connection, case.id, replace(known, facts=facts))
        note_proven(connection, case, desk.of_mailbox(case.mailbox)[0], now)
    detail = {"code": answer.value, "kind": code.kind}
    return record(connection, case, CaseEvent.IDENTITY_RECORDED, actor=actor, at=now, detail=detail)


def _address(text: str) -> str:
    try:
        return checked_address(text)
    except ValueError as error:
        raise UsageError(str(error), where="--address-on-file") from None
