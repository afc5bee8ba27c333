"""`inboxbot report`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from inboxbot.cli.context import Context, now


@click.command()
@click.option("--month", metavar="YYYY-MM", help="A whole month; the present one if nothing is given.")
@click.option("--from", "first", metavar="DAY", help="The first day (YYYY-MM-DD), with --to.")
@click.option("--to", "last", metavar="DAY", help="The last day, included.")
@click.option("--format", "form", type=click.Choice(["text", "html", "csv", "json", "md"]), default="text")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write to a file.")
@click.pass_obj
def report(
    context: Context,
    month: str | None,
    first: str | None,
    last: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Show how many mails were answered within the promise, of all that came, and which legal dates were kept."""
    from inboxbot.reports.figures import make_figures
    from inboxbot.reports.render import render_report
    from inboxbot.store.figures import blind_facts, count_without_promise, legal_facts, promise_facts

    zone = context.zone()
    first_day, last_day = _period(month, first, last, now().astimezone(zone).date())
    start = dt.datetime.combine(first_day, dt.time(), zone).astimezone(dt.UTC)
    end = dt.datetime.combine(last_day + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)
    with context.desk() as desk, desk.store.read() as connection:
        figures = make_figures(
            promise_facts(connection, start, end),
            legal_facts(connection, start, end, zone),
            without_promise=count_without_promise(connection, start, end),
            first_day=first_day,
            last_day=last_day,
            now=now().astimezone(zone),
            blind=blind_facts(connection, start, end),
        )
    text = render_report(figures, "json" if as_json else form)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(f"written to {output}", err=True)


def _period(month: str | None, first: str | None, last: str | None, today: dt.date) -> tuple[dt.date, dt.date]:
    from inboxbot.cli.moments import parse_day
    from inboxbot.errors import UsageError

    if month and (first or last):
        raise UsageError("give either --month or --from and --to")
    if first or last:
        if not (first and last):
            raise UsageError("--from and --to belong together")
        days = parse_day(first), parse_day(last)
        if days[0] > days[1]:
            raise UsageError("the first day lies after the last one")
        return days
    start = parse_day(f"{month}-01") if month else today.replace(day=1)
    return start, (start.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
