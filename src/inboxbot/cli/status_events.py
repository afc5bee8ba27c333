"""The part of `inboxbot status` about events: what was told last, and what did not reach its listener."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from inboxbot.cli.output import utc_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from inboxbot.desk.context import Desk

_TRIED_AGAIN = "tried_again"


def events_standing(desk: Desk, connection: Connection) -> dict[str, Any]:
    """Return counts of deliveries, those that wait after a failed try, those that failed, and the last alarm."""
    from inboxbot.cases.alarms import ALARMS, Channel, DeliveryState
    from inboxbot.desk.events import address_mark
    from inboxbot.store.deliveries import count_deliveries, last_event, undelivered

    names = {address_mark(desk, one): one for company in desk.settings.company for one in company.alarm_addresses}
    counts = count_deliveries(connection)

    def shown(row: dict[str, Any]) -> dict[str, Any]:
        return {
            "event": row["kind"],
            "case": row["detail"].get("case"),
            "at": utc_text(row["at"]),
            "channel": row["channel"],
            "to": names.get(row["target"], "an address that was taken out of the settings")
            if row["channel"] == Channel.MAIL.value
            else row["target"],
            "state": row["state"],
            "result": row["result"],
            "next_try_at": utc_text(row["next_try_at"]),
        }

    waiting = undelivered(connection, [DeliveryState.WAITING, DeliveryState.SENDING])
    failed = undelivered(connection, [DeliveryState.FAILED, DeliveryState.UNKNOWN])
    last = last_event(connection, ALARMS)
    return {
        "told": {one.value: counts.get((one.value, DeliveryState.DONE.value), 0) for one in Channel},
        "waiting": len(waiting),
        _TRIED_AGAIN: [shown(row) for row in waiting if row["attempts"] > 0],
        "failed": [shown(row) for row in failed],
        "last_alarm": {"event": last[0].value, "case": last[2].get("case"), "at": utc_text(last[1])} if last else None,
    }


def untold_lines(events: dict[str, Any], when: Callable[[str | None], str]) -> list[str]:
    """Return a line for each event that did not reach its listener."""
    found = [f"{_named(one)}: {one['result']}, tried again {when(one['next_try_at'])}" for one in events[_TRIED_AGAIN]]
    ends = {"unknown": "nobody knows whether it arrived", "failed": "given up"}
    return found + [f"{_named(one)}: {one['result']}, {ends[one['state']]}" for one in events["failed"]]


def events_line(events: dict[str, Any], when: Callable[[str | None], str]) -> str:
    """Return the line of counts."""
    last = events["last_alarm"]
    case = f" ({last['case']})" if last and last["case"] else ""
    alarm = f"; last alarm {when(last['at'])}: {last['event'].replace('_', ' ')}{case}" if last else ""
    told = events["told"]
    return f"events     {told['webhook']} told to webhooks, {told['mail']} to staff, {events['waiting']} waiting{alarm}"


def _named(one: dict[str, Any]) -> str:
    case = f" of {one['case']}" if one["case"] else ""
    return f"{one['event'].replace('_', ' ')}{case} to {one['to']}"
