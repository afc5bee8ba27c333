"""What each letter must say, as tables: the parts, their words by language, and where the rule comes from.

A pattern may name fields of `LetterFacts` in braces; their values are escaped before matching, dates written out in the
letter's language. Patterns are matched without regard to letter case, on text whose line breaks are single spaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """Something a letter must hold. ``patterns`` by language; ``*`` is for all. All of them must match."""

    source: str
    message: str
    patterns: Mapping[str, tuple[str, ...]]


def _part(source: str, message: str, **patterns: str | tuple[str, ...]) -> Part:
    named = {
        "*" if key == "every" else key: (value,) if isinstance(value, str) else value for key, value in patterns.items()
    }
    return Part(source, message, MappingProxyType(named))


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "reference": _part("law.md 2.2", "the case reference is missing", every=r"{reference}"),
        "company": _part(
            "law.md 2.2",
            "the company's name or organisation number is missing",
            every=(r"{company}", r"{organisation_number}"),
        ),
        "contact": _part("law.md 2.2", "the company's contact address is missing", every=r"{contact}"),
        "received": _part("law.md T1", "the day the mail was received is missing", every=r"{received_on}"),
        "answer_by": _part("law.md T1", "the last day to answer is missing", every=r"{answer_by}"),
        "reply_by": _part("law.md T1", "the day of the answer is missing", every=r"{reply_by}"),
        "extended_to": _part("Art. 12(3) GDPR, law.md T9", "the new last day is missing", every=r"{extended_to}"),
        "object": _part(
            "Art. 21(4) GDPR, law.md 2.5",
            "the right to object to direct marketing is not shown",
            sv=r"rätt att .{0,30}invända mot .{0,60}direkt marknadsföring",
            en=r"right to object .{0,60}direct marketing",
            da=r"gøre indsigelse .{0,60}direkte markedsføring",
            no=r"rett til å protestere .{0,60}direkte markedsføring",
            fi=r"vastustaa .{0,60}suoramarkkinointiin",
            de=r"direktwerbung .{0,30}widersprechen",
        ),
        "notice": _part(
            "Art. 13 GDPR, law.md 2.5",
            "why the mail is used, and how long, is not said",
            sv=r"artikel 6\.1 [cf]",
            en=r"article 6\(1\)\([cf]\)",
            da=r"artikel 6, stk\. 1",
            no=r"artikkel 6 nr\. 1",
            fi=r"6 artiklan 1 kohdan",
            de=r"artikel 6 absatz 1",
        ),
        "authority": _part(
            "Art. 12(4), 15(1)(f), 77 GDPR",
            "the supervisory authority is not named",
            every=r"{authority_short}",
            sv=r"klagomål",
            en=r"complaint",
        ),
        "authority_contact": _part(
            "law.md T8",
            "how to reach the supervisory authority is missing",
            every=(r"{authority_email}", r"{authority_web}"),
        ),
        "remedy": _part(
            "Art. 12(4), 79 GDPR",
            "the right to a judicial remedy is missing",
            sv=r"rättslig prövning",
            en=r"judicial remedy",
        ),
        "article": _part(
            "law.md T8",
            "no article is named for the reason",
            sv=r"artikel \d+",
            en=r"articles? \d+",
        ),
        "reason": _part(
            "Art. 12(4) GDPR",
            "the reason is missing",
            sv=r"\b(skälet är|eftersom|därför att) \S",
            en=r"\b(the reason is|because|since) \S",
        ),
        "circumstances": _part(
            "law.md T8, T11",
            "the facts the decision rests on are missing",
            sv=r"(utgått från|grundar vi på följande): \S",
            en=r"(rely on|base that on this): \S",
        ),
        "decision": _part(
            "Art. 12(3) GDPR",
            "it does not say what was decided",
            sv=r"\bbeslutat\b|\bhar raderat\b",
            en=r"\bdecided\b|\bhave erased\b",
        ),
        "doubt": _part(
            "Art. 12(6) GDPR, law.md T2",
            "why there is doubt about who wrote is missing",
            sv=r"fel person.{0,200}(känner inte igen adressen|till en annan adress|visar inte säkert)",
            en=r"wrong person.{0,200}(do not recognise the address|to another address|does not reliably show)",
        ),
        "least_data": _part(
            "law.md T2, 5.5",
            "that no identity papers and no personal number are wanted is missing",
            sv=r"inte kopia på legitimation och in(te|ga)",
            en=r"not send a copy of an identity document",
        ),
        "only_for_check": _part(
            "law.md T2",
            "that the answer is used only for the check is missing",
            sv=r"bara till kontrollen",
            en=r"only for this check",
        ),
        "no_answer": _part(
            "law.md T2",
            "what happens without an answer is missing",
            sv=r"{identity_by}",
            en=r"{identity_by}",
        ),
        "erased": _part(
            "law.md T6",
            "what was erased, and when, is missing",
            sv=r"raderat .{0,120}({today})",
            en=r"erased .{0,120}({today})|({today}), this has been erased",
        ),
        "only_kept": _part(
            "law.md T7",
            "that kept data is used for nothing else is missing",
            sv=r"används inte till något annat",
            en=r"not used for anything else",
        ),
        "case_kept": _part(
            "law.md T6, T10",
            "that this case itself is kept is missing",
            sv=r"sparar är det här ärendet|i ärendet finns",
            en=r"keep is this case|the case holds",
        ),
        "confirmation": _part(
            "Art. 15(1) GDPR",
            "the confirmation whether data is processed is missing",
            sv=r"\bja, vi behandlar personuppgifter om dig",
            en=r"\byes, we process personal data about you",
        ),
        "copy": _part(
            "Art. 15(3), 20 GDPR",
            "the file with the data is not named",
            every=r"{attachment}",
        ),
        "purposes": _part("Art. 15(1)(a) GDPR", "the purposes are missing", sv=r"ändamål: \S", en=r"purpose: \S"),
        "categories": _part(
            "Art. 15(1)(b) GDPR",
            "the categories of data are missing",
            sv=r"kategorier av uppgifter: \S",
            en=r"categories of data: \S",
        ),
        "recipients": _part(
            "Art. 15(1)(c) GDPR",
            "the recipients are missing",
            sv=r"mottagare av uppgifterna: \S",
            en=r"recipients of the data: \S",
        ),
        "storage": _part(
            "Art. 15(1)(d) GDPR", "the storage period is missing", sv=r"lagringstid: \S", en=r"storage period: \S"
        ),
        "rights": _part(
            "Art. 15(1)(e) GDPR",
            "the rights to rectification, erasure, restriction and objection are missing",
            sv=r"rättelse .{0,20}radering .{0,40}begränsning .{0,60}invända",
            en=r"rectification .{0,20}erasure .{0,40}restriction .{0,60}object",
        ),
        "source": _part(
            "Art. 15(1)(g) GDPR",
            "the source of the data is missing",
            sv=r"varifrån uppgifterna kommer: \S",
            en=r"source of the data: \S",
        ),
        "automated": _part(
            "Art. 15(1)(h) GDPR",
            "automated decisions are not mentioned",
            sv=r"automatiserade beslut",
            en=r"automated decisions",
        ),
        "searched": _part(
            "law.md T10",
            "what was searched, and with what, is missing",
            sv=r"sökt i \S.{0,200} med adressen {address}",
            en=r"searched \S.{0,200} for the address {address}",
        ),
        "apart_from_case": _part(
            "law.md T10",
            "that this case itself is data is missing",
            sv=r"utöver detta ärende",
            en=r"apart from this case",
        ),
        "try_again": _part(
            "law.md T10",
            "that other identifiers can be given is missing",
            sv=r"söker vi igen",
            en=r"search again",
        ),
        "stopped_on": _part(
            "Art. 21(3) GDPR, law.md T12",
            "from which day marketing stops is missing",
            every=r"{today}",
        ),
        "channels": _part(
            "law.md T12",
            "which channels the opt-out covers is missing",
            sv=r"e-post, sms, telefon",
            en=r"e-mail, text messages",
            da=r"mail, sms",
            no=r"e-post, sms",
            fi=r"sähköpostia, tekstiviestejä",
            de=r"e-mail, sms",
        ),
        "suppression": _part(
            "law.md 7, T12",
            "that the opt-out is kept in a suppression list is missing",
            sv=r"spärrlista",
            en=r"suppression list",
            da=r"spærreliste",
            no=r"sperreliste",
            fi=r"estolistalla",
            de=r"sperrliste",
        ),
        "earlier_lawful": _part(
            "Art. 7(3) GDPR",
            "that earlier processing stays lawful is missing",
            sv=r"innan du återkallade .{0,40}tillåtet",
            en=r"before you withdrew .{0,20}lawful",
        ),
        "four_uses": _part(
            "Art. 18(2) GDPR",
            "what restricted data may still be used for is missing",
            sv=r"samtycker.{0,40}rättsliga anspråk.{0,60}rättigheter.{0,60}allmänintresse",
            en=r"consent.{0,40}legal claims.{0,60}rights.{0,60}public interest",
        ),
        "before_lifting": _part(
            "Art. 18(3) GDPR",
            "that the person is told before the restriction is lifted is missing",
            sv=r"meddelar dig innan begränsningen upphör",
            en=r"tell you before the restriction is lifted",
        ),
        "weighing": _part(
            "Art. 21(1) GDPR",
            "the weighing against the person's interests is missing",
            sv=r"väger tyngre",
            en=r"overrides",
        ),
        "format": _part(
            "Art. 20(1) GDPR",
            "the format is not named",
            sv=r"maskinläsbart format",
            en=r"machine-readable format",
        ),
        "happened": _part("law.md T17", "what happened is missing", sv=r"har hänt: \S", en=r"what happened: \S"),
        "measures": _part("law.md T17", "what is done is missing", sv=r"det vi gör: \S", en=r"what we do: \S"),
        "decided_by": _part("law.md T17", "who decided is missing", sv=r"fattat av \S", en=r"made by \S"),
        "mandate": _part(
            "law.md T18", "the power of attorney is not asked for", sv=r"fullmakt", en=r"power of attorney"
        ),
        "what_helps": _part("law.md T19", "what would help is missing", sv=r"skulle hjälpa", en=r"would help"),
        "everything": _part(
            "recital 63 GDPR, law.md T3",
            "that all is a permitted answer is missing",
            sv=r"vill ha allt",
            en=r"want everything",
        ),
        "withdrawable": _part(
            "law.md T11", "the chance to withdraw first is missing", sv=r"ta tillbaka", en=r"withdraw the request"
        ),
        "changed": _part(
            "Art. 16 GDPR, law.md T5",
            "what was changed is missing",
            sv=r"har rättat .{0,30}: \S",
            en=r"have corrected .{0,30}: \S",
        ),
        "recipients_told": _part(
            "Art. 19 GDPR",
            "whether recipients were told, or that they can be named, is missing",
            sv=r"underrättat|underrättats|vilka som har fått uppgifterna",
            en=r"\btold\b|who has had the data",
        ),
        "code_limit": _part("law.md 6.1", "how long the code is valid is missing", sv=r"72 timmar", en=r"72 hours"),
        "delete_it": _part(
            "law.md 6.3", "the plea to delete others' data is missing", sv=r"radera dem", en=r"delete it"
        ),
    }
)

ALWAYS: Final = ("reference", "company", "contact")
_REFUSED = ("authority", "authority_contact", "remedy")

# law.md 2.2-2.4: which parts each letter must hold, beside ALWAYS and the signature.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "receipt": ("received", "answer_by", "notice"),
        "unsubscribe": ("stopped_on", "channels", "suppression", "notice"),
        "ordinary": ("received", "reply_by", "object", "notice"),
        "breach_thanks": ("received", "answer_by", "delete_it", "authority", "object", "notice"),
        "identity": ("doubt", "least_data", "only_for_check", "no_answer"),
        "code": ("code_limit",),
        "clarification": ("received", "everything"),
        "access": (
            "confirmation",
            "copy",
            "purposes",
            "categories",
            "recipients",
            "storage",
            "rights",
            "authority",
            "authority_contact",
            "source",
            "automated",
            "object",
        ),
        "rectification": ("changed", "recipients_told", "authority"),
        "erasure": ("erased", "recipients_told", "case_kept", "authority"),
        "erasure_partial": ("decision", "only_kept", "recipients_told", *_REFUSED),
        "refusal": ("decision", "reason", "article", "circumstances", *_REFUSED),
        "extension": ("reason", "article", "extended_to", "authority"),
        "no_data": ("searched", "apart_from_case", "case_kept", "try_again", *_REFUSED),
        "excessive": ("decision", "reason", "article", "circumstances", "withdrawable", *_REFUSED),
        "consent_withdrawn": ("stopped_on", "earlier_lawful", "article"),
        "restriction": ("reason", "stopped_on", "four_uses", "before_lifting", "recipients_told", "article"),
        "objection": ("stopped_on", "article"),
        "objection_refused": ("decision", "reason", "weighing", "article", "circumstances", *_REFUSED),
        "portability": ("copy", "format", "authority"),
        "complaint": ("happened", "measures", "decided_by", *_REFUSED),
        "representative": ("mandate", "least_data"),
        "cannot_identify": ("decision", "reason", "article", "what_helps", *_REFUSED),
        "not_for_us": ("received", "notice"),
    }
)

# What the receipt must show for each kind it covers: that it was understood (one mail can hold several requests).
KIND_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "access": {"*": r"(?:article|artik+el) 15\b|\b15 artikla"},
        "erasure": {"*": r"(?:article|artik+el) 17\b|\b17 artikla"},
        "rectification": {"*": r"(?:article|artik+el) 16\b|\b16 artikla"},
        "portability": {"*": r"(?:article|artik+el) 20\b|\b20 artikla"},
        "objection": {"*": r"(?:article|artik+el) 21\b|\b21 artikla"},
        "restriction": {"*": r"(?:article|artik+el) 18\b|\b18 artikla"},
        "unsubscribe": {
            "sv": "reklam",
            "en": "marketing",
            "da": "reklame",
            "no": "reklame",
            "fi": "mainontaa",
            "de": "werbung",
        },
        "complaint": {
            "sv": "inte nöjd med hur",
            "en": "not satisfied with how",
            "da": "ikke tilfreds med",
            "no": "ikke fornøyd med",
            "fi": "et ole tyytyväinen",
            "de": "nicht zufrieden",
        },
    }
)
