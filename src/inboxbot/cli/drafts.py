"""`inboxbot drafts`: list, show, edit, approve and decline letters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from inboxbot.cli.case_options import KINDS, by_option, texts_of
from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import print_json, print_table, safe

STATES = ("proposed", "approved", "transmitting", "sent", "failed", "unknown", "declined", "superseded")


@click.group()
def drafts() -> None:
    """List, show, edit, approve and decline letters."""


@drafts.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Only letters in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_drafts(context: Context, states: tuple[str, ...], as_json: bool) -> None:
    """Show the letters and where each stands."""
    from inboxbot.cases.values import DraftState
    from inboxbot.desk.view import draft_json
    from inboxbot.store.drafts import load_drafts

    with context.desk() as desk, desk.store.read() as connection:
        found = load_drafts(connection, states=[DraftState(state) for state in states] or None)
    if as_json:
        print_json([draft_json(draft) for draft in found])
        return
    rows = [
        [
            str(one.id),
            one.reference,
            one.state.value + (f" ({one.waits_because})" if one.waits_because else ""),
            one.template,
            one.language,
            one.recipient or "(nobody yet)",
            one.subject,
        ]
        for one in found
    ]
    print_table(["id", "case", "state", "letter", "lang", "to", "subject"], rows, shrink=6)


@drafts.command("show")
@click.argument("draft_id", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, draft_id: int, as_json: bool) -> None:
    """Show one letter whole, with what the letter check says of it."""
    from inboxbot.cases.values import DraftState
    from inboxbot.desk.approve import seen_now
    from inboxbot.desk.view import draft_json, draft_with_checks
    from inboxbot.replies.choose import TEXTS
    from inboxbot.store.drafts import load_draft

    with context.desk() as desk:
        # Before the words are read: a letter that is changed between the two is refused, not approved unseen.
        with desk.store.read() as connection:
            digest = seen_now(connection, load_draft(connection, draft_id)).digest
        draft, findings = draft_with_checks(desk, draft_id, now=now())
    checks = [{"rule": one.rule, "blocks": one.blocks, "text": one.text} for one in findings]
    if as_json:
        print_json({**draft_json(draft), "body": draft.final or draft.body, "checks": checks, "digest": digest})
        return
    click.secho(f"letter {draft.id} of {draft.reference}: {draft.state.value}", bold=True)
    click.echo(f"To:      {safe(draft.recipient or '(nobody yet)')}")
    click.echo(f"Subject: {safe(draft.subject)}")
    click.echo()
    click.echo(safe(draft.final or draft.body, newlines=True))
    for one in checks:
        click.echo(f"{'must be mended' if one['blocks'] else 'look at'}: {one['text']} [{one['rule']}]")
    for name, what in TEXTS.items():
        if f"[[{name}]]" in draft.body:
            click.echo(f"  [[{name}]]: {what}")
    if draft.state is DraftState.PROPOSED:
        click.echo(f"Approve exactly this: inboxbot drafts approve {draft.id} --by NAME --digest {digest[:16]}")


@drafts.command("edit")
@click.argument("draft_id", type=int)
@click.option("--subject", help="The new subject.")
@click.option("--body", help="The new words.")
@click.option(
    "--file",
    "file",
    type=click.File("r", encoding="utf-8"),
    help="Take the new words from a file, or - for standard input.",
)
@click.option("--to", "recipient", metavar="ADDRESS", help="Whom the letter goes to.")
@by_option
@click.pass_obj
def edit_draft(
    context: Context,
    draft_id: int,
    subject: str | None,
    body: str | None,
    file: Any,
    recipient: str | None,
    by: str | None,
) -> None:
    """Change a letter; without options its words open in $EDITOR. An approval that stood is void."""
    from inboxbot.desk.edit import edit
    from inboxbot.store.drafts import load_draft

    with context.desk() as desk:
        if file is not None:
            body = file.read()
        elif subject is None and body is None and recipient is None:
            with desk.store.read() as connection:
                draft = load_draft(connection, draft_id)
            if not sys.stdin.isatty():
                raise click.UsageError("give --body, --file, --subject or --to; there is no terminal to edit in")
            body = click.edit(draft.body)
            if body is None:
                click.echo("nothing was changed")
                return
        changed = edit(
            desk, draft_id, actor=terminal_actor(by), now=now(), subject=subject, body=body, recipient=recipient
        )
    click.echo(f"letter {changed.id}: {changed.state.value}")


@drafts.command("new")
@click.argument("reference")
@click.argument("template")
@click.option("--kind", type=click.Choice(KINDS), help="Which request it is about, when the case has several.")
@click.option("--text", "texts", multiple=True, metavar="NAME=WORDS", help="Words for the letter; may be repeated.")
@by_option
@click.pass_obj
def new_draft(
    context: Context, reference: str, template: str, kind: str | None, texts: tuple[str, ...], by: str | None
) -> None:
    """Draft a letter of your choice for a case, such as identity, code, clarification, extension, refusal."""
    from inboxbot.desk.write import write_letter
    from inboxbot.sorting.kinds import Kind
    from inboxbot.store.cases import case_id_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
        draft_id = write_letter(
            desk,
            case_id,
            template,
            actor=terminal_actor(by),
            now=now(),
            kind=Kind(kind) if kind else None,
            texts=texts_of(texts),
        )
    click.echo(f"letter {draft_id} drafted; look at it with `inboxbot drafts show {draft_id}`")


@drafts.command("attach")
@click.argument("draft_id", type=int)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--passphrase-file", type=click.File("r", encoding="utf-8"), help="Send them as one archive locked with it."
)
@click.option("--replace", is_flag=True, help="Take off the files that were there.")
@by_option
@click.pass_obj
def attach_files(
    context: Context, draft_id: int, files: tuple[Path, ...], passphrase_file: Any, replace: bool, by: str | None
) -> None:
    """Add files to a letter; an approval that stood is void."""
    from inboxbot.desk.attach import attach

    if not files and not replace:
        raise click.UsageError("name at least one file")
    passphrase = passphrase_file.read().strip() if passphrase_file else None
    with context.desk() as desk:
        names = attach(
            desk, draft_id, files, actor=terminal_actor(by), now=now(), passphrase=passphrase, replace=replace
        )
    click.echo(f"letter {draft_id} goes with: {', '.join(safe(name) for name in names) or 'no files'}")


@drafts.command("approve")
@click.argument("draft_ids", type=int, nargs=-1, required=True)
@click.option("--by", "by", metavar="NAME", required=True, help="Who approves; the letter is signed with this name.")
@click.option(
    "--override", metavar="REASON", help="Send to an address that is not proven; a second person must approve."
)
@click.option("--digest", metavar="DIGEST", help="Only what `drafts show` showed: refuse a letter changed since then.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def approve_drafts(
    context: Context, draft_ids: tuple[int, ...], by: str, override: str | None, digest: str | None, as_json: bool
) -> None:
    """Approve letters: exactly these words go out with the next round."""
    from inboxbot.desk.approve import Seen, approve

    if digest is not None and (len(draft_ids) > 1 or len(digest) < 16):
        raise click.UsageError("--digest is of one letter, and as `drafts show` prints it")
    seen = Seen(None, digest) if digest is not None else None
    done = []
    with context.desk() as desk:
        for draft_id in draft_ids:
            approved = approve(desk, draft_id, actor=terminal_actor(by), now=now(), override=override, seen=seen)
            done.append(
                {"id": draft_id, "digest": approved.digest, "warnings": [one.text for one in approved.warnings]}
            )
            if not as_json:
                waits = "noted; a second person has to approve" if approved.needs_second else f"approved by {by}"
                click.echo(f"letter {draft_id} {waits}")
                for one in approved.warnings:
                    click.echo(f"  look at: {one.text}")
    if as_json:
        print_json(done)


@drafts.command("decline")
@click.argument("draft_ids", type=int, nargs=-1, required=True)
@by_option
@click.pass_obj
def decline_drafts(context: Context, draft_ids: tuple[int, ...], by: str | None) -> None:
    """Put letters aside for good; their cases stay open."""
    from inboxbot.desk.approve import decline

    with context.desk() as desk:
        for draft_id in draft_ids:
            decline(desk, draft_id, actor=terminal_actor(by), now=now())
            click.echo(f"letter {draft_id} declined")


@drafts.command("recall")
@click.argument("draft_id", type=int)
@by_option
@click.pass_obj
def recall(context: Context, draft_id: int, by: str | None) -> None:
    """Take an approval back while the letter has not left."""
    from inboxbot.desk.approve import call_back

    with context.desk() as desk:
        call_back(desk, draft_id, actor=terminal_actor(by), now=now())
    click.echo(f"letter {draft_id} is a proposal again")


@drafts.command("settle")
@click.argument("draft_id", type=int)
@click.option("--arrived", "arrived", flag_value=True, help="It reached the person.")
@click.option("--again", "arrived", flag_value=False, help="It did not; make it a proposal again.")
@by_option
@click.pass_obj
def settle(context: Context, draft_id: int, arrived: bool | None, by: str | None) -> None:
    """Say what became of a letter whose sending was cut off or refused."""
    from inboxbot.desk.approve import settle_unknown

    if arrived is None:
        raise click.UsageError("give --arrived or --again")
    with context.desk() as desk:
        settle_unknown(desk, draft_id, arrived=arrived, actor=terminal_actor(by), now=now())
    click.echo(f"letter {draft_id} settled")
