"""`config.example.toml` and the settings say the same: every key, every default, and it loads as it is."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from inboxbot.config.faults import inner_model
from inboxbot.config.load import load_settings
from inboxbot.config.model import Settings

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
_HEADING = re.compile(r"(#?)\[\[?([a-z_.]+)\]\]?$")
_KEY = re.compile(r"(#?)([a-z_]+) = (.*)$")


def models() -> dict[str, type[BaseModel]]:
    """Return every settings table by its heading, "" for the whole file."""
    found: dict[str, type[BaseModel]] = {"": Settings}

    def walk(model: type[BaseModel], heading: str) -> None:
        for name, field in model.model_fields.items():
            inner = inner_model(field.annotation)
            if inner is not None:
                key = f"{heading}.{name}".lstrip(".")
                found[key] = inner
                walk(inner, key)

    walk(Settings, "")
    return found


def plain_keys(heading: str) -> set[str]:
    """Return the keys of a table that hold values, not tables; `folder` is not read from the file."""
    return {
        name
        for name, field in models()[heading].model_fields.items()
        if inner_model(field.annotation) is None and name != "folder"
    }


def shown() -> dict[str, dict[str, list[tuple[bool, str, str]]]]:
    """Return what the example shows: heading → key → (left out?, first line of the value, the comment above)."""
    found: dict[str, dict[str, list[tuple[bool, str, str]]]] = defaultdict(lambda: defaultdict(list))
    heading, comment = "", ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.match(line):
            heading, comment = match[2], ""
        elif match := _KEY.match(line):
            found[heading][match[2]].append((bool(match[1]), match[3], comment))
            comment = ""
        else:
            comment = f"{comment} {line[2:]}" if line.startswith("# ") else ""
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    for name in ("support", "kontakt"):
        secret = tmp_path / "secrets" / name
        secret.write_text("hemligt\n", encoding="utf-8")
        secret.chmod(0o600)
    return Path(shutil.copy(EXAMPLE, tmp_path / "config.toml"))


def test_it_loads_as_it_is(copy: Path) -> None:
    settings = load_settings(copy)
    assert [(company.prefix, mailbox.address, mailbox.promise_hours) for company, mailbox in settings.mailboxes()] == [
        ("EB", "support@example.se", None),
        ("EK", "kontakt@example.org", 24),
    ]
    shop, courses = settings.company
    assert (len(shop.data_categories), len(courses.data_categories)) == (8, 6)
    assert (shop.retention.cases_years, shop.retention.counted_from) == (3, "last_contact")
    assert (courses.retention.cases_years, len(courses.retention_classes)) == (2, 5)
    assert {one.role for one in courses.recipients} == {"processor", "controller"}


@pytest.mark.parametrize("heading", sorted(models()))
def test_every_key_of_a_table_is_shown_and_no_other(heading: str) -> None:
    assert set(shown()[heading]) == plain_keys(heading)


def test_every_key_is_explained_where_it_stands_first() -> None:
    silent = [f"{heading}.{key}" for heading, keys in shown().items() for key, uses in keys.items() if not uses[0][2]]
    # host of smtp stands under the comment of its table, which speaks of all its keys
    assert silent == []


def test_the_defaults_that_the_comments_name_are_those_of_the_settings() -> None:
    wrong = []
    named = 0
    for heading, keys in shown().items():
        for key, uses in keys.items():
            told = re.search(r"Default: (.+?)\.(?: |$)", uses[0][2])
            default = models()[heading].model_fields[key].default
            if default is PydanticUndefined:
                if told:
                    wrong.append(f"{heading}.{key} has no default")
                continue
            if told is None:
                if heading != "company.authority" and default is not None:
                    wrong.append(f"{heading}.{key}: its default {default!r} is not told")
                continue
            named += 1
            if not _same(told[1], default):
                wrong.append(f"{heading}.{key}: {told[1]} is told, {default!r} is true")
    assert wrong == []
    assert named > 30


def _same(told: str, default: Any) -> bool:
    if re.match(r'["\[\d]|true|false', told):
        return bool(tomllib.loads(f"value = {told}")["value"] == default)
    return default in (None, [])


def test_the_authority_of_the_example_is_the_default() -> None:
    raw = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    fields = models()["company.authority"].model_fields
    assert raw["company"][0]["authority"] == {name: field.default for name, field in fields.items()}


def test_keys_that_are_left_out_can_be_put_in(copy: Path) -> None:
    """Each alone: its value has the right type, whatever else then is missing."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    tried, left_out = 0, False
    for number, line in enumerate(lines):
        if heading := _HEADING.match(line):
            left_out = bool(heading[1])
        if (
            (match := _KEY.match(line)) is None
            or not match[1]
            or left_out
            or match[2].startswith(("password", "ca_file", "webhook"))
        ):
            continue
        tried += 1
        changed = [*lines[:number], line[1:], *lines[number + 1 :]]
        (copy.parent / "templates").mkdir(exist_ok=True)
        copy.write_text("\n".join(changed), encoding="utf-8")
        load_settings(copy)
    assert tried >= 10


def test_tables_that_are_left_out_can_be_put_in_whole(copy: Path) -> None:
    lines, left_out = [], False
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            left_out = bool(heading[1])
        lines.append(line[1:] if left_out and line.startswith("#") and not line.startswith("# ") else line)
    for name in ("intranet", "oidc"):
        secret = copy.parent / "secrets" / name
        secret.write_text("hemligt\n", encoding="utf-8")
        secret.chmod(0o600)
    copy.write_text("\n".join(lines), encoding="utf-8")
    settings = load_settings(copy)
    (hook,) = settings.company[0].webhooks
    assert hook.secret_file == copy.parent / "secrets" / "intranet"
    assert settings.web
    assert settings.web.oidc
    assert settings.web.oidc.name == "Microsoft"
