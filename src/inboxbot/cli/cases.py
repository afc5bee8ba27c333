"""`inboxbot cases`: list, show and change cases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import local_text, print_json, print_table, safe

STATES = ("held", "open", "waiting", "closed", "dismissed")
KINDS = (
    "access",
    "erasure",
    "unsubscribe",
    "complaint",
    "rectification",
    "portability",
    "objection",
    "restriction",
    "other",
)
OUTCOMES = ("granted", "partly_granted", "refused", "withdrawn", "not_a_request")
GROUNDS = ("bookkeeping", "commitment", "legal_claim", "legal_duty")
ANSWERS = (
    "found",
    "nothing",
    "withheld",
    "corrected",
    "unchanged",
    "erased",
    "kept",
    "stopped",
    "continues",
    "restricted",
    "told",
    "not_told",
)
by_option = click.option("--by", "by", metavar="NAME", help="Who does this; the signed-in user if left out.")


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


@cases.command("open")
@click.option(
    "--received", metavar="MOMENT", help="When it reached the company (ISO 8601; no offset = the company's zone)."
)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="What is asked for; may be repeated.")
@click.option(
    "--from", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The mail as a file."
)
@click.option("--requester", metavar="ADDRESS", help="Who asks, when there is no file or it was passed on.")
@click.option("--ledger", "ledger_id", type=int, help="A mail left as ordinary, by its number in `inboxbot ledger`.")
@click.option("--mailbox", metavar="ADDRESS", help="The mailbox to answer from; the first one if left out.")
@click.option("--language", help="The language to answer in.")
@click.option("--words", default="", help="What was said, in short.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@by_option
@click.pass_obj
def open_case(
    context: Context,
    received: str | None,
    kinds: tuple[str, ...],
    file: Path | None,
    requester: str | None,
    ledger_id: int | None,
    mailbox: str | None,
    language: str | None,
    words: str,
    as_json: bool,
    by: str | None,
) -> None:
    """Enter a request that came by phone, letter or another inbox."""
    from inboxbot.cli.moments import parse_moment
    from inboxbot.desk.enter import Entry, enter, open_ordinary
    from inboxbot.sorting.kinds import Kind

    asked = tuple(Kind(kind) for kind in kinds)
    moment = now()
    with context.desk() as desk:
        if ledger_id is not None:
            opened = open_ordinary(desk, ledger_id, asked or (Kind.OTHER,), actor=terminal_actor(by), now=moment)
        else:
            mail, verdict = _read_file(file)
            entry = Entry(
                received_at=parse_moment(received, context.zone()) if received else moment,
                kinds=asked or (verdict.kinds if verdict else ()),
                requester=requester,
                language=language,
                words=words,
                mail=mail,
                verdict=verdict,
            )
            opened = enter(desk, mailbox, entry, actor=terminal_actor(by), now=moment)
    if as_json:
        print_json({"reference": opened.reference, "drafts": opened.drafted})
    else:
        click.echo(f"opened {opened.reference}; {opened.drafted} letter drafted")


def _read_file(file: Path | None) -> tuple[Any, Any]:
    from inboxbot.errors import UsageError
    from inboxbot.reading.read import read_whole
    from inboxbot.reading.values import UnreadableError
    from inboxbot.sorting.judge import Judge

    if file is None:
        return None, None
    try:
        mail = read_whole(file.read_bytes())
    except UnreadableError as error:
        raise UsageError(f"the mail cannot be read: {error.code}", where=str(file)) from None
    return mail, Judge.load().judge(mail)


@cases.command("note")
@click.argument("reference")
@click.argument("words")
@click.option("--phone", is_flag=True, help="The words sum up a phone call.")
@by_option
@click.pass_obj
def note_case(context: Context, reference: str, words: str, phone: bool, by: str | None) -> None:
    """Keep a note on a case."""
    from inboxbot.desk.annotate import note
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        note(desk, case_id, words, actor=terminal_actor(by), now=now(), phone=phone)
    click.echo(f"noted on {reference}")


@cases.command("assign")
@click.argument("reference")
@click.argument("name", required=False)
@by_option
@click.pass_obj
def assign_case(context: Context, reference: str, name: str | None, by: str | None) -> None:
    """Say who looks after a case; without NAME nobody does."""
    from inboxbot.desk.annotate import assign
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        assign(desk, case_id, name, actor=terminal_actor(by), now=now())
    click.echo(f"{reference}: {name or 'nobody'}")


@cases.command("checklist")
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
                line["detail"],
            ]
            for line in one["lines"]
        ]
        print_table(["line", "answer", "ground", "until", "lacks", "detail"], rows, shrink=5)
        click.echo()


@cases.command("line")
@click.argument("reference")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.argument("answer", type=click.Choice(ANSWERS))
@click.option("--until", metavar="DAY", help="The last day it is kept.")
@click.option(
    "--purchase", metavar="DAY", help="Kept for bookkeeping: the day of the purchase; the last day follows from it."
)
@click.option("--ground", type=click.Choice(GROUNDS), help="Why it is kept.")
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


@cases.command("outcome")
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


def texts_of(given: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=WORDS options as a mapping. Raises a usage error for one without ``=``."""
    pairs = [one.partition("=") for one in given]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("--text takes NAME=WORDS")
    return {name.strip(): words for name, _, words in pairs}


