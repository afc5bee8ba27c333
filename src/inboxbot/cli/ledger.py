"""`inboxbot ledger`: every message seen, with what became of it and why."""

from __future__ import annotations

from typing import Any

import click

from inboxbot.cli.context import Context
from inboxbot.cli.output import local_text, print_json, print_table, utc_text
from inboxbot.cli.reasons import in_words

STATES = ("case", "followup", "held", "ordinary", "ignored", "baseline")


@click.command()
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only messages that became this.")
@click.option("--older", is_flag=True, help="With the mail that came before the start (state baseline).")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def ledger(context: Context, states: tuple[str, ...], older: bool, limit: int | None, as_json: bool) -> None:
    """Show every message seen, newest first, with what became of it and why.

    The number in front opens an ordinary mail as a case: inboxbot cases open --ledger NUMBER.
    """
    from inboxbot.cases.values import LedgerState
    from inboxbot.store.ledger import list_ledger

    shown = set(states) or {state for state in STATES if older or state != "baseline"}
    if states and older:
        shown.add("baseline")
    wanted = [LedgerState(state) for state in STATES if state in shown]
    with context.desk() as desk, desk.store.read() as connection:
        found = list(list_ledger(connection, states=wanted, limit=limit))
    if as_json:
        print_json([_json(one) for one in found])
        return
    zone = context.zone()
    rows = [
        [
            str(one["id"]),
            local_text(one["received_at"], zone),
            one["mailbox"],
            one["sender"] or "–",
            one["state"],
            one["case"] or "–",
            in_words(one["reason"]),
            one["subject"] or "–",
        ]
        for one in found
    ]
    print_table(["no", "came", "mailbox", "from", "became", "case", "because", "subject"], rows, shrink=7)


def _json(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "received_at": utc_text(one["received_at"]), "because": in_words(one["reason"])}
