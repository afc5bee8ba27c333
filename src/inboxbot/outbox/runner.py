"""Sending what is approved: one letter at a time, under a lock, each phase written down before its first byte."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from inboxbot.config.load import smtp_sign_in
from inboxbot.crash import crash_here
from inboxbot.desk import sending
from inboxbot.desk.context import Desk
from inboxbot.errors import RefusedError
from inboxbot.logs import get_logger
from inboxbot.outbox.journal import Journal
from inboxbot.outbox.smtp import Delivery, Limits, Phase, Result, deliver
from inboxbot.store.drafts import Turn

log = get_logger()


@dataclass(slots=True)
class Sent:
    """What one pass did. ``errors`` are servers that could not be used: {"where", "what"}."""

    sent: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)


def send_due(
    desk: Desk,
    journal: Journal,
    *,
    now: Callable[[], dt.datetime],
    limits: Limits | None = None,
    may: Callable[[], bool] = lambda: True,
) -> Sent:
    """Settle what a crash left, then try every approved letter that is due. Call it while holding the outbox lock.

    A server that cannot be used ends the tries for its mailbox in this pass; the letters wait for the next one. ``may``
    is asked before each letter: no further one is tried when the right to work was lost.
    """
    done = Sent()
    sending.recover(desk, journal.accepted(), dot=Phase.DOT, now=now())
    journal.clear()
    turn = Turn()
    dead: set[str] = set()
    while may() and (letter := sending.next_letter(desk, now=now(), turn=turn)) is not None:
        if letter.mailbox.address in dead:
            continue
        delivery = _try(desk, letter, journal, now, limits)
        if delivery is None:
            continue
        if delivery.result is Result.ACCEPTED:
            done.sent += 1
        elif delivery.result is Result.SERVER or delivery.phase is Phase.CONNECT:
            dead.add(letter.mailbox.address)
            place = f"{letter.mailbox.smtp.host}:{letter.mailbox.smtp.port}"
            done.errors.append({"where": place, "what": f"cannot send: {delivery.server_text}"})
        log.info("letter_tried", draft=letter.draft.id, result=delivery.result.value, phase=delivery.phase.value)
    return done


def _try(
    desk: Desk, letter: sending.Letter, journal: Journal, now: Callable[[], dt.datetime], limits: Limits | None
) -> Delivery | None:
    """Try one letter and write what is certain; None when somebody changed it meanwhile."""
    attempt = sending.begin(desk, letter, phase=Phase.CONNECT, now=now())
    crash_here("send_begun")
    username, password = smtp_sign_in(letter.mailbox)

    def reached(phase: Phase) -> None:
        if phase is Phase.BODY:
            sending.claim(desk, letter, attempt, phase=phase, now=now())
            crash_here("send_claimed")
        elif phase is not Phase.CONNECT:
            crash_here("send_text_out")
            sending.reach(desk, attempt, phase=phase)
            crash_here("send_before_dot")

    try:
        delivery = deliver(
            letter.mailbox.smtp,
            username=username,
            password=password,
            sender=letter.mailbox.address,
            recipient=letter.recipient,
            message=letter.message,
            reached=reached,
            greeting_name=letter.mailbox.address.partition("@")[2],
            limits=limits,
        )
    except RefusedError:
        return None
    _settle(desk, letter, attempt, delivery, journal, now())
    return delivery


def _settle(
    desk: Desk, letter: sending.Letter, attempt: int, delivery: Delivery, journal: Journal, now: dt.datetime
) -> None:
    text = delivery.server_text
    if delivery.result is Result.ACCEPTED:
        crash_here("send_accepted")
        journal.note(letter.draft.id, letter.draft.digest or "", text)
        crash_here("send_journaled")
        sending.accepted(desk, letter.draft.id, attempt, text=text, now=now)
        crash_here("send_committed")
        journal.clear()
    elif delivery.result is Result.UNKNOWN:
        sending.unknown(desk, letter.draft.id, attempt, text=text, now=now)
    elif delivery.result is Result.REFUSED:
        sending.refused(desk, letter, attempt, text=text, now=now)
    else:
        why = "server_refuses_sign_in" if delivery.result is Result.SERVER else f"retry_after_{delivery.phase.value}"
        sending.put_back(desk, letter.draft.id, attempt, text=text, why=why, now=now)
