"""`inboxbot cases attachment`: the files of a case's mails, fetched from the mailbox when asked for."""

from __future__ import annotations

import os
from pathlib import Path

import click

from inboxbot.cli.case_options import by_option
from inboxbot.cli.context import Context, now, terminal_actor
from inboxbot.cli.output import print_json, print_table, safe


@click.command("attachment")
@click.argument("reference")
@click.argument("number", type=click.IntRange(1), required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write, or a folder; without, the folder here."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@by_option
@click.pass_obj
def fetch_attachment(
    context: Context, reference: str, number: int | None, output: Path | None, as_json: bool, by: str | None
) -> None:
    """List the files of a case, or bring one from the mailbox by its number. It may hold malware.

    The history of the case tells who fetched what. A file that is there already is not overwritten.
    """
    from inboxbot.desk.originals import fetch_file, files_of_case
    from inboxbot.errors import UsageError
    from inboxbot.store.cases import case_id_of
    from inboxbot.wiring import originals_of

    with context.desk() as desk:
        with desk.store.read() as connection:
            case_id = case_id_of(connection, reference)
            listed = files_of_case(connection, case_id)
        if number is None:
            shown = [
                {"number": place, "name": one.name, "type": one.content_type, "size": one.size}
                for place, one in enumerate(listed, 1)
            ]
            if as_json:
                print_json(shown)
            else:
                rows = [
                    [str(one["number"]), safe(str(one["name"])), str(one["type"]), str(one["size"])] for one in shown
                ]
                print_table(["number", "name", "type", "bytes as sent"], rows, shrink=1)
            return
        if number > len(listed):
            raise UsageError(f"the case has {len(listed)} files", cure=f"`inboxbot cases attachment {reference}`")
        wanted = listed[number - 1]
        path = _free_path(output, wanted.name)
        with originals_of(desk) as originals:
            _, content = fetch_file(
                desk, originals, case_id, wanted.mail_id, wanted.number, actor=terminal_actor(by), now=now()
            )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    if as_json:
        print_json({"path": str(path), "bytes": len(content)})
    else:
        click.echo(f"{len(content)} bytes written to {path}; open it with care")


def _free_path(output: Path | None, name: str) -> Path:
    """Return where to write. Raises UsageError when something is there."""
    from inboxbot.errors import UsageError

    path = Path(name) if output is None else output / name if output.is_dir() else output
    if path.exists() or path.is_symlink():
        raise UsageError("there is a file already", where=str(path), cure="choose another name with -o")
    if not path.parent.is_dir():
        raise UsageError("there is no such folder", where=str(path.parent), cure="make it first")
    return path
