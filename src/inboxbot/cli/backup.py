"""`inboxbot backup` and `inboxbot restore`."""

from __future__ import annotations

from pathlib import Path

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, safe

_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def backup(context: Context, file: Path, as_json: bool) -> None:
    """Write everything into one new FILE, for its owner alone; the daemon may work meanwhile.

    It holds people's mail and the installation's secret: keep it as safe as the database, and not for ever.
    """
    from inboxbot.daemon.restoring import back_up

    with context.desk() as desk:
        done = back_up(desk.store, file, now=now())
    if as_json:
        print_json(done)
    else:
        click.echo(f"{safe(str(file))}: {done['cases']} cases, {done['bytes'] // 1024} kB, looked through and whole")


@click.command()
@_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def restore(context: Context, file: Path, as_json: bool) -> None:
    """Put a backup in the place of the database, which is kept beside it; no inboxbot may work meanwhile.

    The backup may come from the other kind of database. Afterwards nothing is sent until a person releases it, and
    letters that were to leave when the backup was made are `unknown`: they may have left since.
    """
    from inboxbot.daemon.hygiene import begin_tidily
    from inboxbot.daemon.restoring import restore as put_back

    settings = context.settings()
    begin_tidily(settings)
    done = put_back(settings, file, now=now())
    if as_json:
        print_json(done)
        return
    made = f"as of {local_text(done['made_at'], context.zone())}" if done["made_at"] else "a plain copy of a database"
    click.echo(f"{safe(done['database'])}: restored from {safe(str(file))}, {made}")
    if done["kept"]:
        click.echo(f"what stood there is kept as {safe(done['kept'])}; remove it when you no longer need it")
    click.secho("\nsending is stopped until a person releases it", bold=True, fg="yellow")
    click.echo(
        "1. inboxbot once                        mails that came since are taken again; what lies in Sent is noticed\n"
        f"2. inboxbot drafts list --state unknown  {done['unknown']} letters that may have left since: settle each\n"
        "3. inboxbot sending release --by NAME    letters may leave again"
    )
