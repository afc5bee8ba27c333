"""What can be wrong with the settings, told with the key, in words, and with a suggestion. No value is ever echoed."""

from __future__ import annotations

import difflib
import os
import stat
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from inboxbot.config.addresses import checked_address, is_loopback
from inboxbot.config.model import Settings, reference_prefix
from inboxbot.errors import ConfigFault

READABLE_BY_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
PASSWORD_KEYS: Final = ("password", "password_file", "password_env")
_MOST_SECRET_BYTES: Final = 64_000
_WORDS: Final = {
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "string_type": "must be a text in quotation marks",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
_CURES: Final = {
    "url": 'such as "sqlite:///inboxbot.db" or "postgresql+psycopg://user@host/database"',
    "reference_prefix": "one to eight capital letters and digits, a letter first, such as EX",
    "financial_year_end": "month and day, such as 12-31",
    "start": '"now", "beginning", or a date such as 2026-01-31 without quotation marks',
}


def value_faults(error: ValidationError, raw: Mapping[str, Any]) -> list[ConfigFault]:
    """Return the faults of single values and those between values, each once."""
    across = cross_faults(raw)
    found: dict[str, ConfigFault] = {}
    for details in error.errors(include_input=False, include_url=False):
        if across and _is_across(details):
            continue
        fault = _fault(details)
        found.setdefault(fault.key, fault)
    return [*found.values(), *across]


def _is_across(details: Any) -> bool:
    """Whether the model found a fault between values; `cross_faults` finds the same even behind other faults."""
    place = details["loc"]
    return details["type"] == "value_error" and (not place or place[-1] in ("imap", "smtp") or "web_forms" in place)


def _fault(details: Any) -> ConfigFault:
    location, kind = details["loc"], details["type"]
    key = dotted(location)
    if kind == "extra_forbidden":
        return ConfigFault(key, "is not a setting", _suggestion(location))
    if kind == "missing":
        return ConfigFault(key, "is missing", "config.example.toml explains it")
    last = next((step for step in reversed(location) if isinstance(step, str) and step in _CURES), "")
    if last == "url" and location[0] != "database":
        last = ""
    if last:
        what = str(details["msg"]) if kind == "value_error" else "is not a value that is known here"
        return ConfigFault(key, what.removeprefix("Value error, "), _CURES[last])
    if kind == "list_type":
        return ConfigFault(key, _WORDS[kind], f"in square brackets, or as tables headed [[{_heading(location)}]]")
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        return ConfigFault(key, _WORDS[kind], f"headed [{_heading(location)}]")
    what = _WORDS.get(kind) or str(details["msg"]).removeprefix("Value error, ").replace("Input should", "must")
    return ConfigFault(key or "file", what)


def dotted(location: Sequence[int | str]) -> str:
    """Return a place in the settings as users write it, lists counted from 1: ``company[1].mailbox[2].address``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        elif not step.startswith(("literal[", "date", "list[", "constrained-", "function-")):
            text += f".{step}" if text else step
    return text


def _heading(location: Sequence[int | str]) -> str:
    return ".".join(step for step in location if isinstance(step, str))


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Return "did you mean …" for an unknown key, looking at the keys its table really has."""
    model: Any = Settings
    for step in location[:-1]:
        if isinstance(step, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = inner_model(model.model_fields[step].annotation) if step in model.model_fields else None
    if model is None:
        return ""
    known = [name for name in model.model_fields if name != "folder"]
    close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def inner_model(annotation: Any) -> Any:
    """Return the settings table that a field holds, alone or in a list; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in typing.get_args(annotation) if (found := inner_model(inner))), None)


# --- between values: found in the raw text, so that no other fault hides them -------------------------------------


def cross_faults(raw: Mapping[str, Any]) -> list[ConfigFault]:
    """Return what is wrong between several values of the file."""
    faults: list[ConfigFault] = []
    seen: dict[str, str] = {}
    prefixes: dict[str, str] = {}
    for number, company in enumerate(tables(raw, "company"), 1):
        key = f"company[{number}]"
        prefix = _prefix(company)
        if prefix in prefixes:
            what = f"the case numbers would begin with {prefix}, as those of {prefixes[prefix]}"
            faults.append(ConfigFault(f"{key}.reference_prefix", what, "set another one"))
        elif prefix:
            prefixes[prefix] = key
        for place, mailbox in enumerate(tables(company, "mailbox"), 1):
            faults += _mailbox_faults(mailbox, f"{key}.mailbox[{place}]", seen)
    return faults


def _prefix(company: Mapping[str, Any]) -> str:
    own, name = company.get("reference_prefix"), company.get("name")
    return own if isinstance(own, str) else reference_prefix(name) if isinstance(name, str) and name else ""


def _mailbox_faults(mailbox: Mapping[str, Any], key: str, seen: dict[str, str]) -> list[ConfigFault]:
    faults = []
    aliases = mailbox.get("aliases")
    named = [("address", mailbox.get("address"))]
    named += [(f"aliases[{at}]", one) for at, one in enumerate(aliases, 1)] if isinstance(aliases, list) else []
    for name, value in named:
        address = _address(value)
        if address and address in seen:
            what = f"is configured twice, here and in {seen[address]}"
            faults.append(ConfigFault(f"{key}.{name}", what, "a mailbox belongs to one company"))
        elif address:
            seen[address] = f"{key}.{name}"
    for name in ("imap", "smtp"):
        server = mailbox.get(name)
        if isinstance(server, dict):
            faults += _server_cross_faults(server, f"{key}.{name}")
    for place, form in enumerate(tables(mailbox, "web_forms"), 1):
        if form.get("requester") == "body" and not form.get("field"):
            what = 'is needed with requester = "body"'
            faults.append(ConfigFault(f"{key}.web_forms[{place}].field", what, 'such as "E-post"'))
    return faults


def _server_cross_faults(server: Mapping[str, Any], key: str) -> list[ConfigFault]:
    faults = []
    given = [name for name in PASSWORD_KEYS if name in server]
    if len(given) > 1:
        faults.append(ConfigFault(f"{key}.{given[1]}", f"{' and '.join(given)} are both given", "keep one of them"))
    host = server.get("host")
    if server.get("security") == "none" and isinstance(host, str) and not is_loopback(host):
        what = '"none" is allowed only to a loopback address'
        faults.append(ConfigFault(f"{key}.security", what, 'use "tls" or "starttls"'))
    return faults


def _address(value: object) -> str:
    try:
        return checked_address(value) if isinstance(value, str) else ""
    except ValueError:
        return ""


def tables(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the tables of a list of tables, passing over whatever else stands there."""
    found = table.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


# --- files and variables that the settings name -------------------------------------------------------------------


def file_faults(raw: Mapping[str, Any], path: Path) -> list[ConfigFault]:
    """Return what is wrong with the files the settings name, looking at the raw text so that one fault hides none."""
    faults: list[ConfigFault] = []
    secret_inline = False
    for number, company in enumerate(tables(raw, "company"), 1):
        folder = company.get("templates")
        if isinstance(folder, str) and not (path.parent / folder).is_dir():
            faults.append(ConfigFault(f"company[{number}].templates", f"there is no folder {folder}"))
        for place, system in enumerate(tables(company, "systems"), 1):
            key = f"company[{number}].systems[{place}].webhook_secret_file"
            faults += _named_file_faults(system.get("webhook_secret_file"), key, path.parent, secret=True)
        for place, hook in enumerate(tables(company, "webhooks"), 1):
            key = f"company[{number}].webhooks[{place}].secret_file"
            faults += _named_file_faults(hook.get("secret_file"), key, path.parent, secret=True)
        for place, mailbox in enumerate(tables(company, "mailbox"), 1):
            for name in ("imap", "smtp"):
                server = mailbox.get(name)
                if isinstance(server, dict):
                    faults += _server_faults(server, f"company[{number}].mailbox[{place}].{name}", path.parent)
                    secret_inline = secret_inline or "password" in server
    web = raw.get("web")
    oidc = web.get("oidc") if isinstance(web, dict) else None
    if isinstance(oidc, dict):
        faults += _named_file_faults(
            oidc.get("client_secret_file"), "web.oidc.client_secret_file", path.parent, secret=True
        )
    if secret_inline and os.name == "posix" and path.stat().st_mode & READABLE_BY_OTHERS:
        faults.append(ConfigFault("file", "holds a password and is readable by others", f"chmod 600 {path}"))
    return faults


def _server_faults(server: Mapping[str, Any], key: str, folder: Path) -> list[ConfigFault]:
    faults = []
    for name in ("password_file", "ca_file"):
        faults += _named_file_faults(server.get(name), f"{key}.{name}", folder, secret=name == "password_file")
    variable = server.get("password_env")
    if isinstance(variable, str) and not os.environ.get(variable):
        faults.append(ConfigFault(f"{key}.password_env", f"the variable {variable} is not set or empty"))
    return faults


def _named_file_faults(name: object, key: str, folder: Path, *, secret: bool) -> list[ConfigFault]:
    if not isinstance(name, str):
        return []
    file = folder / name
    if not file.is_file():
        return [ConfigFault(key, f"there is no file {name}")]
    if not os.access(file, os.R_OK):
        return [ConfigFault(key, f"{name} cannot be read by this user")]
    return _secret_faults(file, name, key) if secret else []


def _secret_faults(file: Path, name: str, key: str) -> list[ConfigFault]:
    faults = []
    if os.name == "posix" and file.stat().st_mode & READABLE_BY_OTHERS:
        faults.append(ConfigFault(key, f"{name} is readable by others", f"chmod 600 {name}"))
    with file.open("rb") as secret:
        content = secret.read(_MOST_SECRET_BYTES)
    try:
        lines = content.decode("utf-8").rstrip("\r\n").splitlines()
    except UnicodeDecodeError:
        return [*faults, ConfigFault(key, f"{name} is not UTF-8 text", "save it as UTF-8")]
    if len(lines) != 1:
        what = "is empty" if not lines else "has more than one line"
        faults.append(ConfigFault(key, f"{name} {what}", "it must hold the secret alone, on one line"))
    return faults
