"""Sample cases for every letter: what `inboxbot templates check` and the golden files run the templates with.

Invented people at example domains; nothing here is used in a real letter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inboxbot.config.model import CompanySettings
from inboxbot.replies.check import Finding, check_letter
from inboxbot.replies.check_rules import Weight
from inboxbot.replies.compose import reply_subject
from inboxbot.replies.facts import LetterFacts, Line, Period, Told, letter_facts
from inboxbot.replies.render import LETTERS, Letter, TemplateError, languages_of, render
from inboxbot.sorting.kinds import RIGHTS, Kind

RECEIVED_AT = dt.datetime(2026, 3, 5, 8, 12, tzinfo=dt.UTC)
ADDRESS = "anna.andersson@example.com"
FILE = "registerutdrag.zip"
_SERVER = {"host": "127.0.0.1", "security": "none"}

_TEXTS = {
    "sv": {
        "question": "Gäller det något av de år då du var kund hos oss?",
        "reason": "att uppgifterna behövs i en tvist om en leverans",
        "article": "17.3 e",
        "circumstances": "du begärde ersättning den 20 februari 2026, och ärendet pågår",
        "what_happened": "Ett utskick gick till dig fast du hade avregistrerat dig.",
        "what_we_do": "Adressen är borttagen ur listan, och importen är rättad.",
        "decided_by": "Eva Exempel, ansvarig för kundtjänst",
        "use": "statistik över köp",
        "point_to": "din bank",
        "fee": "vi besvarar den inte.",
        "consequence": "Din provkurs avslutas.",
        "outside": "anteckningar som vi själva har gjort.",
        "ready": "vi har inga inspelade samtal med dig.",
        "changes": "Efternamnet är ändrat från Anderson till Andersson.",
        "safeguards": "EU-kommissionens standardavtalsklausuler, som du kan få en kopia av.",
        "more_time": "att begäran gäller nio års köp i fyra system och att du har skickat tre begäranden",
        "no_recipients": "Uppgifterna har inte lämnats till någon annan.",
        "automated_logic": "en kreditprövning avgör om du får handla mot faktura.",
    },
    "en": {
        "question": "Does it concern any of the years in which you were our customer?",
        "reason": "that the data is needed in a dispute about a delivery",
        "article": "17(3)(e)",
        "circumstances": "you claimed compensation on 20 February 2026, and the matter is pending",
        "what_happened": "A mailing went to you although you had opted out.",
        "what_we_do": "The address has been removed from the list, and the import has been mended.",
        "decided_by": "Eva Exempel, head of customer service",
        "use": "statistics about purchases",
        "point_to": "your bank",
        "fee": "we do not act on it.",
        "consequence": "Your trial course ends.",
        "outside": "notes that we have made ourselves.",
        "ready": "we have no recorded calls with you.",
        "changes": "The surname has been changed from Anderson to Andersson.",
        "safeguards": "the standard contractual clauses of the EU, of which you can have a copy.",
        "more_time": "that the request concerns nine years of purchases in four systems and that you sent three",
        "no_recipients": "The data has not been given to anyone else.",
        "automated_logic": "a credit check decides whether you can buy on invoice.",
    },
}
_ROWS = {
    "sv": (
        Line("Webbutiken", "namn, adress och köp", "", "", None, "att leverera köp", "tre år efter senaste kontakt"),
        Line("Nyhetsbrevet", "e-postadress", "", "", None, "utskick", "tills du avregistrerar dig", "en tävling"),
        Line("Bokföringen", "fakturor", "", "bookkeeping", dt.date(2031, 12, 31)),
        "en pågående tvist om en leverans",
        "provkursen som du går och inte har avslutat",
        "uppgiften rör också en annan kund",
        "kunde inte nås",
    ),
    "en": (
        Line("Web shop", "name, address and purchases", "", "", None, "delivering orders", "three years"),
        Line("Newsletter", "e-mail address", "", "", None, "mailings", "until you opt out", "a competition"),
        Line("Bookkeeping", "invoices", "", "bookkeeping", dt.date(2031, 12, 31)),
        "a pending dispute about a delivery",
        "the trial course that you attend and have not ended",
        "the entry also concerns another customer",
        "could not be reached",
    ),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One letter of one sample case; ``label`` tells the cases of a letter apart."""

    template: str
    label: str
    facts: LetterFacts


def sample_company() -> CompanySettings:
    """Return a company with the least settings that run."""
    return CompanySettings.model_validate(
        {
            "name": "Exempel AB",
            "organisation_number": "556000-0001",
            "mailbox": [{"address": "kontakt@example.se", "promise_hours": 24, "imap": _SERVER, "smtp": _SERVER}],
        }
    )


def samples(language: str, company: CompanySettings | None = None) -> Iterator[Sample]:
    """Yield the sample cases of every letter that ships in ``language``, for ``company`` or the sample one."""
    base = _base(language, company or sample_company())
    for name in LETTERS:
        if language in languages_of(name):
            for label, facts in _cases(name, base):
                yield Sample(name, label, facts)


def sample_letter(sample: Sample, folder: Path | None = None) -> Letter:
    """Return the letter of a sample, as it would be shown to the approver."""
    letter = render(sample.template, sample.facts, folder=folder)
    return replace(letter, subject=reply_subject("", letter.subject, sample.facts.reference))


