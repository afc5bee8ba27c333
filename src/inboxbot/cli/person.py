"""`inboxbot person`: what inboxbot itself keeps about a person."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import click

from inboxbot.cli.case_options import by_option
from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import print_json, safe


@click.group()
def person() -> None:
    """Export or erase what inboxbot itself keeps about a person."""


@person.command("export")
@click.argument("address")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="NAME.json (an overview is written beside it) or NAME.zip with both.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def export_command(context: Context, address: str, output: Path | None, as_json: bool) -> None:
    """Hand out everything kept about a person: JSON for programs, an overview for people."""
    from inboxbot.desk.person import export_person, overview

    with context.desk() as desk:
        kept = export_person(desk, address, now=now())
    if output is not None:
        files = write_files(output, {"json": as_document(kept), "md": overview(kept)}, stem="person")
        click.echo(f"written to {', '.join(str(one) for one in files)}", err=True)
    if as_json:
        print_json(kept)
    elif output is None:
        click.echo(safe(overview(kept), newlines=True), nl=False)


@person.command("erase")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased and what is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@by_option
@click.pass_context
def erase_command(ctx: click.Context, address: str, yes: bool, dry_run: bool, as_json: bool, by: str | None) -> None:
    """Erase what may be erased of a person now; exit 1 when something has to be kept, with the reason."""
    from inboxbot.desk.person import erase_person

    context: Context = ctx.obj
    with context.desk() as desk:
        if not dry_run and not yes:
            _print(erase_person(desk, address, actor=terminal_actor(by), now=now(), dry_run=True))
            click.confirm("erase it for good?", abort=True)
        done = erase_person(desk, address, actor=terminal_actor(by), now=now(), dry_run=dry_run)
    if as_json:
        print_json(done)
    else:
        _print(done)
    if done["kept"]:
        ctx.exit(1)


def _print(done: dict[str, Any]) -> None:
    click.secho("would be erased" if done["dry_run"] else "erased", bold=True)
    for reference in done["erased"]:
        until = done["proof_until"].get(reference)
        proof = f"; its proof record (no content) stays until {until}" if until else ""
        click.echo(f"  case {reference}{proof}")
    click.echo(f"  mails that became no case: {done['ordinary_mails']}")
    for one in done["kept"]:
        click.echo(f"kept: case {one['case']}: {one['why']}")
    for company in done["suppression"]:
        click.echo(f"kept: the entry on the suppression list of {company}, so that they get no marketing again")
    for one in done["in_mailbox"]:
        click.echo(
            f"not touched: the message {one['uid']} in {one['folder']} of {one['mailbox']}, if it is still there"
        )


def as_document(value: Any) -> str:
    """Return a value as a JSON document."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write_files(output: Path, documents: dict[str, str], *, stem: str) -> list[Path]:
    """Write documents by their ending into a zip file, or beside each other; only this user may read them."""
    if output.suffix.lower() == ".zip":
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw, zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as packed:
            for ending, text in documents.items():
                packed.writestr(f"{stem}.{ending}", text)
        return [output]
    written = [output.with_suffix(f".{ending}") for ending in documents]
    for path, text in zip(written, documents.values(), strict=True):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
    return written
