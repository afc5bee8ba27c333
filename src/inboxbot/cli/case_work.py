"""`inboxbot cases checklist|line|outcome|identity`: the work on a case, recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inboxbot.cli.case_options import ANSWERS, GROUNDS, KINDS, OUTCOMES, by_option, texts_of
from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import print_json, print_table, safe

if TYPE_CHECKING:
    from inboxbot.desk.context import Desk


@click.command("checklist")
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show_checklist(context: Context, reference: str, as_json: bool) -> None:
    """Show what has to be found out and done for each request, line by line."""
    from inboxbot.desk.view import checklist_json
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk, desk.store.read() as connection:
        shown = checklist_json(desk, connection, case_id_of(connection, reference))
    if as_json:
        print_json(shown)
        return
    for one in shown:
        click.secho(f"{one['kind']}: {one['outcome'] or 'undecided'}", bold=True)
        click.echo("  " + " · ".join(f"{name} {state}" for name, state in one["steps"].items()))
        rows = [
            [
                line["key"],
                line["answer"] or "–",
                line["ground"] or "",
                line["until"] or "",
                line["lack"] or "",
                line["looked_after_by"],
                line["detail"],
            ]
            for line in one["lines"]
        ]
        print_table(["line", "answer", "ground", "until", "lacks", "who looks", "detail"], rows, shrink=6)
        click.echo()


@click.command("line")
@click.argument("reference")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.argument("answer", type=click.Choice(ANSWERS))
@click.option("--until", metavar="DAY", help="The last day it is kept.")
@click.option(
    "--purchase", metavar="DAY", help="Kept for bookkeeping: the day of the purchase; the last day follows from it."
)
@click.option("--ground", type=click.Choice(GROUNDS), help="Why it is kept; if left out, what the settings say.")
@click.option("--detail", default="", help="In words: which order, which law, why withheld.")
@by_option
@click.pass_obj
def answer_checklist_line(
    context: Context,
    reference: str,
    kind: str,
    name: str,
    answer: str,
    until: str | None,
    purchase: str | None,
    ground: str | None,
    detail: str,
    by: str | None,
) -> None:
    """Record what was found or done at one line of a request's checklist (NAME as `cases checklist` shows it)."""
    from inboxbot.cases.checklist import LineAnswer
    from inboxbot.cli.moments import parse_day
    from inboxbot.config.model import KeepGround
    from inboxbot.desk.checklist import Answer, answer_line
    from inboxbot.sorting.kinds import Kind
    from inboxbot.store.cases import case_id_of

    given = Answer(
        name=name,
        answer=LineAnswer(answer),
        until=parse_day(until) if until else None,
        ground=KeepGround(ground) if ground else None,
        detail=detail,
        purchase_on=parse_day(purchase) if purchase else None,
    )
    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        answer_line(desk, case_id, Kind(kind), given, actor=terminal_actor(by), now=now())
    click.echo(f"{reference} {kind}, {name}: {answer}")


@click.command("outcome")
@click.argument("reference")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("outcome", type=click.Choice(OUTCOMES), required=False)
@click.option("--text", "texts", multiple=True, metavar="NAME=WORDS", help="Words for the letter; may be repeated.")
@click.option("--letter", "template", metavar="NAME", help="Another letter than the one that follows from the outcome.")
@click.option("--told", is_flag=True, help="The person was told already by other means; no letter.")
@by_option
@click.pass_obj
def record_outcome(
    context: Context,
    reference: str,
    kind: str,
    outcome: str | None,
    texts: tuple[str, ...],
    template: str | None,
    told: bool,
    by: str | None,
) -> None:
    """Record what became of a request and draft the letter that says so.

    Without OUTCOME it follows from the checklist, which must be complete.
    """
    from inboxbot.cases.values import Outcome
    from inboxbot.desk.checklist import decide
    from inboxbot.sorting.kinds import Kind
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        case, draft_id = decide(
            desk,
            case_id,
            Kind(kind),
            Outcome(outcome) if outcome else None,
            actor=terminal_actor(by),
            now=now(),
            texts=texts_of(texts),
            told=told,
            template=template,
        )
    chosen = next(one.outcome for one in case.requests if one.kind.value == kind)
    letter = f"; letter {draft_id} tells it, look at it with `inboxbot drafts show {draft_id}`" if draft_id else ""
    click.echo(f"{case.reference} {kind}: {chosen.value if chosen else ''}{letter}")


@click.command("identity")
@click.argument("reference")
@click.option("--address-on-file", metavar="ADDRESS", help="The address the company has on file for this person.")
@click.option("--found-in", metavar="SYSTEM", help="Where it was found.")
@click.option("--not-found", is_flag=True, help="It was looked for and is nowhere.")
@click.option(
    "--fact", "facts", multiple=True, metavar="NAME", help="Something that was checked, such as facts_confirmed."
)
@click.option("--no-fact", "no_facts", multiple=True, metavar="NAME", help="Take a fact back.")
@click.option("--look-up", is_flag=True, help="Search the systems that the settings let inboxbot search.")
@by_option
@click.pass_obj
def record_case_identity(
    context: Context,
    reference: str,
    address_on_file: str | None,
    found_in: str | None,
    not_found: bool,
    facts: tuple[str, ...],
    no_facts: tuple[str, ...],
    look_up: bool,
    by: str | None,
) -> None:
    """Record what was looked up or checked about who asks.

    With --look-up inboxbot searches itself; what it finds is a proposal until you record it with --address-on-file.
    """
    from inboxbot.desk.identity import record_identity
    from inboxbot.errors import UsageError
    from inboxbot.store.cases import case_id_of

    if look_up and (address_on_file or found_in or not_found or facts or no_facts):
        raise UsageError("--look-up goes alone", cure="record what you found yourself in a second call")
    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        if look_up:
            _look_up(desk, case_id, reference, by)
            return
        level = record_identity(
            desk,
            case_id,
            actor=terminal_actor(by),
            now=now(),
            address_on_file=address_on_file,
            found_in=found_in,
            not_found=not_found,
            facts={**dict.fromkeys(facts, True), **dict.fromkeys(no_facts, False)},
        )
    click.echo(f"{reference}: identity level L{level}")


def _look_up(desk: Desk, case_id: int, reference: str, by: str | None) -> None:
    import shlex

    from inboxbot.cli.reasons import LOOKUPS
    from inboxbot.desk import lookup

    looked = lookup.look_up(desk, case_id, actor=terminal_actor(by), now=now())
    for one in looked.answers:
        click.echo(f"{safe(one.system)}: {LOOKUPS[one.result.value]}")
    known = looked.identity
    if known.proposed:
        click.echo(f"proposed: {known.address_on_file}, found in {safe(known.found_in or '')}; to confirm it:")
        recorded = ["--address-on-file", known.address_on_file or "", "--found-in", safe(known.found_in or "")]
        click.echo(f"  inboxbot cases identity {reference} {shlex.join(recorded)}")
    click.echo(f"{reference}: identity level L{looked.level}")
