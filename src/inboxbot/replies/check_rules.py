"""What a letter must not say, as tables: pattern, weight, and where the rule comes from.

Patterns are matched without regard to letter case, on text whose line breaks are single spaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Weight(StrEnum):
    """Whether a finding stops the approval."""

    BLOCKING = "blocking"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Ban:
    """Something a letter must not hold. ``only`` and ``never`` limit it to, or exempt, letters by name."""

    rule: str
    weight: Weight
    pattern: str
    source: str
    message: str
    only: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()


_B, _W = Weight.BLOCKING, Weight.WARNING
BANS: Final[tuple[Ban, ...]] = (
    Ban(
        "placeholder",
        _B,
        r"\[\[(?!(?:name|date)\]\])[^\]]{0,60}\]\]|\{\{|\}\}|\{%|%\}|\bTODO\b|\bXXX+\b",
        "promises.md E34",
        "something is still to be filled in",
        never=frozenset({"code"}),
    ),
    Ban("old_authority", _B, r"datainspektion", "law.md 5.1, A-13", "the authority is called IMY since 2021"),
    Ban(
        "wrong_court",
        _B,
        r"förvaltningsrätt|administrative court",
        "law.md 5.1",
        "the administrative court reviews authorities, not companies",
    ),
    Ban(
        "paper_form",
        _B,
        r"\bblankett|\bundertecknad |\bunderskriven |\bnamnteckning|skriftlig ansökan|application form"
        r"|signed (?:letter|form|application)|fyll i (?:ett|vårt|formul)|fill in (?:a|the|our) form",
        "law.md A-05",
        "an e-mail is enough; no form and no signature may be asked for",
    ),
    Ban(
        "marketing",
        _B,
        r"rabattkod|\d+ ?% rabatt|kampanjkod|missa inte|passa på att|specialerbjudande|besök gärna vår"
        r"|discount code|\d+ ?% off\b|special offer|visit our (?:web)?shop|don't miss|limited time",
        "law.md 8.2",
        "an answer to a request carries no marketing",
    ),
    Ban(
        "question",
        _B,
        r"\?(?![\w=&%])",
        "law.md T12",
        "a confirmed opt-out asks nothing",
        only=frozenset({"unsubscribe"}),
    ),
    Ban(
        "marketing_is_absolute",
        _B,
        r"marknadsföring|marketing",
        "Art. 21(3) GDPR",
        "an objection to direct marketing cannot be refused",
        only=frozenset({"objection_refused"}),
    ),
    Ban(
        "extension_reason",
        _W,
        r"semester|sjukdom|\bsjuk\b|mycket att göra|arbetsbelastning|personalbrist"
        r"|holidays?\b|illness|workload|busy|understaffed",
        "Art. 12(3) GDPR, law.md T9",
        "only complexity and the number of requests are reasons for an extension",
        only=frozenset({"extension"}),
    ),
    Ban("appeal", _W, r"\böverklag", "law.md 8.1", "write 'begära rättslig prövning', not 'överklaga'"),
    Ban(
        "days",
        _W,
        r"\b(?:30|90|trettio|nittio) (?:dagar|days)\b",
        "law.md 3.1 rule 10",
        "the period is one month or three, not 30 or 90 days",
    ),
    Ban(
        "fee",
        _W,
        r"\bavgift\b|\bfee\b",
        "Art. 12(5) GDPR",
        "answers are free of charge",
        never=frozenset({"excessive"}),
    ),
    Ban(
        "old_law",
        _W,
        r"\bPuL\b|personuppgiftslagen|direktivet gdpr",
        "law.md 8.1",
        "the law is dataskyddsförordningen (GDPR)",
    ),
    Ban(
        "stiff",
        _W,
        r"\bbäste kund|\bni har\b|\ber begäran\b",
        "law.md 8.2",
        "write to a person: 'du', never 'Ni' or 'Bäste kund'",
    ),
    Ban("sorry_chain", _W, r"tyvärr.*tyvärr", "law.md 8.2", "say it once"),
)

# Asking for these is never allowed; saying "do not send" is (law.md 5.5, 5.6, B-14).
IDENTITY_PAPERS: Final = (
    r"legitimation|id-handling|id-kort|(?:ditt|av|på) pass\b|körkort|personnummer|födelsedatum|passport"
    r"|identity (?:card|document)"
    r"|driving licen[cs]e|personal (?:identity )?number|date of birth|cpr-nummer|fødselsnummer|henkilötunnus"
    r"|henkilöllisyystodistu|ausweis|personennummer"
)
NEGATION: Final = r"\b(?:inte|inga|inget|ingen|aldrig|not|no|never|ikke|ingen|älä|äläkä|kein|keine|keinen|nicht)\b"

# Letters that go to someone whose identity is not proven: no fact about what is held may stand in them.
BEFORE_IDENTITY: Final = frozenset(
    {"receipt", "identity", "code", "clarification", "representative", "cannot_identify", "breach_thanks", "ordinary"}
)
HELD_FACTS: Final = (
    r"\b\w{2,40}(?:gatan|vägen|gränden|torget|stigen|allén)\s+\d{1,4}\b|\b\d{1,4}\s+\w{2,40}\s+(?:street|road|avenue)\b"
    r"|(?<![\w-])(?:\+46|0)\d[\d -]{6,12}\d\b"
    r"|\b(?:order|kund|faktura|customer|invoice)\w*[- ]?(?:nr|nummer|number|no)?\.?:? ?\d{3,}"
)

CLOSINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sv": "hälsningar",
        "en": "regards|sincerely",
        "da": "hilsen",
        "no": "hilsen",
        "fi": "terveisin",
        "de": "grüße",
    }
)


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Words that tell the languages apart; Danish and Norwegian share theirs, for they are hard to tell in a short letter.
LANGUAGE_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "sv": _words("och att är inte från till ett har dig som för eller också"),
        "en": _words("the and to you we of is that your not have this with by"),
        "dano": _words("og ikke til av af er at vi deg dig fra som har for eller"),
        "fi": _words("ja on että meille sinulle tietoja ei jos tai olemme voit sen"),
        "de": _words("und die der sie wir nicht das ihre ist für von zu mit dass"),
    }
)
