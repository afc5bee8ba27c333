"""Help is quick and complete: it imports nothing heavy, and every command has its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from tests.servers.installation import COMMAND

from inboxbot.cli.main import COMMANDS, cli

HEAVY = {
    "ahocorasick",
    "alembic",
    "apscheduler",
    "email_validator",
    "holidays",
    "imapclient",
    "jinja2",
    "pebble",
    "pydantic",
    "pydantic_settings",
    "re2",
    "selectolax",
    "smtplib",
    "sqlalchemy",
    "sqlmodel",
    "structlog",
}


def every_command() -> Iterator[list[str]]:
    for name in COMMANDS:
        yield [name]
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        if isinstance(command, click.Group):
            for inner in command.list_commands(click.Context(command)):
                yield [name, inner]


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, json\n"
        "sys.argv = ['inboxbot', '--help']\n"
        "from inboxbot.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        "    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert {name for name in modules if name.startswith("inboxbot.")} == {
        "inboxbot.cli",
        "inboxbot.cli.context",
        "inboxbot.cli.main",
        "inboxbot.errors",
    }
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout


def test_every_command_and_subcommand_has_its_help() -> None:
    runner = CliRunner()
    seen = list(every_command())
    assert ["drafts", "approve"] in seen
    for words in seen:
        done = runner.invoke(cli, [*words, "--help"])
        assert done.exit_code == 0, words
        assert done.output.startswith("Usage: "), words
        explanation = done.output.splitlines()[2].strip()
        assert explanation, words


@pytest.mark.parametrize(
    "words", [["nonsense"], ["cases", "nonsense"], ["status", "--nonsense"], ["drafts", "show", "x"]]
)
def test_wrong_usage_is_exit_code_2_with_a_hint(words: list[str]) -> None:
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_is_told() -> None:
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("inboxbot, version ")


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run([sys.executable, "-m", "inboxbot", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("inboxbot, version ")
