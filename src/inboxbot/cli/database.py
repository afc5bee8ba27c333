"""`inboxbot db upgrade`: bring the database to this program's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inboxbot.cli.context import Context, now
from inboxbot.cli.output import print_json

if TYPE_CHECKING:
    from inboxbot.config.model import Settings


@click.group()
def db() -> None:
    """Bring the database to this program's schema."""


@db.command("upgrade")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def upgrade(context: Context, as_json: bool) -> None:
    """Bring the schema up to date; every other command does so too when it opens the database.

    A copy of an embedded database is kept beside it first, as NAME.before-REVISION.
    """
    from inboxbot.store.opening import open_store
    from inboxbot.store.schema import revision

    settings = context.settings()
    before = _revision_before(settings)
    store = open_store(settings.database.url, settings.folder, now=now())
    try:
        after, place, path = revision(store), store.place, store.path
    finally:
        store.close()
    kept = path.with_name(f"{path.name}.before-{before}") if path and before and before != after else None
    if as_json:
        print_json({"database": place, "before": before, "after": after, "copy": str(kept) if kept else None})
    elif before == after:
        click.echo(f"{place}: the schema is up to date ({after})")
    elif before is None:
        click.echo(f"{place}: made with the schema {after}")
    else:
        click.echo(
            f"{place}: brought from the schema {before} to {after}" + (f"; a copy is kept as {kept}" if kept else "")
        )


def _revision_before(settings: Settings) -> str | None:
    """Return the schema of the database, None when there is none; looking makes no file."""
    from inboxbot.store.engine import Store
    from inboxbot.store.schema import revision

    store = Store(settings.database.url, folder=settings.folder)
    try:
        return revision(store) if store.path is None or store.path.exists() else None
    finally:
        store.close()
