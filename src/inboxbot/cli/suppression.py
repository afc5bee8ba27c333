"""`inboxbot suppression`: who does not want marketing."""

from __future__ import annotations

from pathlib import Path

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import local_text, print_json, print_table, safe

CHANNELS = ("email", "sms", "phone", "post", "ads")
company_option = click.option("--company", metavar="NAME", help="Which company; not needed when there is only one.")
channel_option = click.option("--channel", type=click.Choice(CHANNELS), help="Only this channel.")
channels_option = click.option(
    "--channel", "channels", type=click.Choice(CHANNELS), multiple=True, help="A channel; may be repeated. All if none."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def suppression() -> None:
    """Who does not want marketing: list, add, check, import, export. Only keyed digests are kept, no addresses."""


@suppression.command("list")
@company_option
@channel_option
@json_option
@click.pass_obj
def list_command(context: Context, company: str | None, channel: str | None, as_json: bool) -> None:
    """Show the list, oldest first."""
    from inboxbot.desk.suppress import entries

    with context.desk() as desk:
        rows = entries(desk, company=company, channel=channel)
    if as_json:
        print_json(rows)
        return
    zone = context.zone()
    print_table(
        ["company", "digest", "channels", "since", "why"],
        [
            [
                one["company"],
                one["address_digest"][:16],
                " ".join(one["channels"]),
                local_text(one["since"], zone),
                one["reason"],
            ]
            for one in rows
        ],
        shrink=4,
    )


@suppression.command("add")
@click.argument("address")
@click.option("--reason", default="opt_out", metavar="WORDS", help="Why; no personal data.")
@company_option
@channels_option
@json_option
@click.pass_obj
def add_command(
    context: Context, address: str, reason: str, company: str | None, channels: tuple[str, ...], as_json: bool
) -> None:
    """Enter an address."""
    from inboxbot.desk.suppress import add, company_named

    with context.desk() as desk:
        name = company_named(desk, company)
        digest, new = add(desk, name, address, channels=channels, reason=reason, now=now())
    if as_json:
        print_json({"company": name, "address_digest": digest, "new": new})
    else:
        click.echo(f"{'entered' if new else 'stood already'}: {digest[:16]} ({name})")


@suppression.command("check")
@click.argument("addresses", metavar="ADDRESS…", nargs=-1, required=True)
@company_option
@channel_option
@json_option
@click.pass_context
def check_command(
    ctx: click.Context, addresses: tuple[str, ...], company: str | None, channel: str | None, as_json: bool
) -> None:
    """Say whether addresses may be sent marketing: exit 0 when nothing stands against any, 1 when something does."""
    from inboxbot.desk.suppress import check, company_named

    context: Context = ctx.obj
    with context.desk() as desk:
        name = company_named(desk, company) if company else None
        found = {address: check(desk, address, company=name, channel=channel) for address in addresses}
    if as_json:
        print_json(
            [
                {
                    "address": address,
                    "suppressed": bool(standing),
                    "by": [
                        {
                            "company": one.company,
                            "channels": list(one.channels),
                            "since": one.since,
                            "reason": one.reason,
                        }
                        for one in standing
                    ],
                }
                for address, standing in found.items()
            ]
        )
    else:
        zone = context.zone()
        for address, standing in found.items():
            if not standing:
                click.echo(f"{safe(address)}: not on the list")
            for one in standing:
                since = local_text(one.since, zone)
                click.echo(f"{safe(address)}: no {', '.join(one.channels)} from {one.company} since {since}")
    if any(found.values()):
        ctx.exit(1)


@suppression.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reason", default="imported", metavar="WORDS", help="Why, where the file does not say it.")
@company_option
@channels_option
@json_option
@click.pass_obj
def import_command(
    context: Context, file: Path, reason: str, company: str | None, channels: tuple[str, ...], as_json: bool
) -> None:
    """Enter every address of a CSV file, or none when a line is wrong. The file itself is yours to delete."""
    from inboxbot.desk.suppress import bring_in, company_named

    with context.desk() as desk:
        name = company_named(desk, company)
        done = bring_in(desk, name, file.read_bytes(), channels=channels, reason=reason, now=now())
    if as_json:
        print_json({"company": name, **done})
    else:
        click.echo(f"{done['new']} entered, {done['known']} stood already ({name})")


@suppression.command("export")
@company_option
@channel_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write to a file.")
@json_option
@click.pass_obj
def export_command(
    context: Context, company: str | None, channel: str | None, output: Path | None, as_json: bool
) -> None:
    """Give the list as CSV: digests, channels, since when and why. It can be imported again here."""
    from inboxbot.desk.suppress import as_csv, entries

    with context.desk() as desk:
        rows = entries(desk, company=company, channel=channel)
    if as_json:
        print_json(rows)
    elif output is None:
        click.echo(as_csv(rows), nl=False)
    else:
        output.write_text(as_csv(rows), encoding="utf-8", newline="")
        click.echo(f"{len(rows)} lines written to {output}", err=True)
