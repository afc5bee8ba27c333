"""Settings of a mailbox: its servers, its folders, and what is done with its mail."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from inboxbot.config.addresses import is_loopback
from inboxbot.config.section import MailAddress, Section

Security = Literal["tls", "starttls", "none"]
Door = Literal["web", "terminal", "drafts"]


class ServerSettings(Section):
    """How to reach and sign in to one server. At most one of the three password keys is given."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    security: Security = "tls"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    password_env: str | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _one_password_and_no_clear_text(self) -> Self:
        given = [key for key in ("password", "password_file", "password_env") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are both given; keep one of them")
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError('security = "none" is allowed only to a loopback address; use "tls" or "starttls"')
        return self


class ImapSettings(ServerSettings):
    """The IMAP server of a mailbox; ``timeout_s`` is the limit of one wait for an answer, in seconds."""

    port: int = Field(default=993, ge=1, le=65535)
    timeout_s: float = Field(default=60, gt=0, le=600)


class SmtpSettings(ServerSettings):
    """The SMTP server letters go out by. Sign-in defaults to that of IMAP, used when the server offers AUTH."""

    port: int = Field(default=465, ge=1, le=65535)


class FolderSettings(Section):
    """Folders of the mailbox. A folder named here must exist; others are found by SPECIAL-USE or usual names."""

    inbox: str = "INBOX"
    junk: str | None = None
    sent: str | None = None
    drafts: str | None = None
    approved: str | None = None
    expired: str | None = None

    @model_validator(mode="after")
    def _expired_is_a_place_apart(self) -> Self:
        others = [use for use in type(self).model_fields if use != "expired" and getattr(self, use) == self.expired]
        if self.expired is not None and (others or self.expired.upper() == "INBOX"):
            raise ValueError(f"expired must be a folder of its own, not that of {(others or ['inbox'])[0]}")
        return self


class WebForm(Section):
    """The company's own web form: who sends its mails, and where the person who wrote stands in them."""

    sender: MailAddress
    requester: Literal["reply-to", "body"] = "reply-to"
    field: str | None = None

    @model_validator(mode="after")
    def _field_with_body(self) -> Self:
        if self.requester == "body" and not self.field:
            raise ValueError('field is needed with requester = "body": the label before the address, such as "E-post"')
        return self


class MailboxSettings(Section):
    """One mailbox that inboxbot watches and answers from."""

    address: MailAddress
    promise_hours: Annotated[int, Field(ge=1, le=24 * 31)] | None = None
    start: Literal["now", "beginning"] | dt.date = "now"
    aliases: list[MailAddress] = []
    authserv_id: str | None = None
    trusted_received: list[str] = []
    web_forms: list[WebForm] = []
    approval: list[Door] = ["web", "terminal"]
    file_sent: Literal["auto", "always", "never"] = "auto"
    imap: ImapSettings
    smtp: SmtpSettings
    folders: FolderSettings = FolderSettings()
