"""Reading the settings: one TOML file, overridden by environment variables, all faults told at once."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
import typing
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from inboxbot.config.model import MailboxSettings, ServerSettings, Settings
from inboxbot.errors import ConfigError, ConfigFault

ENV_PREFIX = "INBOXBOT_"
_READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def default_path() -> Path:
    """Return ``./config.toml`` when it exists, else the file in the platform's config folder."""
    here = Path("config.toml")
    return here if here.exists() else Path(click.get_app_dir("inboxbot")) / "config.toml"


def load_settings(path: Path) -> Settings:
    """Return the settings in ``path``; relative paths in it start from its folder.

    Any key may be overridden from the environment (``INBOXBOT_DATABASE__URL``). Raises ConfigError with every
    unknown key, wrong value and missing file, each with its key and a suggestion.
    """
    raw = _toml(path)
    faults = _file_faults(raw, path)
    try:
        settings = _from_sources(_with_whole_paths(raw, path.parent.absolute()), path)
    except ValidationError as error:
        faults += [_fault(details, raw) for details in error.errors(include_input=False, include_url=False)]
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: fault.key), where=str(path))
    return settings


def server_password(server: ServerSettings) -> str | None:
    """Return the password of a server from wherever it is kept, without a trailing newline; None when none is set."""
    if server.password is not None:
        return server.password.get_secret_value()
    if server.password_file is not None:
        return server.password_file.read_text(encoding="utf-8").rstrip("\r\n")
    if server.password_env is not None:
        return os.environ.get(server.password_env)
    return None


def smtp_sign_in(mailbox: MailboxSettings) -> tuple[str | None, str | None]:
    """Return (username, password) for SMTP, which default to those of IMAP."""
    own = server_password(mailbox.smtp)
    return (
        mailbox.smtp.username or mailbox.imap.username,
        own if own is not None else server_password(mailbox.imap),
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        cure = "write one from config.example.toml, or name another with --config"
        raise ConfigError([ConfigFault("file", "does not exist", cure)], where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError([ConfigFault("file", f"cannot be read: {reason}")], where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([ConfigFault("file", f"is not valid TOML: {error}")], where=str(path)) from None


_PATH_KEYS = frozenset({"password_file", "ca_file", "templates", "heartbeat_file"})


def _with_whole_paths(value: Any, folder: Path, key: str = "") -> Any:
    """Return the raw settings with every relative path made absolute from the file's folder."""
    if isinstance(value, dict):
        return {name: _with_whole_paths(inner, folder, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_whole_paths(inner, folder, key) for inner in value]
    return str(folder / value) if key in _PATH_KEYS and isinstance(value, str) else value


def _from_sources(raw: dict[str, Any], path: Path) -> Settings:
    class FromFile(BaseSettings, Settings):
        model_config = SettingsConfigDict(
            env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, init_settings

    return FromFile(**{**raw, "folder": path.parent.absolute()})


def _fault(details: Any, raw: dict[str, Any]) -> ConfigFault:
    key = _dotted(details["loc"])
    if details["type"] == "extra_forbidden":
        return ConfigFault(key, "is not a setting", _suggestion(details["loc"]))
    if details["type"] == "missing":
        return ConfigFault(key, "is missing", "config.example.toml explains it")
    message = str(details["msg"]).removeprefix("Value error, ")
    return ConfigFault(key or "file", message)


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        elif not step.startswith(("literal[", "date", "list[")):
            text += f".{step}" if text else step
    return text


def _suggestion(location: tuple[int | str, ...]) -> str:
    """Return "did you mean …" for an unknown key, looking at the keys its table really has."""
    model: Any = Settings
    for step in location[:-1]:
        if isinstance(step, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = _inner_model(model.model_fields[step].annotation) if step in model.model_fields else None
    if model is None:
        return ""
    known = [name for name in model.model_fields if name != "folder"]
    close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in typing.get_args(annotation) if (found := _inner_model(inner))), None)


def _file_faults(raw: dict[str, Any], path: Path) -> list[ConfigFault]:
    """Return what is wrong with the files the settings name, looking at the raw text so that one fault hides none."""
    faults: list[ConfigFault] = []
    secret_inline = False
    for number, company in enumerate(_tables(raw, "company"), 1):
        folder = company.get("templates")
        if isinstance(folder, str) and not (path.parent / folder).is_dir():
            faults.append(ConfigFault(f"company[{number}].templates", f"there is no folder {folder}"))
        for place, mailbox in enumerate(_tables(company, "mailbox"), 1):
            for name in ("imap", "smtp"):
                server = mailbox.get(name)
                if isinstance(server, dict):
                    key = f"company[{number}].mailbox[{place}].{name}"
                    faults += _server_faults(server, key, path.parent)
                    secret_inline = secret_inline or "password" in server
    if secret_inline and os.name == "posix" and path.stat().st_mode & _READABLE_BY_OTHERS:
        faults.append(ConfigFault("file", "holds a password and is readable by others", f"chmod 600 {path}"))
    return faults


def _server_faults(server: dict[str, Any], key: str, folder: Path) -> list[ConfigFault]:
    faults = []
    for name in ("password_file", "ca_file"):
        value = server.get(name)
        if not isinstance(value, str):
            continue
        file = folder / value
        if not file.is_file():
            faults.append(ConfigFault(f"{key}.{name}", f"there is no file {value}"))
        elif not os.access(file, os.R_OK):
            faults.append(ConfigFault(f"{key}.{name}", f"{value} cannot be read by this user"))
        elif name == "password_file" and os.name == "posix" and file.stat().st_mode & _READABLE_BY_OTHERS:
            faults.append(ConfigFault(f"{key}.{name}", f"{value} is readable by others", f"chmod 600 {value}"))
    variable = server.get("password_env")
    if isinstance(variable, str) and variable not in os.environ:
        faults.append(ConfigFault(f"{key}.password_env", f"the variable {variable} is not set"))
    return faults


def _tables(table: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = table.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
