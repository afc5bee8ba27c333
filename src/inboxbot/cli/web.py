"""`inboxbot web`: the desk in a browser alone, beside a daemon that runs elsewhere."""

from __future__ import annotations

import signal
import threading

import click

from inboxbot.cli.context import Context, now


@click.command()
@click.pass_obj
def web(context: Context) -> None:
    """Serve the desk in a browser until stopped; `inboxbot run` does it too when the settings have a [web] table."""
    from inboxbot.web.serve import served
    from inboxbot.wiring import originals_of

    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopping.set())
    with (
        context.desk() as desk,
        originals_of(desk) as originals,
        served(desk, now=now, originals=originals) as address,
    ):
        click.echo(f"the desk is at {address}")
        stopping.wait()
