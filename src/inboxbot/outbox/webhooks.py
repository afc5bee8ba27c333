"""Telling programs by webhook: marketing systems of an opt-out, and whoever listens of what happened in cases.

Both go the same way: one signed JSON request each (`inboxbot.outgoing`), tried until it is taken, ever more slowly. A
request that was taken without our knowing is made again; its id tells the receiver that it has it (docs/webhooks.md).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, Final

from inboxbot.config.model import CompanySettings, System
from inboxbot.crash import crash_here
from inboxbot.desk.context import Desk
from inboxbot.desk.events import moment_text
from inboxbot.desk.optout import system_answered, system_failed
from inboxbot.desk.telling import hook_failed, hook_took
from inboxbot.logs import get_logger
from inboxbot.outgoing import UnreachableError, post_signed
from inboxbot.store.deliveries import Telling, due_hooks
from inboxbot.store.suppressions import CHANNELS
from inboxbot.store.webhooks import Told, due_webhooks

log = get_logger()
MOST_AT_ONCE: Final = 200


def tell_systems(desk: Desk, *, now: Callable[[], dt.datetime]) -> int:
    """Tell every system that is due of its opt-outs, and return how many answered. Faults are tried again later."""
    with desk.store.read() as connection:
        due = due_webhooks(connection, now())
    answered = 0
    for told in due:
        system = _system(desk, told)
        if system is None or system.webhook is None:
            system_failed(desk, told, result="not_configured", now=now())
            continue
        result = _tell_system(system, system.webhook, told, now())
        if _is_taken(result):
            system_answered(desk, told, result=result, now=now())
            answered += 1
        else:
            system_failed(desk, told, result=result, now=now())
        log.info("system_told", case=told.reference, result=result)
    return answered


def tell_hooks(desk: Desk, *, now: Callable[[], dt.datetime]) -> int:
    """Tell webhooks of what happened, oldest first, and return how many requests were taken.

    One that does not answer is left alone for the rest of the pass, so that nobody waits for it twice.
    """
    with desk.store.read() as connection:
        due = due_hooks(connection, now(), most=MOST_AT_ONCE)
    dead: set[tuple[str, str]] = set()
    taken = 0
    for telling in due:
        if (telling.company, telling.target) in dead:
            continue
        result = _tell_hook(desk, telling, now())
        if _is_taken(result):
            crash_here("webhook_taken")
            hook_took(desk, telling, result=result, now=now())
            taken += 1
        else:
            hook_failed(desk, telling, result=result, now=now())
            dead.add((telling.company, telling.target))
        log.info("webhook_told", delivery=telling.id, result=result)
    return taken


def _is_taken(result: str) -> bool:
    return len(result) == 3 and result.startswith("2")


def _system(desk: Desk, told: Told) -> System | None:
    company: CompanySettings | None = next((one for one in desk.settings.company if one.name == told.company), None)
    return next((one for one in company.systems if one.name == told.system), None) if company else None


def _tell_system(system: System, url: str, told: Told, now: dt.datetime) -> str:
    """Send one opt-out and return the HTTP status as text, or the code of why there was none."""
    delivery_id = f"{told.reference}:{told.id}"
    body = {
        "event": "opt_out",
        "id": delivery_id,
        "address": told.address,
        "channels": list(CHANNELS),
        "since": moment_text(told.since),
    }
    try:
        answer = post_signed(
            url,
            json.dumps(body).encode(),
            delivery_id=delivery_id,
            secret_file=system.webhook_secret_file,
            private=system.webhook_private,
            now=now,
        )
    except UnreachableError as error:
        return error.code
    return str(answer.status)


def _tell_hook(desk: Desk, telling: Telling, now: dt.datetime) -> str:
    """Send one event and return the HTTP status as text, or the code of why there was none."""
    company = next((one for one in desk.settings.company if one.name == telling.company), None)
    hook = next((one for one in company.webhooks if one.name == telling.target), None) if company else None
    if hook is None:
        return "not_configured"
    # Numbers come again after an older copy of the database was restored; with the moment no two events share an id.
    event_id = f"event-{telling.event_id}-{desk.salted(f'{telling.event_id} {moment_text(telling.at)}')[:12]}"
    try:
        answer = post_signed(
            hook.url,
            _body(telling, event_id),
            delivery_id=event_id,
            secret_file=hook.secret_file,
            private=hook.private,
            now=now,
        )
    except UnreachableError as error:
        return error.code
    return str(answer.status)


def _body(telling: Telling, event_id: str) -> bytes:
    """Return what a webhook is told of an event; the same bytes at every try."""
    told: dict[str, Any] = {
        "id": event_id,
        "event": telling.kind.value,
        "at": moment_text(telling.at),
        **telling.detail,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
