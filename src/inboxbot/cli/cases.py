"""`inboxbot cases`: list, show and change cases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from inboxbot.cli.case_changes import (
    assign_case,
    close_cases,
    confirm_cases,
    dismiss_cases,
    export_case_file,
    hold_case,
    merge_cases,
    note_case,
    open_case,
    relabel_case,
    reopen_cases,
    split_case,
)
from inboxbot.cli.case_files import fetch_attachment
from inboxbot.cli.case_options import STATES
from inboxbot.cli.case_work import answer_checklist_line, record_case_identity, record_outcome, show_checklist
from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, print_table, safe


@click.group()
def cases() -> None:
    """List, show and change cases."""


@cases.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only cases in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_cases(context: Context, states: tuple[str, ...], as_json: bool) -> None:
    """Show the cases, most urgent first."""
    from inboxbot.cases.values import CaseState
    from inboxbot.desk.view import case_json, urgency
    from inboxbot.store.cases import load_cases
    from inboxbot.store.drafts import draft_ids_by_case

    moment = now()
    with context.desk() as desk, desk.store.read() as connection:
        chosen = [CaseState(state) for state in states] or None
        found = sorted(load_cases(connection, states=chosen), key=lambda case: urgency(case, moment))
        letters = draft_ids_by_case(connection)
    if as_json:
        print_json([case_json(case, letters.get(case.id, []), moment) for case in found])
        return
    zone = context.zone()
    rows = [_row(case_json(case, letters.get(case.id, []), moment), case.subject, zone) for case in found]
    print_table(["case", "state", "asks for", "answer by", "promise", "law", "requester", "subject"], rows, shrink=7)


def _row(case: dict[str, Any], subject: str, zone: Any) -> list[str]:
    due = case["promise"]["due_at"]
    dates = [one["due_hard"] for one in case["requests"] if one["due_hard"] and not one["outcome"]]
    return [
        case["reference"],
        case["state"],
        ", ".join(one["kind"] for one in case["requests"] if one["outcome"] != "not_a_request"),
        local_text(dt.datetime.fromisoformat(due), zone) if due else "–",
        case["promise"]["status"],
        min(dates) if dates else "–",
        case["requester"] or "(unknown)",
        subject,
    ]


@cases.command("show")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, reference: str, as_json: bool) -> None:
    """Show one case: its mails with the decisive words, clocks, letters and history."""
    from inboxbot.desk.view import case_file

    moment = now()
    with context.desk() as desk, desk.store.read() as connection:
        file = case_file(desk, connection, reference, moment)
    if as_json:
        print_json(file)
        return
    _print_file(file, context.zone())


def _print_file(file: dict[str, Any], zone: Any) -> None:
    click.secho(f"{file['reference']}  {file['state']}", bold=True)
    click.echo(
        f"from      {safe(file['requester'] or '(unknown)')}   to {file['mailbox']}   language {file['language']}"
    )
    if file["held_reason"]:
        click.echo(f"held      {file['held_reason']}")
    promise = file["promise"]
    if promise["due_at"]:
        due = local_text(dt.datetime.fromisoformat(promise["due_at"]), zone)
        click.echo(f"promise   {promise['status']}, answer by {due}")
    if file["breach_due_at"]:
        due = local_text(dt.datetime.fromisoformat(file["breach_due_at"]), zone)
        click.echo(f"breach?   if it is one, the authority must be told by {due} (72 hours)")
    for one in file["requests"]:
        law = f", by law {one['due_hard']}: {one['explained']}" if one["due_hard"] else ""
        click.echo(f"asks for  {one['kind']} ({one['outcome'] or 'undecided'}){law}")
    click.echo(f"who       {_who(file['identity'])}")
    for mail in file["mails"]:
        head = {"in": "from the requester", "out": "our letter", "note": "note"}[mail["direction"]]
        moment = local_text(dt.datetime.fromisoformat(mail["received_at"]), zone)
        click.echo()
        click.secho(f"── {head}, {moment}: {safe(mail['subject'])}", bold=True)
        click.echo(safe(mail["text"], newlines=True).strip())
        for one in mail["evidence"]:
            click.echo(f"   » {one['kind']}: “{safe(one['text'])}”")
        for one in mail["attachments"]:
            click.echo(f"   attachment left in the mailbox: {safe(one['name'])} ({one['type']}, {one['size']} bytes)")
    click.echo()
    print_table(
        ["letter", "state", "kind of letter", "to", "subject"],
        [[str(one["id"]), one["state"], one["template"], one["to"] or "–", one["subject"]] for one in file["drafts"]],
        shrink=4,
    )
    click.echo()
    print_table(
        ["when", "what", "who", "door", "detail"],
        [
            [
                local_text(dt.datetime.fromisoformat(one["at"]), zone),
                one["event"],
                one["actor"],
                one["door"],
                " ".join(f"{key}={value}" for key, value in one["detail"].items()),
            ]
            for one in file["history"]
        ],
        shrink=4,
    )


def _who(known: dict[str, Any]) -> str:
    from inboxbot.cli.reasons import LOOKUPS

    told = [f"identity level L{known['level']}"]
    if known["address_on_file"]:
        source = f", found in {safe(known['found_in'])}" if known["found_in"] else ""
        proposed = "; proposed by inboxbot, nobody has confirmed it" if known["proposed"] else ""
        told.append(f"on file {safe(known['address_on_file'])}{source}{proposed}")
    elif known["looked_up"]:
        told.append("not on file anywhere")
    told += [f"{safe(one['system'])}: {LOOKUPS[one['result']]}" for one in known["searched"]]
    return "\n          ".join(told)


for command in (
    open_case,
    fetch_attachment,
    note_case,
    assign_case,
    show_checklist,
    answer_checklist_line,
    record_outcome,
    record_case_identity,
    relabel_case,
    merge_cases,
    split_case,
    export_case_file,
    hold_case,
    confirm_cases,
    dismiss_cases,
    close_cases,
    reopen_cases,
):
    cases.add_command(command)
