"""Reading the settings: one TOML file, overridden by environment variables, all faults told at once."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from inboxbot.config.faults import file_faults, value_faults
from inboxbot.config.model import MailboxSettings, ServerSettings, Settings
from inboxbot.errors import ConfigError, ConfigFault

ENV_PREFIX = "INBOXBOT_"


def default_path() -> Path:
    """Return ``./config.toml`` when it exists, else the file in the platform's config folder."""
    here = Path("config.toml")
    return here if here.exists() else Path(click.get_app_dir("inboxbot")) / "config.toml"


def load_settings(path: Path) -> Settings:
    """Return the settings in ``path``; relative paths in it start from its folder.

    Any key may be overridden from the environment (``INBOXBOT_DATABASE__URL``). Raises ConfigError with every
    unknown key, wrong value and missing file, each with its key and a suggestion.
    """
    raw = read_raw(path)
    faults = file_faults(raw, path)
    if raw.pop("folder", None) is not None:
        faults.append(ConfigFault("folder", "is not a setting", "paths start from the folder of this file"))
    try:
        settings = _from_sources(_with_whole_paths(raw, path.parent.absolute()), path)
    except ValidationError as error:
        faults += value_faults(error, raw)
    except SettingsError:
        faults.append(ConfigFault("environment", f"a variable {ENV_PREFIX}… does not hold what its table needs"))
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


def read_raw(path: Path) -> dict[str, Any]:
    """Return what the file says, unchecked. Raises ConfigError when it cannot be read as TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        cure = "write one from config.example.toml, or name another with --config"
        raise ConfigError([ConfigFault("file", "does not exist", cure)], where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ConfigError([ConfigFault("file", f"cannot be read: {reason}")], where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([ConfigFault("file", f"is not valid TOML: {error}")], where=str(path)) from None
    except (ValueError, RecursionError):
        raise ConfigError([ConfigFault("file", "is not valid TOML")], where=str(path)) from None


_SECRET_FILES = frozenset({"password_file", "webhook_secret_file", "secret_file", "client_secret_file"})
_PATH_KEYS = _SECRET_FILES | {"ca_file", "templates", "heartbeat_file", "lookup_csv"}


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
            settings_cls: type[BaseSettings],  # noqa: ARG003  (the library's shape)
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, init_settings

    return FromFile(**raw).model_copy(update={"folder": path.parent.absolute()})
