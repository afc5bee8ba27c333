"""What becomes of a telling: taken, tried again later, or given up and shown in `inboxbot status`.

A mail to staff is sent at least once, not at most once as letters are: an alarm that nobody got may cost a legal date,
one that comes twice costs a glance. What certainly did not go out is tried again; when nobody can know (cut after the
final dot), it is tried once more with the same Message-ID, by which mail programs know it again, and after a second
such end it is left as ``unknown``. So no event is lost, and none comes more than twice.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Final

from inboxbot.cases.alarms import DeliveryState
from inboxbot.cases.references import NO_CASE, make_message_id
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.desk.context import Desk
from inboxbot.desk.events import address_mark
from inboxbot.desk.retry import next_try
from inboxbot.store.deliveries import (
    AlarmMail,
    Telling,
    change_mail,
    end_delivery,
    end_mail,
    load_mails_to_staff,
    mails_begun,
    make_mail,
    retry_delivery,
    told_by,
    waiting_targets,
)

MOST_UNSURE: Final = 2
_HOUR: Final = dt.timedelta(hours=1)


def hook_took(desk: Desk, telling: Telling, *, result: str, now: dt.datetime) -> None:
    """Write that a webhook took an event."""
    with desk.store.write() as connection:
        end_delivery(connection, telling.id, DeliveryState.DONE, result=result, at=now)


def hook_failed(desk: Desk, telling: Telling, *, result: str, now: dt.datetime) -> None:
    """Write that a webhook did not take an event; after two days nobody tries any more."""
    again = next_try(now, telling.attempts + 1) if result != "not_configured" else None
    with desk.store.write() as connection:
        if again is None:
            end_delivery(connection, telling.id, DeliveryState.FAILED, result=result, at=now)
        else:
            retry_delivery(connection, telling.id, result=result, at=again)


# --- mails to staff -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail to staff that may be sent now: to whom, from which mailbox, and the events it tells of."""

    mail: AlarmMail
    company: CompanySettings
    mailbox: MailboxSettings
    recipient: str
    told: tuple[Telling, ...]


def gather(desk: Desk, *, now: dt.datetime, collect: dt.timedelta) -> int:
    """Make one mail for each address of the events that wait ``collect`` long, and return how many."""
    with desk.store.read() as connection:
        ripe = [one for one in waiting_targets(connection) if _is_ripe(one[2], now, collect)]
    for company, target, _ in ripe:
        found = next((one for one in desk.settings.company if one.name == company), None)
        domain = found.mailbox[0].address.partition("@")[2] if found else "invalid"
        message_id = make_message_id(desk.secret, NO_CASE, secrets.token_hex(6), domain)
        with desk.store.write() as connection:
            make_mail(connection, company, target, message_id=message_id, now=now)
    return len(ripe)


def _is_ripe(since: dt.datetime, now: dt.datetime, collect: dt.timedelta) -> bool:
    return now - since >= collect or now < since  # a clock that was set back delays nothing


def next_notice(desk: Desk, *, now: dt.datetime, passed: set[int]) -> Notice | None:
    """Return the next mail to staff to try, or None. What is over the limit of the hour waits."""
    with desk.store.write() as connection:
        for mail in load_mails_to_staff(connection, DeliveryState.WAITING, due=now):
            if mail.id in passed:
                continue
            passed.add(mail.id)
            place = _place(desk, mail)
            if place is None:
                end_mail(connection, mail.id, DeliveryState.FAILED, result="not_configured", at=now)
                continue
            if mails_begun(connection, mail.target, now - _HOUR, now) >= desk.settings.limits.alarms_per_hour:
                change_mail(connection, mail.id, next_try_at=now + dt.timedelta(minutes=5), result="limit_per_hour")
                continue
            company, recipient = place
            # Should the first mailbox's server be the one that is down, another one of the company tells of it.
            mailbox = company.mailbox[mail.attempts % len(company.mailbox)]
            return Notice(mail, company, mailbox, recipient, tuple(told_by(connection, mail.id)))
    return None


def _place(desk: Desk, mail: AlarmMail) -> tuple[CompanySettings, str] | None:
    company = next((one for one in desk.settings.company if one.name == mail.company), None)
    if company is None:
        return None
    known = {address_mark(desk, address): address for address in company.alarm_addresses}
    return (company, known[mail.target]) if mail.target in known else None


def begin_notice(desk: Desk, notice: Notice, *, phase: str, now: dt.datetime) -> None:
    """Record a new try; committed before the server hears a word of it."""
    with desk.store.write() as connection:
        change_mail(connection, notice.mail.id, started_at=now, phase=phase, attempts=notice.mail.attempts + 1)


def reach_notice(desk: Desk, notice: Notice, *, phase: str) -> None:
    """Record that the try comes to ``phase``; from then on the mail is in transmission."""
    with desk.store.write() as connection:
        change_mail(connection, notice.mail.id, state=DeliveryState.SENDING.value, phase=phase)


def notice_taken(desk: Desk, mail_id: int, *, now: dt.datetime) -> None:
    """Write that the server took a mail to staff."""
    with desk.store.write() as connection:
        end_mail(connection, mail_id, DeliveryState.DONE, result="accepted", at=now)


def notice_refused(desk: Desk, mail_id: int, *, result: str, now: dt.datetime) -> None:
    """Write that the server refused a mail to staff for good."""
    with desk.store.write() as connection:
        end_mail(connection, mail_id, DeliveryState.FAILED, result=result, at=now)


def notice_put_back(desk: Desk, mail_id: int, attempts: int, *, result: str, now: dt.datetime) -> None:
    """Write that a mail to staff certainly did not go out; after two days nobody tries any more."""
    again = next_try(now, attempts)
    with desk.store.write() as connection:
        if again is None:
            end_mail(connection, mail_id, DeliveryState.FAILED, result=result, at=now)
        else:
            change_mail(connection, mail_id, state=DeliveryState.WAITING.value, result=result, next_try_at=again)


def notice_in_doubt(desk: Desk, mail: AlarmMail, *, now: dt.datetime) -> None:
    """Write that nobody knows whether a mail to staff arrived: it goes once more, and then no more."""
    unsure = mail.unsure + 1
    with desk.store.write() as connection:
        if unsure >= MOST_UNSURE:
            end_mail(connection, mail.id, DeliveryState.UNKNOWN, result="outcome_unknown", at=now)
            change_mail(connection, mail.id, unsure=unsure)
        else:
            values = {"state": DeliveryState.WAITING.value, "result": "outcome_unknown", "next_try_at": now}
            change_mail(connection, mail.id, **values, unsure=unsure)


def recover_notices(desk: Desk, *, dot: str, now: dt.datetime) -> None:
    """Settle what a crash left in transmission; ``dot`` is the name of the phase from which the end is unknown."""
    with desk.store.read() as connection:
        left = load_mails_to_staff(connection, DeliveryState.SENDING)
    for mail in left:
        if mail.phase == dot:
            notice_in_doubt(desk, mail, now=now)
        else:
            notice_put_back(desk, mail.id, 1, result="cut_before_dot", now=now)