def check_sample(sample: Sample, folder: Path | None = None) -> tuple[Finding, ...]:
    """Return what the letter check finds in a sample; a template that cannot be rendered is a blocking finding."""
    try:
        letter = sample_letter(sample, folder)
    except TemplateError as error:
        return (Finding("template", Weight.BLOCKING, str(error), "promises.md E30-E37"),)
    files = (FILE,) if sample.facts.attachment else ()
    return check_letter(letter, sample.facts, to=ADDRESS, allowed_to=(ADDRESS,), attachments=files)


def _base(language: str, company: CompanySettings) -> LetterFacts:
    return letter_facts(
        company,
        company.mailbox[0],
        language=language,
        reference=f"{company.prefix}-2026-0001",
        received_at=RECEIVED_AT,
        kinds=(Kind.ACCESS,),
        address=ADDRESS,
        name="Anna",
        answer_by=dt.date(2026, 4, 7),
        texts=_TEXTS.get(language, _TEXTS["en"]),
    )


def _cases(name: str, base: LetterFacts) -> list[tuple[str, LetterFacts]]:
    if name == "receipt":
        return _receipts(base)
    shop, news, books, claim, course, withheld, unreached = _ROWS.get(base.language, _ROWS["en"])
    told = (
        Told("Frakt Exempel AB", purpose="frakt", told=True),
        Told("Mail Exempel Inc.", country="US", why=unreached),
    )
    kept = (
        books,
        replace(shop, ground="legal_claim", detail=claim),
        replace(news, ground="commitment", detail=course),
    )
    back = (replace(shop, detail=withheld),)
    file = replace(base, attachment=FILE, found=(shop, news), nothing=(books,), automated=False)
    of = {kind: _kinds(base, kind) for kind in Kind}
    opt_out, erase, correct = of[Kind.UNSUBSCRIBE], of[Kind.ERASURE], of[Kind.RECTIFICATION]
    move, freeze, against = replace(file, kinds=("portability",)), of[Kind.RESTRICTION], of[Kind.OBJECTION]
    slow = {**base.texts, "reason": base.texts["more_time"]}
    later = replace(base, extended_to=dt.date(2026, 6, 5), texts=slow)
    both = replace(erase, kinds=("erasure", "unsubscribe"), backups_until=dt.date(2026, 6, 30))
    details = (Line("namn", "namn"), Line("köp", "köp")) if base.language == "sv" else (Line("name", "name"),)
    doubts = ("sender_not_verified", "address_not_on_file", "reply_to_differs")
    rows = {
        "unsubscribe": [("entered", opt_out), ("done", replace(opt_out, marketing_done=True))],
        "ordinary": [("plain", replace(of[Kind.OTHER], answer_by=None))],
        "breach_thanks": [("plain", replace(of[Kind.COMPLAINT], breach=True))],
        "identity": [(doubt, replace(base, identity="ask", identity_reason=doubt)) for doubt in doubts],
        "access": [
            ("granted", file),
            ("encrypted", replace(file, encrypted=True, recipients=told, transfers=True, automated=True)),
            ("withheld", replace(file, kept=back, categories=details)),
            ("periods_of_the_policy", replace(file, periods=(Period(shop.holds, shop.retention),))),
        ],
        "portability": [("granted", _without(move, "outside")), ("withheld", replace(move, kept=back))],
        "rectification": [
            ("granted", replace(correct, corrected=(shop, news))),
            ("partly", replace(correct, corrected=(shop,), kept=back, recipients=told)),
        ],
        "erasure": [
            ("granted", replace(erase, erased=(shop, news), recipients=told)),
            ("with_opt_out", replace(both, erased=(shop,), nothing=(news,))),
        ],
        "erasure_partial": [
            ("partly", replace(erase, erased=(shop, news), kept=(books,))),
            ("all_grounds", replace(erase, erased=(shop,), kept=kept, recipients=told)),
            ("nothing_erased", replace(erase, kept=(books,))),
        ],
        "extension": [("plain", _without(later, "ready")), ("partly_ready", later)],
        "no_data": [("plain", replace(base, nothing=(shop, news)))],
        "restriction": [
            ("granted", replace(freeze, stopped=(shop, news))),
            ("partly", replace(freeze, stopped=(news,), kept=back, recipients=told)),
        ],
        "objection": [("upheld", replace(against, stopped=(news,)))],
        "objection_refused": [("refused", against), ("partly", replace(against, stopped=(news,)))],
        "consent_withdrawn": [("plain", replace(opt_out, erased=(news,)))],
        "complaint": [("plain", of[Kind.COMPLAINT])],
    }
    return rows.get(name, [("plain", base)])


def _receipts(base: LetterFacts) -> list[tuple[str, LetterFacts]]:
    single = [(kind.value, _kinds(base, kind)) for kind in RIGHTS]
    own = replace(base, policy_url="https://www.example.se/integritet", privacy_contact="Eva Exempel")
    own = replace(own, retention_from="last_contact", retention_years=3)
    asks = replace(base, identity="ask", identity_reason="sender_not_verified")
    return [
        *single,
        ("several", _kinds(base, Kind.ACCESS, Kind.ERASURE, Kind.UNSUBSCRIBE, Kind.COMPLAINT)),
        ("identity", asks),
        ("reminder", replace(asks, reminder=True, name="")),
        ("on_behalf", replace(_kinds(base, Kind.ERASURE), representative=True)),
        ("own_policy", own),
    ]


def _kinds(base: LetterFacts, *kinds: Kind) -> LetterFacts:
    return replace(base, kinds=tuple(kind.value for kind in kinds))


def _without(base: LetterFacts, *names: str) -> LetterFacts:
    return replace(base, texts={key: value for key, value in base.texts.items() if key not in names})
