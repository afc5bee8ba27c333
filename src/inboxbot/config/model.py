"""The shape of the settings. Values only: no file is read here (that is `config.load`).

Every key of `config.example.toml` has its field and default here, or in the module of its table; a test holds the two
together. The rest of the program takes every table from here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from inboxbot.config.addresses import is_loopback
from inboxbot.config.company import CompanySettings, KeepGround, System, reference_prefix
from inboxbot.config.mailbox import (
    FolderSettings,
    ImapSettings,
    MailboxSettings,
    ServerSettings,
    SmtpSettings,
    WebForm,
)
from inboxbot.config.section import Section
from inboxbot.config.telling import AlarmSettings, OidcSettings

__all__ = [
    "CompanySettings",
    "FolderSettings",
    "ImapSettings",
    "KeepGround",
    "MailboxSettings",
    "OidcSettings",
    "ServerSettings",
    "Settings",
    "SmtpSettings",
    "System",
    "WebForm",
    "WebSettings",
    "reference_prefix",
]


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: str = Field(pattern=r"^(sqlite:///|postgresql\+psycopg://)")


class LimitSettings(Section):
    """Limits that hold whatever else fails. Letters over a limit wait, visibly.

    The others count what smells of a loop or a fault; at that number all sending stops until a person releases it.
    """

    per_recipient_per_day: int = Field(default=10, ge=1)
    per_hour: int = Field(default=300, ge=1)
    stop_after_over_recipient: int = Field(default=3, ge=1)
    stop_after_over_hour: int = Field(default=5, ge=1)
    stop_after_failures: int = Field(default=5, ge=1)
    alarms_per_hour: int = Field(default=12, ge=1, le=60)


class DaemonSettings(Section):
    """How often the daemon looks, and how much it does at once. Times in seconds."""

    round_every_s: int = Field(default=300, ge=5, le=3600)
    outbox_every_s: int = Field(default=5, ge=1, le=600)
    workers: int = Field(default=1, ge=1, le=32)
    heartbeat_file: Path | None = None


class WebSettings(Section):
    """The desk in a browser, served beside the daemon. Without this table there is none."""

    listen: str = "127.0.0.1"
    port: int = Field(default=8025, ge=0, le=65535)
    base_url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]+$")] | None = None
    hold_s: int = Field(default=20, ge=0, le=3600)
    idle_minutes: int = Field(default=120, ge=5, le=1440)
    session_hours: int = Field(default=12, ge=1, le=168)
    trusted_proxies: list[str] = []
    oidc: OidcSettings | None = None

    @model_validator(mode="after")
    def _no_sign_in_service_in_clear_text(self) -> Self:
        host = urlsplit(self.base_url or "").hostname or ""
        if self.oidc is not None and (self.base_url or "").startswith("http://") and not is_loopback(host):
            raise ValueError('oidc needs base_url = "https://…", or none and a browser on this machine')
        return self

    @model_validator(mode="after")
    def _no_clear_text_beyond_this_machine(self) -> Self:
        if not is_loopback(self.listen) and not (self.base_url or "").startswith("https://"):
            raise ValueError(
                'listens beyond this machine: set base_url = "https://…" and put a web server with TLS in front, '
                'or listen on "127.0.0.1"'
            )
        return self


class LogSettings(Section):
    """The log, on standard error. It holds ids and codes, never personal data."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Settings(Section):
    """The whole file. ``folder`` is where it lies; relative paths in it are read from there."""

    database: DatabaseSettings
    company: list[CompanySettings] = Field(min_length=1)
    limits: LimitSettings = LimitSettings()
    alarms: AlarmSettings = AlarmSettings()
    daemon: DaemonSettings = DaemonSettings()
    log: LogSettings = LogSettings()
    web: WebSettings | None = None
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen: set[str] = set()
        for company in self.company:
            for mailbox in company.mailbox:
                for address in (mailbox.address, *mailbox.aliases):
                    if address in seen:
                        raise ValueError(f"{address} is configured twice; a mailbox belongs to one company")
                    seen.add(address)
        prefixes = [company.prefix for company in self.company]
        doubled = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
        if doubled:
            raise ValueError(
                f"two companies share the reference prefix {doubled[0]}; set company.reference_prefix in one of them"
            )
        return self

    @model_validator(mode="after")
    def _expired_mail_is_watched_nowhere(self) -> Self:
        watched = {
            (one.imap.host, one.imap.username, folder): one.address
            for _, one in self.mailboxes()
            for folder in (one.folders.inbox, one.folders.junk)
            if folder is not None
        }
        for _, one in self.mailboxes():
            other = watched.get((one.imap.host, one.imap.username, one.folders.expired or ""))
            if other is not None:
                raise ValueError(f"folders.expired of {one.address} is watched for {other}; name another folder")
        return self

    def mailboxes(self) -> list[tuple[CompanySettings, MailboxSettings]]:
        """Return every (company, mailbox) in the order of the file."""
        return [(company, mailbox) for company in self.company for mailbox in company.mailbox]
