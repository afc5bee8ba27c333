"""Looking up the address on file of who asks, in the systems that the settings let inboxbot search.

What is found is a proposal: it is recorded with its source as staff would record it, and marked until a person confirms
it. Only one clear hit is a hit; look-alikes, namesakes and answers that differ are told and left to a person. Searching
takes place outside every transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inboxbot.cases.identity import IdentityStep, Level, needed_level, propose_step
from inboxbot.cases.transitions import CaseEvent, move_case
from inboxbot.cases.values import Case
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.identity import keep_identity
from inboxbot.desk.registers import Answer, Person, Result, search
from inboxbot.errors import InboxbotError, RefusedError, StoreError, UsageError
from inboxbot.logs import get_logger
from inboxbot.sorting.kinds import Kind
from inboxbot.store.cases import load_case, load_cases
from inboxbot.store.checklists import Identity, load_identity, never_looked_up

log = get_logger()


@dataclass(frozen=True, slots=True)
class Looked:
    """What each system answered, what is recorded now, and the identity level that is reached (0-4)."""

    answers: tuple[Answer, ...]
    identity: Identity
    level: int


def look_up(
    desk: Desk, case_id: int, *, actor: Actor, now: dt.datetime, stop: Callable[[], bool] = lambda: False
) -> Looked:
    """Search every system that can be searched for who asks in a case, and record what came of it.

    What staff recorded is never changed. Raises UsageError when no system can be searched, RefusedError when the case
    has ended or nobody knows who asks.
    """
    with desk.store.read() as connection:
        case = load_case(connection, case_id)
    move_case(case.state, CaseEvent.IDENTITY_RECORDED)
    company, _ = desk.of_mailbox(case.mailbox)
    systems = [one for one in company.systems if one.can_be_searched]
    if not systems:
        cure = "set lookup_csv or lookup_command for one of company.systems"
        raise UsageError(f"the settings name no system of {company.name} that can be searched", cure=cure)
    if case.requester is None:
        raise RefusedError("nobody knows who asks, so nothing can be searched", where=case.reference)
    person = Person(case.requester, case.requester_name, company.name)
    answers = [search(one, person, desk.settings.folder, stop=stop) for one in systems]
    if stop():
        raise RefusedError("told to stop before every system was searched", where=case.reference)
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        before = load_identity(connection, case_id)
        answers, hit = _agreed(answers, None if before.proposed else before.address_on_file)
        found = replace(
            before,
            searched=[{"system": one.system, "result": one.result.value} for one in answers],
            searched_at=now,
        )
        if hit is not None and (before.proposed or not before.looked_up):
            found = replace(found, address_on_file=hit.address, found_in=hit.found_in, looked_up=True, proposed=True)
        codes = ",".join(one.result.value for one in answers)
        level = keep_identity(desk, connection, case, found, actor=actor, now=now, lookup=codes)
    log.info("looked_up", case=case.reference, results=codes)
    return Looked(tuple(answers), found, level)


def _agreed(answers: Sequence[Answer], recorded: str | None) -> tuple[list[Answer], Answer | None]:
    """Return the answers, with those that contradict each other or the record marked so, and the one clear hit."""
    hits = [one for one in answers if one.result is Result.FOUND]
    differ = len({one.address for one in hits} | ({recorded} if recorded else set())) > 1
    if differ:
        return [replace(one, result=Result.DIFFERS) if one in hits else one for one in answers], None
    unclear = any(one.result is Result.SEVERAL for one in answers)
    return list(answers), hits[0] if hits and not unclear else None


def look_up_waiting(desk: Desk, *, now: Callable[[], dt.datetime], stop: Callable[[], bool] = lambda: False) -> int:
    """Search for everybody whose identity is in question and who was not looked for yet; return how many that were.

    A case that cannot be looked up is logged and passed over; only a database that cannot be used raises.
    """
    searchable = {one.name for one in desk.settings.company if any(system.can_be_searched for system in one.systems)}
    if not searchable:
        return 0
    with desk.store.read() as connection:
        ids = never_looked_up(connection, [kind for kind in Kind if needed_level(kind).act > Level.L0])
        waiting = [
            one.id
            for one in load_cases(connection, ids)
            if one.company in searchable
            and desk.find_mailbox(one.mailbox) is not None
            and propose_step(_need(one), evidence_on_case(connection, one))[0] is IdentityStep.LOOK_UP
        ]
    done = 0
    for case_id in waiting:
        if stop():
            break
        try:
            look_up(desk, case_id, actor=DAEMON, now=now(), stop=stop)
            done += 1
        except StoreError:
            raise
        except InboxbotError as error:
            log.warning("not_looked_up", case=case_id, error=error)
    return done


def _need(case: Case) -> Level:
    return max((needed_level(one.kind).act for one in case.requests if one.outcome is None), default=Level.L0)
