"""`inboxbot config show`: the settings as they are read, secrets hidden, each with where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import click

from inboxbot.cli.context import Context
from inboxbot.cli.output import print_json, safe

HIDDEN = "***"
_URL_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_QUERY_PASSWORD = re.compile(r"(?i)([?&][^=&]*password[^=&]*=)[^&]*")


@click.group()
def config() -> None:
    """Show the settings as they are read."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(context: Context, as_json: bool) -> None:
    """Show every setting with its value and source: the file, the environment, or the default."""
    from inboxbot.config.load import default_path, read_raw

    settings = context.settings()
    path = context.config_path or default_path()
    values = {key: _shown(key, value) for key, value in _flat(settings.model_dump(mode="json"))}
    given = dict(_flat(read_raw(path)))
    sources = {key: _source(key, given) for key in values}
    if as_json:
        print_json({"file": str(path.absolute()), "settings": values, "sources": sources})
        return
    click.echo(f"# {path.absolute()}")
    for key, value in values.items():
        click.echo(f"{safe(key)} = {_text(value)}  # {sources[key]}")


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value); tables in lists are counted from 1, as in messages. Empty ones stay whole."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{key}[{number}]")
    else:
        yield key, value


def _shown(key: str, value: Any) -> Any:
    if key.endswith(".password") and value is not None:
        return HIDDEN
    if key == "database.url":
        return _QUERY_PASSWORD.sub(rf"\1{HIDDEN}", _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", value))
    return value


def _source(key: str, given: dict[str, Any]) -> str:
    from inboxbot.config.load import ENV_PREFIX

    parts = key.split(".")
    for count in range(len(parts), 0, -1):
        variable = ENV_PREFIX + "__".join(part.partition("[")[0] for part in parts[:count])
        if (found := next((name for name in os.environ if name.upper() == variable.upper()), None)) is not None:
            return f"environment: {found}"
    return "file" if key in given else "default"


def _text(value: Any) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    return f'"{safe(value)}"' if isinstance(value, str) else str(value)
