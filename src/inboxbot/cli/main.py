"""`inboxbot`: the group of all commands. A command's module is imported only when it runs, so that help is quick."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from inboxbot import __version__
from inboxbot.cli.context import Context
from inboxbot.errors import InboxbotError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("inboxbot.cli.demo", "Show the whole job on an invented inbox; nothing to configure."),
    "check": ("inboxbot.cli.check", "Find everything that is wrong with the set-up, all at once."),
    "run": ("inboxbot.cli.run", "Watch the mailboxes and send what is approved, until stopped."),
    "once": ("inboxbot.cli.run", "Do each job once, then exit (for cron)."),
    "web": ("inboxbot.cli.web", "Serve the desk in a browser alone, beside a daemon elsewhere."),
    "user": ("inboxbot.cli.user", "Accounts of staff: who may sign in, who may approve."),
    "sending": ("inboxbot.cli.sending", "Whether letters may leave: show why not, stop them all, let them go on."),
    "status": ("inboxbot.cli.status", "What waits for a person, and when each mailbox was last served."),
    "ledger": ("inboxbot.cli.ledger", "Every message seen, with what became of it and why."),
    "cases": ("inboxbot.cli.cases", "List, show and change cases."),
    "drafts": ("inboxbot.cli.drafts", "List, show, edit, approve and decline letters."),
    "review": ("inboxbot.cli.review", "Go through what waits for a person, one by one, with a key for each decision."),
    "report": ("inboxbot.cli.report", "How many were answered within the promise, honestly."),
    "classify": ("inboxbot.cli.sorting", "Judge mails without storing anything."),
    "evaluate": ("inboxbot.cli.sorting", "Measure the judge on mails with known answers."),
    "learn": ("inboxbot.cli.learn", "Learn from the kinds that staff corrected; `--undo` takes it back."),
    "deadline": ("inboxbot.cli.dates", "The legal date for a moment of receipt, explained."),
    "templates": ("inboxbot.cli.templates", "Check the reply templates."),
    "audit": ("inboxbot.cli.audit", "Every promise that the database alone can show, checked."),
    "retention": ("inboxbot.cli.retention", "Remove what inboxbot itself has kept for its whole period."),
    "person": ("inboxbot.cli.person", "What inboxbot itself keeps about a person: export it, erase it."),
    "suppression": ("inboxbot.cli.suppression", "Who does not want marketing: list, add, check, import, export."),
    "config": ("inboxbot.cli.config", "Show the settings as they are read."),
    "backup": ("inboxbot.cli.backup", "Write everything into one file; the daemon may work meanwhile."),
    "restore": ("inboxbot.cli.backup", "Put a backup in the place of the database; sending then waits for a person."),
    "db": ("inboxbot.cli.database", "Bring the database to this program's schema."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of a working day."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Print the commands with their one line, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings; ./config.toml, else the one in the platform's config folder.",
)
@click.version_option(__version__, prog_name="inboxbot")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None) -> None:
    """Answer data-protection requests that come by mail: judged, drafted, approved by a person, in time."""
    ctx.obj = Context(config_path)


def main() -> None:
    """Run the program; errors a person can act on are told in words, never as a traceback."""
    try:
        code = cli.main(standalone_mode=False)  # a command's Exit comes back as its exit code
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except InboxbotError as error:
        click.echo(f"inboxbot: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
