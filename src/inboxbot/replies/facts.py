"""What a letter may say: a fixed list of plain values, and how foreign words are made safe before they stand in one.

A template sees these names and nothing else (promises.md E33). A value that is None is not there at all, so a template
that prints it is refused with its name instead of printing "None" (E34).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from inboxbot.cases.holidays import working_days_after
from inboxbot.config.model import CompanySettings, MailboxSettings
from inboxbot.sorting.kinds import Kind

LANGUAGES = ("sv", "en", "da", "no", "fi", "de")
NAME_MARK, DATE_MARK, CODE_MARK, FILES_MARK = "[[name]]", "[[date]]", "[[code]]", "[[attachment]]"
REPLY_WORKING_DAYS = 3
IDENTITY_DAYS = 14
_KIND_ORDER = tuple(Kind)
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Line:
    """One system of the company in a letter: what it holds, and what was done there.

    ``until`` is the last day something is kept, ``ground`` a `KeepGround` code, ``detail`` staff's own words.
    ``purpose``, ``retention`` and ``source`` are the items (a), (d) and (g) of Art. 15(1).
    """

    system: str
    holds: str
    detail: str = ""
    ground: str = ""
    until: dt.date | None = None
    purpose: str = ""
    retention: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept by the company's own policy, in its words (Art. 15(1)(d))."""

    name: str
    period: str


