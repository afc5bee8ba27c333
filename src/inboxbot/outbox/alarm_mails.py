"""Mails to staff: gathered, and sent through the same conversation as letters, each phase written down first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from inboxbot.config.load import smtp_sign_in
from inboxbot.crash import crash_here
from inboxbot.desk import telling
from inboxbot.desk.context import Desk
from inboxbot.logs import get_logger
from inboxbot.outbox.smtp import Delivery, Limits, Phase, Result, deliver
from inboxbot.replies.compose import LetterHeaders, compose
from inboxbot.replies.render import Letter
from inboxbot.reports.alarms import Alarm, alarm_text

log = get_logger()
COLLECT: Final = dt.timedelta(minutes=1)
AT_ONCE: Final = dt.timedelta()


def tell_staff(
    desk: Desk, *, now: Callable[[], dt.datetime], collect: dt.timedelta = COLLECT, limits: Limits | None = None
) -> int:
    """Send staff what waits for them, and return how many mails were taken. Call it while nobody else does.

    What comes within ``collect`` of the first event goes in one mail. A server that cannot be used ends the tries by
    its mailbox in this pass.
    """
    telling.recover_notices(desk, dot=Phase.DOT, now=now())
    if telling.gather(desk, now=now(), collect=collect):
        crash_here("alarm_mail_made")
    passed: set[int] = set()
    dead: set[str] = set()
    taken = 0
    while (notice := telling.next_notice(desk, now=now(), passed=passed)) is not None:
        if notice.mailbox.address in dead:
            continue
        delivery = _try(desk, notice, now, limits)
        _settle(desk, notice, delivery, now())
        taken += delivery.result is Result.ACCEPTED
        if delivery.result is Result.SERVER or delivery.phase is Phase.CONNECT:
            dead.add(notice.mailbox.address)
        log.info("staff_told", mail=notice.mail.id, events=len(notice.told), result=delivery.result.value)
    return taken


def message_of(notice: telling.Notice) -> bytes:
    """Return the mail to staff as it goes out. Raises RefusedError when an address cannot stand in a mail."""
    company = notice.company
    alarms = [Alarm(one.kind, one.detail) for one in notice.told]
    subject, body = alarm_text(alarms, company=company.name, language=company.language, zone=company.zone)
    headers = LetterHeaders(
        from_name="inboxbot",
        from_address=notice.mailbox.address,
        to_address=notice.recipient,
        message_id=notice.mail.message_id,
        date=notice.mail.made_at.astimezone(company.zone),
        auto_submitted="auto-generated",
    )
    language = "sv" if company.language == "sv" else "en"
    return compose(Letter("alarm", language, subject, body), headers)


def _try(desk: Desk, notice: telling.Notice, now: Callable[[], dt.datetime], limits: Limits | None) -> Delivery:
    try:
        message = message_of(notice)
    except Exception as error:  # noqa: BLE001  (one event must not keep every other mail back)
        log.error("staff_mail_not_composed", mail=notice.mail.id, error=error)
        return Delivery(Result.REFUSED, Phase.ENVELOPE, "cannot_be_composed")
    telling.begin_notice(desk, notice, phase=Phase.CONNECT, now=now())
    username, password = smtp_sign_in(notice.mailbox)

    def reached(phase: Phase) -> None:
        if phase is Phase.BODY:
            telling.reach_notice(desk, notice, phase=phase)
            crash_here("alarm_mail_claimed")
        elif phase is Phase.DOT:
            telling.reach_notice(desk, notice, phase=phase)
            crash_here("alarm_mail_before_dot")

    return deliver(
        notice.mailbox.smtp,
        username=username,
        password=password,
        sender=notice.mailbox.address,
        recipient=notice.recipient,
        message=message,
        reached=reached,
        greeting_name=notice.mailbox.address.partition("@")[2],
        limits=limits,
    )


def _settle(desk: Desk, notice: telling.Notice, delivery: Delivery, now: dt.datetime) -> None:
    """Write what is certain. Of the server's words only the code is kept: they may name the address."""
    code = f"{delivery.phase.value} {delivery.server_text[:3]}".strip()
    mail = notice.mail
    if delivery.result is Result.ACCEPTED:
        crash_here("alarm_mail_taken")
        telling.notice_taken(desk, mail.id, now=now)
    elif delivery.result is Result.UNKNOWN:
        telling.notice_in_doubt(desk, mail, now=now)
    elif delivery.result is Result.REFUSED:
        telling.notice_refused(desk, mail.id, result=code, now=now)
    else:
        telling.notice_put_back(desk, mail.id, mail.attempts + 1, result=code, now=now)