@cases.command("identity")
@click.argument("reference")
@click.option("--address-on-file", metavar="ADDRESS", help="The address the company has on file for this person.")
@click.option("--found-in", metavar="SYSTEM", help="Where it was found.")
@click.option("--not-found", is_flag=True, help="It was looked for and is nowhere.")
@click.option(
    "--fact", "facts", multiple=True, metavar="NAME", help="Something that was checked, such as facts_confirmed."
)
@click.option("--no-fact", "no_facts", multiple=True, metavar="NAME", help="Take a fact back.")
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
    by: str | None,
) -> None:
    """Record what was looked up or checked about who asks."""
    from inboxbot.desk.identity import record_identity
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
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


@cases.command("relabel")
@click.argument("reference")
@click.argument("kinds", type=click.Choice(KINDS), nargs=-1, required=True)
@by_option
@click.pass_obj
def relabel_case(context: Context, reference: str, kinds: tuple[str, ...], by: str | None) -> None:
    """Correct what a case asks for; the answer is drafted anew and the judge can learn."""
    from inboxbot.desk.relabel import relabel
    from inboxbot.sorting.kinds import Kind
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        case = relabel(desk, case_id, [Kind(kind) for kind in kinds], actor=terminal_actor(by), now=now())
    click.echo(f"{case.reference}: {', '.join(kinds)} ({case.state.value})")


@cases.command("merge")
@click.argument("reference")
@click.argument("into")
@by_option
@click.pass_obj
def merge_cases(context: Context, reference: str, into: str, by: str | None) -> None:
    """Join a case into another one (INTO) of the same company; the earlier dates count."""
    from inboxbot.desk.merge import merge
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            ids = case_id_of(connection, reference), case_id_of(connection, into)
        case = merge(desk, *ids, actor=terminal_actor(by), now=now())
    click.echo(f"{reference} went into {case.reference}")


@cases.command("split")
@click.argument("reference")
@click.argument("kinds", type=click.Choice(KINDS), nargs=-1, required=True)
@by_option
@click.pass_obj
def split_case(context: Context, reference: str, kinds: tuple[str, ...], by: str | None) -> None:
    """Make some requests of a case a case of their own."""
    from inboxbot.desk.merge import split
    from inboxbot.sorting.kinds import Kind
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        opened = split(desk, case_id, [Kind(kind) for kind in kinds], actor=terminal_actor(by), now=now())
    click.echo(f"{', '.join(kinds)} became {opened.reference}")


