"""The shape of the settings. Values only: no file is read here (that is `config.load`).

Every key of `config.example.toml` stands here with its default; a test holds the two together.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from inboxbot.config.addresses import checked_address, is_loopback, organisation_number
from inboxbot.config.telling import STRICT, AlarmSettings, HttpsAddress, OidcSettings, Webhook

MailAddress = Annotated[str, AfterValidator(checked_address)]
OrganisationNumber = Annotated[str, AfterValidator(organisation_number)]
Security = Literal["tls", "starttls", "none"]
Language = Literal["sv", "en", "da", "no", "fi", "de"]
Door = Literal["web", "terminal", "drafts"]


def checked_zone(name: str) -> str:
    """Return ``name`` when the zone database knows it."""
    if name not in available_timezones():
        raise ValueError("is not a known time zone; use a name such as Europe/Stockholm")
    return name


def checked_encoding(name: str) -> str:
    """Return ``name`` when Python knows it as a character encoding of text."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError('is not a known encoding; use a name such as "utf-8" or "windows-1252"') from None
    return name


def checked_argument(text: str) -> str:
    """Return ``text`` when it can be an argument of a command."""
    if not text or "\0" in text:
        raise ValueError("must be a text that is not empty")
    return text


Argument = Annotated[str, AfterValidator(checked_argument)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors and wrong values are never echoed (they may be secrets)."""

    model_config = STRICT


class DatabaseSettings(Section):
    """Where everything is kept."""

    url: str = Field(pattern=r"^(sqlite:///|postgresql\+psycopg://)")


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


class Recipient(Section):
    """Somebody the company gives personal data to (Art. 15(1)(c)), by name."""

    name: str = Field(min_length=1)
    role: Literal["processor", "controller"]
    purpose: str = ""
    country: str = "SE"


class KeepGround(StrEnum):
    """Why data may be kept although erasure is asked (law.md A-08, 5.2)."""

    BOOKKEEPING = "bookkeeping"
    COMMITMENT = "commitment"
    LEGAL_CLAIM = "legal_claim"
    LEGAL_DUTY = "legal_duty"


class System(Section):
    """A place where the company keeps personal data; each becomes one line of a request's checklist."""

    name: str = Field(min_length=1)
    holds: str = Field(min_length=1)
    purpose: str = ""
    retention: str = ""
    source: str = ""
    keep_ground: KeepGround | None = None
    looked_after_by: str = ""
    marketing: bool = False
    webhook: HttpsAddress | None = None
    webhook_secret_file: Path | None = None
    webhook_private: bool = False
    lookup_csv: Path | None = None
    lookup_address_column: str | None = None
    lookup_name_column: str | None = None
    lookup_delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    lookup_encoding: Annotated[str, AfterValidator(checked_encoding)] | None = None
    lookup_command: Annotated[list[Argument], Field(min_length=1)] | None = None
    lookup_timeout_s: float = Field(default=10, gt=0, le=60)

    @property
    def can_be_searched(self) -> bool:
        """Whether an address can be looked up there by inboxbot itself."""
        return self.lookup_csv is not None or self.lookup_command is not None

    @model_validator(mode="after")
    def _one_way_to_look_up(self) -> Self:
        if self.lookup_csv is not None and self.lookup_command is not None:
            raise ValueError("lookup_csv and lookup_command are both given; keep one of them")
        return self

    @model_validator(mode="after")
    def _webhook_is_safe(self) -> Self:
        if self.webhook is not None and not self.marketing:
            raise ValueError("webhook is told of opt-outs only; set marketing = true")
        return self


class RetentionSettings(Section):
    """How long inboxbot keeps what it stores itself (law.md section 7)."""

    cases_years: int = Field(default=2, ge=0, le=10)
    counted_from: Literal["closing", "last_contact"] = "closing"
    proof_years: int = Field(default=3, ge=1, le=5)


class RetentionClass(Section):
    """A retention period that the company's policy promises, such as purchases for seven years."""

    name: str = Field(min_length=1)
    period: str = Field(min_length=1)


class Authority(Section):
    """The supervisory authority that letters name (law.md 5.1; checked 2026-11-22)."""

    name: str = "Integritetsskyddsmyndigheten"
    short: str = "IMY"
    english: str = "the Swedish Authority for Privacy Protection (IMY)"
    post: str = "Box 8114, 104 20 Stockholm"
    email: MailAddress = "imy@imy.se"
    web: str = "www.imy.se"


class CompanySettings(Section):
    """One company (the controller) with what its letters may say."""

    name: str = Field(min_length=1)
    organisation_number: OrganisationNumber
    language: Language = "sv"
    timezone: Annotated[str, AfterValidator(checked_zone)] = Field(default="Europe/Stockholm", validate_default=True)
    reference_prefix: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")] | None = None
    staff_addresses: list[MailAddress] = []
    alarm_addresses: list[MailAddress] = []
    contact_address: MailAddress | None = None
    privacy_contact: str | None = None
    policy_url: str | None = None
    policy_version: str | None = None
    automated_decisions: bool | None = None
    financial_year_end: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")] = "12-31"
    data_categories: list[str] = []
    recipients: list[Recipient] = []
    systems: list[System] = []
    retention_classes: list[RetentionClass] = []
    retention: RetentionSettings = RetentionSettings()
    authority: Authority = Authority()
    templates: Path | None = None
    webhooks: list[Webhook] = []
    mailbox: list[MailboxSettings] = Field(min_length=1)

    @model_validator(mode="after")
    def _webhooks_have_names_of_their_own(self) -> Self:
        names = [one.name for one in self.webhooks]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two webhooks are called {doubled[0]}; give each a name of its own")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def prefix(self) -> str:
        """The prefix of case references: as set, else the initials (or first letters) of the name."""
        return self.reference_prefix or reference_prefix(self.name)


_COMPANY_FORMS = frozenset({"AB", "HB", "KB", "AKTIEBOLAG", "LTD", "GMBH", "INC", "APS", "AS", "OY", "(PUBL)"})
_PLAIN = str.maketrans("ÅÄÖÆØÉÜ", "AAOAOEU")


def reference_prefix(name: str) -> str:
    """Return the prefix made from a company's name: the initials of its words, or the first letters of its only one."""
    words = [word for word in name.upper().replace("-", " ").split() if word not in _COMPANY_FORMS]
    plain = [
        "".join(letter for letter in word.translate(_PLAIN) if letter.isascii() and letter.isalnum()) for word in words
    ]
    plain = [word for word in plain if word and word[0].isalpha()]
    if len(plain) > 1:
        return "".join(word[0] for word in plain)[:8]
    return plain[0][:2] if plain else "IB"


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
