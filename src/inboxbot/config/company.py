"""Settings of a company: what its letters may say, where it keeps personal data, and for how long."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from inboxbot.config.addresses import organisation_number
from inboxbot.config.mailbox import MailboxSettings
from inboxbot.config.section import MailAddress, Section
from inboxbot.config.telling import HttpsAddress, Webhook

OrganisationNumber = Annotated[str, AfterValidator(organisation_number)]
Language = Literal["sv", "en", "da", "no", "fi", "de"]


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
    backups_days: Annotated[int, Field(ge=1, le=3650)] | None = None
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
