"""`inboxbot check`: everything that is wrong with the set-up, all at once, each with its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import print_json, safe

if TYPE_CHECKING:
    from inboxbot.daemon.findings import Finding
    from inboxbot.errors import ConfigError

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "error": ("error", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(context: Context, as_json: bool) -> None:
    """Look at settings, files, database, clock, letters and every server. Nothing is sent, taken or changed.

    Exit code 1 with errors, 2 when the settings themselves are wrong; warnings alone are no error.
    """
    from inboxbot.config.load import default_path
    from inboxbot.daemon.checks import check_all, check_machine, outcome
    from inboxbot.errors import ConfigError

    moment = now()
    found = check_machine(now=moment)
    code = 0
    try:
        settings = context.settings()
    except ConfigError as error:
        found = [*_faults(error), *found]
        code = error.exit_code
    else:
        path = context.config_path or default_path()
        found = [*check_all(settings, path, now=moment), *found]
    worst = outcome(found)
    if as_json:
        print_json({"ok": worst.value != "errors", "findings": [one.as_json() for one in found]})
    else:
        _print(found)
    if worst.value == "errors":
        raise click.exceptions.Exit(code or 1)


def _faults(error: ConfigError) -> list[Finding]:
    from inboxbot.daemon.findings import Finding, Level

    return [Finding("settings", f"{error.where}: {one.key}", Level.ERROR, one.what, one.cure) for one in error.faults]


def _print(found: list[Finding]) -> None:
    """Print two lines for what is wrong and one for what is well, the worst last, where the eye is."""
    order: dict[Any, int] = {"ok": 0, "warning": 1, "error": 2}
    for one in sorted(found, key=lambda one: order[one.level.value]):
        word, colour = _MARKS[one.level.value]
        click.echo(f"{click.style(f'{word:<8}', fg=colour)} {one.area:<9} {safe(one.where)}: {safe(one.what)}")
        if one.cure:
            click.echo(f"{'':<8} {'':<9} → {safe(one.cure)}")
    counts = {level: sum(one.level.value == level for one in found) for level in order}
    click.echo(f"{counts['error']} errors, {counts['warning']} warnings, {counts['ok']} ok")