@dataclass(frozen=True, slots=True)
class Told:
    """A recipient of the data (Art. 15(1)(c), 19): ``told`` says whether they were told, ``why`` not if not."""

    name: str
    role: str = "processor"
    purpose: str = ""
    country: str = "SE"
    told: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Everything a template may print. Dates are local days of the company; ``received_time`` is ``HH:MM`` local.

    ``kinds`` are codes of `Kind` in their order. ``identity`` is ``none`` or ``ask``; ``identity_reason`` the coded
    doubt. ``transfers``: a recipient is outside the EEA. ``name`` is empty unless the person signed the mail with it.
    ``texts`` are staff's words by field name (see `choose.TEXTS`), each one paragraph or more.
    """

    language: str
    company: str
    organisation_number: str
    contact: str
    reference: str
    received_on: dt.date
    received_time: str
    kinds: tuple[str, ...]
    address: str = ""
    name: str = ""
    privacy_contact: str = ""
    policy_url: str = ""
    authority_name: str = "Integritetsskyddsmyndigheten"
    authority_short: str = "IMY"
    authority_english: str = "the Swedish Authority for Privacy Protection (IMY)"
    authority_post: str = "Box 8114, 104 20 Stockholm"
    authority_email: str = "imy@imy.se"
    authority_web: str = "www.imy.se"
    retention_years: int = 2
    retention_from: str = "closing"
    answer_by: dt.date | None = None
    reply_by: dt.date | None = None
    reminder: bool = False
    representative: bool = False
    breach: bool = False
    identity: str = "none"
    identity_reason: str = ""
    identity_by: dt.date | None = None
    marketing_done: bool = False
    found: tuple[Line, ...] = ()
    nothing: tuple[Line, ...] = ()
    corrected: tuple[Line, ...] = ()
    erased: tuple[Line, ...] = ()
    stopped: tuple[Line, ...] = ()
    kept: tuple[Line, ...] = ()
    categories: tuple[Line, ...] = ()
    recipients: tuple[Told, ...] = ()
    periods: tuple[Period, ...] = ()
    transfers: bool = False
    extended_to: dt.date | None = None
    attachment: str | None = None
    encrypted: bool = False
    backups_until: dt.date | None = None
    automated: bool | None = None
    texts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def context(self) -> dict[str, object]:
        """Return the names a template sees: plain strings, numbers, dates, and rows of them as mappings."""
        context: dict[str, object] = {"approver": NAME_MARK, "today": DATE_MARK, "code": CODE_MARK}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "texts":
                context.update({key: clean_text(text) for key, text in value.items()})
            elif value is not None:
                context[one.name] = _plain(value)
        return context


_MUST_BE_THERE = frozenset({"purpose", "retention", "source"})  # printed empty they would look like an answer


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, Line | Told | Period):
        row = {one.name: getattr(value, one.name) for one in fields(value)}
        absent = _MUST_BE_THERE if isinstance(value, Line) else ()
        return {key: _plain(one) for key, one in row.items() if one is not None and (one or key not in absent)}
    return clean_line(value) if isinstance(value, str) else value


def company_facts(company: CompanySettings, mailbox: MailboxSettings) -> dict[str, object]:
    """Return the fields of `LetterFacts` that the settings give; true with the least settings that run."""
    authority = company.authority
    return {
        "automated": company.automated_decisions,
        "company": company.name,
        "organisation_number": company.organisation_number,
        "contact": company.contact_address or mailbox.address,
        "privacy_contact": company.privacy_contact or "",
        "policy_url": company.policy_url or "",
        "authority_name": authority.name,
        "authority_short": authority.short,
        "authority_english": authority.english,
        "authority_post": authority.post,
        "authority_email": authority.email,
        "authority_web": authority.web,
        "retention_years": company.retention.cases_years,
        "retention_from": company.retention.counted_from,
        "periods": tuple(Period(one.name, one.period) for one in company.retention_classes),
    }


def letter_facts(
    company: CompanySettings,
    mailbox: MailboxSettings,
    *,
    language: str,
    reference: str,
    received_at: dt.datetime,
    kinds: tuple[Kind, ...],
    **more: object,
) -> LetterFacts:
    """Return the facts of a letter: the company's from its settings, the case's from the arguments.

    ``received_at`` is aware. Dates that follow from it (``reply_by``, ``identity_by``) are filled in unless given in
    ``more``, which takes any other field of `LetterFacts`.
    """
    local = received_at.astimezone(company.zone)
    given: dict[str, object] = {
        "reply_by": reply_by(local.date()),
        "identity_by": local.date() + dt.timedelta(days=IDENTITY_DAYS),
        **company_facts(company, mailbox),
        "language": language,
        "reference": reference,
        "received_on": local.date(),
        "received_time": f"{local:%H:%M}",
        "kinds": tuple(kind.value for kind in sorted(kinds, key=_KIND_ORDER.index)),
        **more,
    }
    return LetterFacts(**given)  # type: ignore[arg-type]  # names are checked by the dataclass, types by the callers


def reply_by(received_on: dt.date) -> dt.date:
    """Return the day an ordinary answer is announced for: three working days after receipt.

    A default of ours that the approver sees and may change, not a rule of law.
    """
    return working_days_after(received_on, REPLY_WORKING_DAYS)


# --- foreign words ------------------------------------------------------------------------------------------------

_LINK_LIKE = re.compile(r"://|www\.|@|\.[a-z]{2,}\b|\d", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]{1,2}[^\W\d_]+)*")
_LONGEST_NAME = 60
_LONGEST_LINE = 300
_LONGEST_TEXT = 5000


def clean_line(text: str, limit: int = _LONGEST_LINE) -> str:
    """Return one line without control, format (bidi, zero width) or surrogate characters, cut at ``limit``."""
    kept = "".join(" " if _is_bad(letter) else letter for letter in text[: limit * 4])
    return " ".join(kept.split())[:limit]


def clean_text(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Return paragraphs of staff's words with plain line ends; everything else as `clean_line`."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(clean_line(line, limit) for line in lines).strip()[:limit]


def clean_name(name: str) -> str:
    """Return a person's name fit for a greeting, or "" when it is anything but a name (promises.md E38).

    Letters with spaces, hyphens, apostrophes and dots only, at most 60; nothing that looks like a link or a number.
    """
    name = clean_line(name, _LONGEST_NAME * 2)
    if len(name) > _LONGEST_NAME or _LINK_LIKE.search(name) or len(name.split()) > 5:
        return ""
    return name if _NAME.fullmatch(name) else ""


def signed_name(display_name: str, own_words: str) -> str:
    """Return the given name to greet with: the first word of the display name, if the mail is signed with it.

    ``own_words`` are the new words and the signature of the mail; only the last eight lines are looked at
    (law.md 8.2: a name only if the mail signed it).
    """
    name = clean_name(display_name)
    first = name.split()[0] if name else ""
    if len(first) < 2:
        return ""
    tail = [line for line in own_words.splitlines() if line.strip()][-8:]
    signed = any(
        re.search(rf"(?<!\w){re.escape(first)}(?!\w)", line[:200], re.IGNORECASE) for line in tail if len(line) < 80
    )
    return first if signed else ""


def _is_bad(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and letter != "\u00ad"
