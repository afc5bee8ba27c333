"""Retention of inboxbot's own data: what is due is purged, the proof stays for its own period, the figures for good.

Cases count from closing or from the last contact, in years of the calendar and days of the company's zone (law.md 7).
Every run may be repeated, and one that was cut goes on where it stopped: each batch is one transaction, and what was
purged but not yet overwritten is remembered.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, update

from inboxbot.cases.identity import Evidence, reached_level
from inboxbot.cases.legal_date import years_after
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import Case
from inboxbot.config.model import CompanySettings
from inboxbot.desk.chain import anchor_heads
from inboxbot.desk.context import DAEMON, Actor, Desk
from inboxbot.desk.evidence import evidence_on_case
from inboxbot.desk.record import record
from inboxbot.errors import RefusedError, UsageError
from inboxbot.logs import get_logger
from inboxbot.reading.charsets import clean_line
from inboxbot.store import retention as rows
from inboxbot.store.beside import append_lines
from inboxbot.store.cases import load_case, load_cases
from inboxbot.store.engine import Store
from inboxbot.store.tables import cases

FILES_KEPT = dt.timedelta(days=14)
MOST_JUMP = dt.timedelta(days=1)
_RUNS_EVERY = dt.timedelta(days=1)
_STEADY_AFTER = dt.timedelta(hours=20)
_BATCH = 100
MAX_HOLD = 200


@dataclass(slots=True)
class Plan:
    """What is due: ids of cases to empty, of cases whose proof ends, of loose mails and of outgoing files.

    ``on_hold`` are the references of cases that are due and held back; ``unconfigured`` counts ended cases of
    companies that are no longer in the settings, which nobody knows a period for.
    """

    cases: list[int] = field(default_factory=list)
    proofs: list[int] = field(default_factory=list)
    ordinary: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    on_hold: list[str] = field(default_factory=list)
    unconfigured: int = 0

    def counts(self) -> dict[str, int]:
        """Return how much of each is due."""
        return {
            "cases": len(self.cases),
            "proofs": len(self.proofs),
            "ordinary": len(self.ordinary),
            "files": len(self.files),
        }


def content_due(one: rows.Ended, company: CompanySettings) -> dt.date:
    """Return the first local day on which an ended case is emptied: same day N years on, 29 February to the 28th."""
    counted = one.closed_at
    if company.retention.counted_from == "last_contact" and one.last_contact_at is not None:
        counted = one.last_contact_at
    return years_after(counted.astimezone(company.zone).date(), company.retention.cases_years)


def proof_due(one: rows.Ended, company: CompanySettings) -> dt.date:
    """Return the first local day on which the proof of a case goes too: counted from closing, never before content."""
    end = years_after(one.closed_at.astimezone(company.zone).date(), company.retention.proof_years)
    return max(end, content_due(one, company))


def plan(desk: Desk, connection: Connection, *, now: dt.datetime) -> Plan:
    """Return what is due at ``now``."""
    due = Plan(files=rows.old_files(connection, now - FILES_KEPT))
    companies = {one.name: one for one in desk.settings.company}
    again = _to_erase_again(desk)
    for one in rows.ended_cases(connection):
        company = companies.get(one.company)
        if company is None:
            due.unconfigured += 1
            continue
        today = now.astimezone(company.zone).date()
        full = one.purged_at is None or one.closed_at > one.purged_at
        empties = full and (today >= content_due(one, company) or f"{one.id} {one.nonce}" in again)
        if one.hold is not None:
            due.on_hold += [one.reference] if empties else []
            continue
        due.cases += [one.id] if empties else []
        if today >= proof_due(one, company) and (empties or not full):
            due.proofs.append(one.id)
    for mail in rows.loose_mails(connection):
        owner = companies.get(mail.company)
        if owner is not None:
            end = years_after(mail.received_at.astimezone(owner.zone).date(), owner.retention.cases_years)
            erased = f"mail {mail.id} {mail.received_at.isoformat()}" in again
            due.ordinary += [mail.id] if erased or now.astimezone(owner.zone).date() >= end else []
    return due


def retain(desk: Desk, *, now: dt.datetime, dry_run: bool = False, force: bool = False) -> dict[str, Any]:
    """Purge what is due and return the counts, or with ``dry_run`` only what would be.

    Raises RefusedError when the clock jumped by more than a day since the last run: then nothing is removed until it
    was steady for a day, or with ``force``.
    """
    with desk.store.read() as connection:
        due = plan(desk, connection, now=now)
    if not dry_run:
        if not force:
            _refuse_jumped_clock(desk, now)
        _purge(desk, due, now)
    with desk.store.read() as connection:
        stale = rows.layer_is_stale(connection)
        wiped = not rows.unwiped(connection)
    return {
        "dry_run": dry_run,
        "purged": due.counts(),
        "on_hold": due.on_hold,
        "unconfigured": due.unconfigured,
        "left_in_mailbox": left_in_mailboxes(desk, due if dry_run else Plan()),
        "overwritten": wiped,
        "refit_layer": stale,
        "copies": copies_beside(desk.store),
    }


def left_in_mailboxes(desk: Desk, due: Plan) -> list[dict[str, Any]]:
    """Return the messages past their period that still lie in a mailbox, as far as anybody knows; ``due`` are more.

    ``to`` is the folder that the settings want them moved to, or None.
    """
    with desk.store.read() as connection:
        listed = rows.expired_mails(connection) + rows.about_to_expire(connection, due.cases, due.ordinary)
    found = {one.ledger_id: one for one in listed}.values()
    to = {mailbox.address: mailbox.folders.expired for _, mailbox in desk.settings.mailboxes()}
    return [
        {
            "mailbox": one.mailbox,
            "folder": one.folder,
            "uid": one.uid,
            "received_at": one.received_at,
            "to": to.get(one.mailbox),
        }
        for one in found
    ]


def daily(desk: Desk, *, now: dt.datetime) -> None:
    """Do the day's work: anchor the heads of all histories, then purge what is due. Faults are logged by code only.

    It may be called as often as one likes: within 20 hours of the last run only what was left over is overwritten.
    """
    log = get_logger()
    with desk.store.read() as connection:
        last = rows.last_run(connection)
    if last is not None and dt.timedelta() <= now - last["at"] < _STEADY_AFTER:
        overwrite(desk, now=now)
        return
    with desk.store.write() as connection:
        digest, heads = anchor_heads(connection, now=now)
    log.info("history_anchored", heads=heads, digest=digest)
    try:
        done = retain(desk, now=now)
    except RefusedError as error:
        log.error("retention_refused", what=error.what)
        return
    log.info("retention_done", **done["purged"], left=len(done["left_in_mailbox"]))


def _refuse_jumped_clock(desk: Desk, now: dt.datetime) -> None:
    with desk.store.read() as connection:
        last, newest = rows.last_run(connection), rows.newest_written(connection)
    cure = "set the clock; if it is right, run `inboxbot retention --force`"
    if newest is not None and now < newest - MOST_JUMP:
        raise RefusedError("the clock is more than a day behind what was written before", where="retention", cure=cure)
    if last is None:
        return
    since = now - last["at"]
    if since < -MOST_JUMP:
        raise RefusedError("the clock is more than a day behind the last run", where="retention", cure=cure)
    jumped = since > _RUNS_EVERY + MOST_JUMP
    if jumped:
        with desk.store.write() as connection:
            rows.save_run(connection, at=now, counts={}, refused=True)
    if jumped or (last["refused"] and since < _STEADY_AFTER):
        days = f"{since.days} days" if jumped else "more than a day"
        raise RefusedError(
            f"the clock jumped, or nothing ran, for {days}: nothing is removed before it was steady for a day",
            where="retention",
            cure=cure,
        )


def _purge(desk: Desk, due: Plan, now: dt.datetime) -> None:
    counts: Counter[str] = Counter(due.counts())
    for start in range(0, len(due.cases), _BATCH):
        counts["corrections"] += empty_cases(desk, due.cases[start : start + _BATCH], actor=DAEMON, now=now)
    for start in range(0, len(due.proofs), _BATCH):
        with desk.store.write() as connection:
            ended = rows.ended_cases(connection, due.proofs[start : start + _BATCH])
            rows.drop_proof(connection, [one.id for one in ended if one.hold is None and one.purged_at], now=now)
    with desk.store.write() as connection:
        rows.drop_loose_mails(connection, due.ordinary)
        rows.drop_file_bytes(connection, due.files, now=now)
        rows.save_run(connection, at=now, counts=counts, wiped=not any(due.counts().values()))
    overwrite(desk, now=now)


def empty_cases(desk: Desk, ids: list[int], *, actor: Actor, now: dt.datetime) -> int:
    """Empty these ended cases in one transaction; return how many corrections of the judge went with them.

    A case that was reopened or put on hold meanwhile is passed over. The row of history says how the person had
    been identified, as codes.
    """
    with desk.store.write() as connection:
        free = [one.id for one in rows.ended_cases(connection, ids) if one.hold is None]
        for case in load_cases(connection, free):
            evidence = evidence_on_case(connection, case)
            detail = {"identity": identity_method(evidence), "level": reached_level(evidence).name}
            record(connection, case, CaseEvent.PURGED, actor=actor, at=now, detail=detail)
        return rows.purge_content(connection, free, keyed=desk.salted, now=now)["corrections"]


def identity_method(evidence: Evidence) -> str:
    """Return how it was proved who writes, as a code that says nothing about the person."""
    methods = (
        (evidence.strong, "strong"),
        (evidence.code_confirmed, "code_to_address_on_file"),
        (evidence.facts_confirmed, "two_facts"),
        (bool(evidence.authenticated) and evidence.from_known_address, "known_address"),
        (bool(evidence.authenticated), "sender_domain"),
    )
    return next((name for holds, name in methods if holds), "none")


def overwrite(desk: Desk, *, now: dt.datetime) -> bool:
    """Overwrite the space of what was purged, if anything was; return whether nothing is left of it."""
    with desk.store.read() as connection:
        if not rows.unwiped(connection):
            return True
    if not rows.wipe(desk.store):
        get_logger().warning("purged_space_not_overwritten")
        return False
    with desk.store.write() as connection:
        rows.mark_wiped(connection, now)
    return True


def copies_beside(store: Store) -> list[str]:
    """Return the names of database copies that lie beside it: what is purged here still lies in them."""
    if store.path is None:
        return []
    kept = [
        *store.path.parent.glob(f"{store.path.name}.before-*"),
        *store.path.parent.glob(f"{store.path.name}.replaced-*"),
    ]
    return sorted(one.name for one in kept)


def set_hold(desk: Desk, case_id: int, reason: str | None, *, actor: Actor, now: dt.datetime) -> Case:
    """Keep a case from retention for a reason, or (None) leave it to retention again."""
    text = clean_line(reason) if reason is not None else None
    if text is not None and not 0 < len(text) <= MAX_HOLD:
        raise UsageError(f"the reason has between 1 and {MAX_HOLD} characters", where="--reason")
    with desk.store.write() as connection:
        case = load_case(connection, case_id)
        code = "hold" if text is not None else "hold_lifted"
        case = record(connection, case, CaseEvent.NOTED, actor=actor, at=now, detail={"code": code})
        connection.execute(update(cases).where(cases.c.id == case_id).values(hold=text))
        return case


def erased_path(store: Store) -> Path:
    """Return where the list of what was erased lies, beside the database."""
    return store.beside(".erased") if store.path is not None else store.folder / "inboxbot.erased"


def note_erased(desk: Desk, marks: Iterable[str]) -> None:
    """Remember beside the database what a person had erased, so that it is erased again after a restored backup.

    A mark is a row id with a random number or a moment that tells it from another row that got the same id.
    """
    append_lines(erased_path(desk.store), [json.dumps(mark) for mark in marks])


def _to_erase_again(desk: Desk) -> frozenset[str]:
    path = erased_path(desk.store)
    if not path.exists():
        return frozenset()
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(line.strip('"') for line in lines)
