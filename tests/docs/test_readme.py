"""The README names every command there is, and no other; what it shows to type works as far as a parser can tell."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import click

from inboxbot.cli.main import COMMANDS, cli
from inboxbot.config.model import Settings

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def subcommands(name: str) -> set[str]:
    """Return the commands of a group, the empty set for a plain command."""
    command = cli.get_command(click.Context(cli), name)
    return set(command.list_commands(click.Context(command))) if isinstance(command, click.Group) else set()


def test_the_table_of_commands_is_that_of_the_program_in_its_order() -> None:
    section = README.partition("\n## Commands\n")[2].partition("\n### ")[0]
    named = re.findall(r"^\| `([a-z]+)` \|", section, flags=re.MULTILINE)
    assert named == list(COMMANDS)


def test_every_command_that_is_shown_exists_with_its_options() -> None:
    shown = re.findall(r"(?:\$ |`)(?:inboxbot )?((?:[a-z]+)(?: [a-z]+)?(?: --[a-z-]+)?)[^`\n]*", README)
    tried = 0
    for line in shown:
        name, *rest = line.split()
        if name not in COMMANDS or importlib.util.find_spec(COMMANDS[name][0]) is None:
            continue
        inner = subcommands(name)
        if not rest or rest[0].startswith("--") or not inner:
            continue
        tried += 1
        assert rest[0] in inner, line
    assert tried > 10
    for line in re.findall(r"(?:\$ |`)inboxbot ([a-z]+)", README):
        assert line in COMMANDS, line


def test_options_that_are_shown_are_taken() -> None:
    for words, option in (
        (["cases", "close"], "--no-answer"),
        (["cases", "open"], "--received"),
        (["cases", "open"], "--kind"),
        (["cases", "open"], "--requester"),
        (["drafts", "approve"], "--by"),
        (["report"], "--month"),
        (["ledger"], "--older"),
        (["demo"], "--once"),
        (["demo"], "--dir"),
    ):
        assert option in README
        command: click.Command | None = cli
        for word in words:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), word)
        assert command is not None
        assert option in {name for parameter in command.params for name in parameter.opts}


def test_the_settings_that_are_shown_are_settings() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    shown = Settings.model_validate(tomllib.loads(re.sub(r"^   ", "", block, flags=re.MULTILINE)))
    assert shown.company[0].mailbox[0].promise_hours == 24
