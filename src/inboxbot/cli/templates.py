"""`inboxbot templates check`: every letter template with sample cases, ours and a company's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from inboxbot.cli.context import Context


@click.group("templates")
def templates() -> None:
    """Check the reply templates."""


@templates.command("check")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with own templates; else those the settings name, if there are settings.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_obj
def check(obj: Context, *, folder: Path | None, as_json: bool) -> None:
    """Run the letter check over every template with sample cases.

    Exit code 1 when a letter made from a template could not be approved.
    """
    from inboxbot.cli.output import print_json

    letters, findings = 0, []
    for company, own in _folders(obj, folder):
        count, found = _check_company(company, own)
        letters += count
        findings += found
    blocking = [one for one in findings if one["weight"] == "blocking"]
    if as_json:
        print_json({"ok": not blocking, "letters": letters, "findings": findings})
    else:
        for one in findings:
            excerpt = f" [{one['excerpt']}]" if one["excerpt"] else ""
            click.echo(
                f"{one['template']} ({one['sample']}): {one['weight']}: {one['message']}{excerpt} – {one['source']}"
            )
        click.echo(f"{letters} sample letters checked, {len(blocking)} of their findings would stop an approval")
    if blocking:
        raise click.exceptions.Exit(1)


def _folders(obj: Context, folder: Path | None) -> list[tuple[Any, Path | None]]:
    """Return what to check: (company or None for the sample one, its own templates folder or None)."""
    from inboxbot.config.load import default_path

    if folder is not None:
        return [(None, folder)]
    if obj.config_path is None and not default_path().exists():
        return [(None, None)]
    settings = obj.settings()
    return [(one, settings.folder / one.templates if one.templates else None) for one in settings.company]


def _check_company(company: Any, folder: Path | None) -> tuple[int, list[dict[str, str]]]:
    from inboxbot.errors import ConfigError, ConfigFault
    from inboxbot.replies.facts import LANGUAGES
    from inboxbot.replies.samples import check_sample, samples

    if folder is not None and not folder.is_dir():
        fault = ConfigFault("company.templates", f"there is no folder {folder}", "create it or leave the key out")
        raise ConfigError([fault], where="settings")
    count, found = 0, []
    for language in LANGUAGES:
        for sample in samples(language, company):
            count += 1
            found += [
                {
                    "template": f"{language}/{sample.template}.txt",
                    "sample": sample.label,
                    "rule": one.rule,
                    "weight": one.weight.value,
                    "message": one.message,
                    "excerpt": one.excerpt,
                    "source": one.source,
                }
                for one in check_sample(sample, folder)
            ]
    return count, found