@cases.command("export")
@click.argument("reference")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A folder, or NAME.zip, for the file in all formats."
)
@click.option("--format", "form", type=click.Choice(["md", "html", "json"]), help="One format; without, all into -o.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@by_option
@click.pass_obj
def export_case_file(
    context: Context, reference: str, output: Path | None, form: str | None, as_json: bool, by: str | None
) -> None:
    """Write the file of a case for the authority: what came, dates with reasons, letters as sent, history."""
    from inboxbot.cli.person import as_document, write_files
    from inboxbot.desk.export import export_case
    from inboxbot.desk.export_pages import as_html, as_markdown, case_pages

    with context.desk() as desk:
        file = export_case(desk, reference, actor=terminal_actor(by), now=now())
    pages = case_pages(file)
    made = {"md": as_markdown(pages), "html": as_html(pages, file["language"]), "json": as_document(file)}
    chosen = "json" if as_json else form
    if output is None:
        click.echo(made[chosen or "md"], nl=False)
        return
    if output.suffix.lower() != ".zip":
        output.mkdir(parents=True, exist_ok=True)
        output = output / f"{file['reference']}.md"
    wanted = {key: text for key, text in made.items() if chosen in (None, key)}
    written = write_files(output, wanted, stem=file["reference"])
    click.echo(f"written to {', '.join(str(one) for one in written)}", err=True)


@cases.command("hold")
@click.argument("reference")
@click.option("--reason", default="legal claim", metavar="WORDS", help="Why its content must stay.")
@click.option("--off", is_flag=True, help="Leave it to retention again.")
@by_option
@click.pass_obj
def hold_case(context: Context, reference: str, reason: str, off: bool, by: str | None) -> None:
    """Keep a case from retention, for a legal claim or a dispute."""
    from inboxbot.desk.retention import set_hold
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        set_hold(desk, case_id, None if off else reason, actor=terminal_actor(by), now=now())
    click.echo(f"{reference}: {'left to retention' if off else 'on hold'}")


@cases.command("confirm")
@click.argument("references", nargs=-1, required=True)
@by_option
@click.pass_obj
def confirm_cases(context: Context, references: tuple[str, ...], by: str | None) -> None:
    """Say that held cases are what they were taken for."""
    from inboxbot.desk.settle import confirm

    _each(context, references, by, confirm)


@cases.command("dismiss")
@click.argument("references", nargs=-1, required=True)
@by_option
@click.pass_obj
def dismiss_cases(context: Context, references: tuple[str, ...], by: str | None) -> None:
    """Put held cases aside: they ask for nothing."""
    from inboxbot.desk.settle import dismiss

    _each(context, references, by, dismiss)


@cases.command("close")
@click.argument("references", nargs=-1, required=True)
@click.option(
    "--no-answer", is_flag=True, help="Nobody waits for an answer (thanks, spam); counted apart in the report."
)
@by_option
@click.pass_obj
def close_cases(context: Context, references: tuple[str, ...], no_answer: bool, by: str | None) -> None:
    """Close cases in which everything is decided and told."""
    from inboxbot.desk.settle import close, no_answer_needed

    _each(context, references, by, no_answer_needed if no_answer else close)


@cases.command("reopen")
@click.argument("references", nargs=-1, required=True)
@by_option
@click.pass_obj
def reopen_cases(context: Context, references: tuple[str, ...], by: str | None) -> None:
    """Take closed or dismissed cases up again."""
    from inboxbot.desk.settle import reopen

    _each(context, references, by, reopen)


def _each(context: Context, references: tuple[str, ...], by: str | None, verb: Any) -> None:
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        for reference in references:
            with desk.store.read() as connection:
                case_id = case_id_of(connection, reference)
            case = verb(desk, case_id, actor=terminal_actor(by), now=now())
            click.echo(f"{case.reference}: {case.state.value}")
