"""`inboxbot cases open|note|assign|relabel|merge|split|export|hold|confirm|dismiss|close|reopen`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inboxbot.cli.case_options import KINDS, by_option
from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import print_json


@click.command("open")
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


@click.command("note")
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


@click.command("assign")
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


@click.command("relabel")
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


@click.command("merge")
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


@click.command("split")
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


@click.command("export")
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


@click.command("hold")
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


@click.command("confirm")
@click.argument("references", nargs=-1, required=True)
@by_option
@click.pass_obj
def confirm_cases(context: Context, references: tuple[str, ...], by: str | None) -> None:
    """Say that held cases are what they were taken for."""
    from inboxbot.desk.settle import confirm

    _each(context, references, by, confirm)


@click.command("dismiss")
@click.argument("references", nargs=-1, required=True)
@by_option
@click.pass_obj
def dismiss_cases(context: Context, references: tuple[str, ...], by: str | None) -> None:
    """Put held cases aside: they ask for nothing."""
    from inboxbot.desk.settle import dismiss

    _each(context, references, by, dismiss)


@click.command("close")
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


@click.command("reopen")
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
