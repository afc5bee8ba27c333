"""The letter check: run before a letter is shown and again before it is approved.

A blocking finding stops the approval; a warning is shown beside the letter. Each names its rule and the rule's source.
The check reads the words as they stand, edited or not, and knows the facts of the case they have to agree with.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from inboxbot.cases.legal_date import written_date
from inboxbot.cases.personal_numbers import has_personal_number
from inboxbot.replies.check_parts import ALWAYS, KIND_WORDS, PARTS, REQUIRED
from inboxbot.replies.check_rules import (
    BANS,
    BEFORE_IDENTITY,
    CLOSINGS,
    HELD_FACTS,
    IDENTITY_PAPERS,
    LANGUAGE_WORDS,
    NEGATION,
    Weight,
)
from inboxbot.replies.facts import CODE_MARK, DATE_MARK, LetterFacts, clean_line, clean_text
from inboxbot.replies.render import Letter

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"(?:https?://|www\.)[^\s,;)]+", re.IGNORECASE)
_REFUSALS = frozenset({"refusal", "erasure_partial", "excessive", "objection_refused", "cannot_identify"})
_HANDS_OUT = frozenset({"access", "portability"})
# What a letter tells of each system it was done in: the lines, what is wrong when one is missing, and the source.
_TOLD_OF_EACH = {
    "access": (("found", "a system with the person's data is not named", "Art. 15(1) GDPR"),),
    "erasure": (("erased", "what was erased is not complete", "law.md T6"),),
    "erasure_partial": (("erased", "what was erased is not complete", "law.md T7"),),
    "consent_withdrawn": (("erased", "what was erased is not complete", "law.md T13"),),
    "restriction": (("stopped", "what is restricted is not complete", "law.md T14"),),
}
_HOLDS_BACK = frozenset({"access", "portability", "rectification", "restriction"})
_OVERVIEW = re.compile(r"läsbar översikt|readable overview", re.IGNORECASE)
_DONE = re.compile(
    r"avslutat alla utskick|have ended all|stoppet alle|lopettaneet kaikkien|alle newsletter.{0,60}beendet",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the check found. ``excerpt`` is at most 80 characters of the letter, or all of its gaps."""

    rule: str
    weight: Weight
    message: str
    source: str
    excerpt: str = ""


def check_letter(
    letter: Letter,
    facts: LetterFacts,
    *,
    to: str,
    allowed_to: Sequence[str],
    attachments: Sequence[str] | None = None,
    today: dt.date | None = None,
    notice_by: dt.date | None = None,
) -> tuple[Finding, ...]:
    """Return what is wrong with a letter, blocking findings first.

    ``to`` is where it would go and ``allowed_to`` where it may (the requester's address; for a one-time code or a
    disclosure the address on file). ``attachments`` are the names of the files that go with it, None when that is not
    known yet. ``today`` and ``notice_by`` (the ordinary legal date) let it warn of a late refusal or extension.
    """
    text = " ".join(letter.body.split())
    found = [
        *_missing(letter, facts, text),
        *_signature(letter),
        *_banned(letter, text),
        *_identity_papers(text),
        *_others_data(letter, facts, text, to),
        *_agrees_with_case(letter, facts, text, attachments),
        *_language(letter, facts),
        *_late(letter, today, notice_by),
    ]
    if to.lower() not in {one.lower() for one in allowed_to}:
        found.append(
            Finding(
                "recipient", Weight.BLOCKING, "this is not the address the letter may go to", "law.md A-11", to[:80]
            )
        )
    if facts.reference not in letter.subject:
        found.append(Finding("subject", Weight.WARNING, "the case reference is not in the subject", "law.md 2.2"))
    return tuple(sorted(found, key=lambda one: one.weight is not Weight.BLOCKING))


def required_parts(letter: Letter, facts: LetterFacts) -> tuple[str, ...]:
    """Return the names of the parts that this letter of this case must hold, in the order they are checked."""
    wanted = [*ALWAYS, *REQUIRED.get(letter.template, ())]
    if letter.template == "receipt" and "unsubscribe" not in facts.kinds:
        wanted.append("object")
    if letter.template == "receipt" and "unsubscribe" in facts.kinds:
        wanted += ["stopped_on", "suppression"]
    if letter.template == "receipt" and "complaint" in facts.kinds:
        wanted.append("authority")
    if letter.template == "receipt" and facts.identity == "ask":
        wanted += ["doubt", "least_data", "only_for_check", "no_answer"]
    if letter.template in ("access", "portability", "rectification", "restriction") and facts.kept:
        wanted += ["remedy", "authority_contact"]
    if letter.template == "erasure_partial" and facts.erased:
        wanted.append("erased")
    return tuple(dict.fromkeys(wanted))


def part_patterns(name: str, letter: Letter, facts: LetterFacts) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a part for this letter; none when the part has no words in this language or case."""
    patterns = (*PARTS[name].patterns.get("*", ()), *PARTS[name].patterns.get(letter.language, ()))
    filled = [_filled(pattern, letter, facts) for pattern in patterns]
    return tuple(_compiled(pattern) for pattern in filled if pattern)


def _missing(letter: Letter, facts: LetterFacts, text: str) -> Iterator[Finding]:
    for name in required_parts(letter, facts):
        if not all(pattern.search(text) for pattern in part_patterns(name, letter, facts)):
            part = PARTS[name]
            yield Finding(f"missing_{name}", Weight.BLOCKING, part.message, part.source)
    if letter.template != "receipt":
        return
    for kind in facts.kinds:
        words = KIND_WORDS.get(kind, {})
        pattern = words.get("*") or words.get(letter.language)
        if pattern and not _compiled(pattern).search(text):
            yield Finding(
                f"missing_kind_{kind}",
                Weight.BLOCKING,
                f"the mail also asks for {kind}; the letter does not say so",
                "law.md 2.1",
            )


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_FIELD = re.compile(r"\{([a-z_]+)\}")
_FIELDS = frozenset(one.name for one in fields(LetterFacts))


def _filled(pattern: str, letter: Letter, facts: LetterFacts) -> str:
    """Return the pattern with the case's values in it, or "" when the case has no such value."""
    for name in dict.fromkeys(_FIELD.findall(pattern)):
        if name == "today":
            months = r"\d{1,2}\.? [^\W\d]+ 20\d\d"
            pattern = pattern.replace("{today}", f"(?:{re.escape(DATE_MARK)}|{months})")
            continue
        value = getattr(facts, name) if name in _FIELDS else None
        if value is None or not value:
            return ""
        words = written_date(value, letter.language) if isinstance(value, dt.date) else " ".join(str(value).split())
        pattern = pattern.replace(f"{{{name}}}", re.escape(words))
    return pattern


def _signature(letter: Letter) -> Iterator[Finding]:
    closing = CLOSINGS.get(letter.language, CLOSINGS["en"])
    if not re.search(rf"(?:{closing})[,.]?[ \t]*\n[ \t]*\S", letter.body, re.IGNORECASE):
        yield Finding("missing_signature", Weight.BLOCKING, "no person's name stands under the letter", "law.md 2.2")


def _banned(letter: Letter, text: str) -> Iterator[Finding]:
    for ban in BANS:
        if (ban.only and letter.template not in ban.only) or letter.template in ban.never:
            continue
        hit = _compiled(ban.pattern).search(text) or _compiled(ban.pattern).search(letter.subject)
        if hit and not (ban.rule == "question" and hit.string is letter.subject):
            excerpt = gaps(f"{letter.subject}\n{text}") if ban.rule == "placeholder" else hit.group()[:80]
            yield Finding(ban.rule, ban.weight, ban.message, ban.source, excerpt)
    if letter.template == "code" and text.count(CODE_MARK) != 1 and not re.search(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b", text):
        yield Finding("missing_code", Weight.BLOCKING, "the place of the code is missing", "law.md 6.1")


def gaps(text: str) -> str:
    """Return every place of a letter that is still to be filled in, each once, in the order they stand."""
    pattern = next(ban.pattern for ban in BANS if ban.rule == "placeholder")
    return ", ".join(dict.fromkeys(hit.group() for hit in _compiled(pattern).finditer(text)))


def _identity_papers(text: str) -> Iterator[Finding]:
    for sentence in re.split(r"[.!?:](?:\s|$)", text):
        hit = _compiled(IDENTITY_PAPERS).search(sentence)
        if hit and not _compiled(NEGATION).search(sentence):
            yield Finding(
                "identity_papers",
                Weight.BLOCKING,
                "identity papers and personal numbers are never asked for",
                "law.md 5.5, 5.6",
                sentence.strip()[:80],
            )


def _others_data(letter: Letter, facts: LetterFacts, text: str, to: str) -> Iterator[Finding]:
    # a sole trader's organisation number is a personal number, and has to stand in every letter
    if has_personal_number(text.replace(facts.organisation_number, " ")) or has_personal_number(letter.subject):
        yield Finding("personal_number", Weight.BLOCKING, "a personal number stands in the letter", "law.md 5.5")
    own = {facts.contact, facts.authority_email, facts.address, facts.privacy_contact, to}
    known = {address.lower() for one in own for address in _ADDRESS.findall(one)}
    for address in _ADDRESS.findall(text):
        if address.lower().strip(".") not in known:
            yield Finding(
                "foreign_address",
                Weight.BLOCKING,
                "someone else's mail address stands in it",
                "law.md 6.3",
                address[:80],
            )
    links = {one.rstrip("./").lower() for one in (facts.policy_url, facts.authority_web)}
    for link in _LINK.findall(text):
        if link.rstrip("./").lower() not in links:
            yield Finding(
                "link", Weight.WARNING, "a link that is not in the settings stands in it", "promises.md E38", link[:80]
            )
    if letter.template in BEFORE_IDENTITY:
        plain = text
        for ours in (facts.reference, facts.organisation_number, facts.authority_post, facts.privacy_contact):
            plain = plain.replace(ours, " ") if ours else plain
        hit = _compiled(HELD_FACTS).search(plain)
        if hit:
            yield Finding(
                "held_fact",
                Weight.BLOCKING,
                "nothing that is on file may be shown before identity is proven",
                "law.md T1, T2",
                hit.group()[:80],
            )


def _agrees_with_case(
    letter: Letter, facts: LetterFacts, text: str, attachments: Sequence[str] | None
) -> Iterator[Finding]:
    for line in facts.kept if letter.template == "erasure_partial" else ():
        if line.until and written_date(line.until, letter.language) not in text:
            yield Finding(
                "missing_until", Weight.BLOCKING, "until when something is kept is missing", "law.md T7", line.system
            )
        law = {
            "bookkeeping": "1999:1078",
            "legal_duty": line.detail,
            "commitment": line.detail,
            "legal_claim": line.detail,
        }
        named = " ".join(law.get(line.ground, "").split())
        if named and named not in text:
            yield Finding(
                "missing_ground", Weight.BLOCKING, "why something is kept is missing", "law.md T7", line.system
            )
    yield from _names_every_line(letter, facts, text)
    for one in facts.recipients if letter.template == "access" else ():
        if one.name not in text:
            yield Finding(
                "missing_recipient", Weight.BLOCKING, "a recipient is not named", "Art. 15(1)(c) GDPR", one.name
            )
    if not facts.marketing_done and _DONE.search(text):
        yield Finding(
            "not_done_yet",
            Weight.BLOCKING,
            "it says that mailings have ended, but not every system has been ticked",
            "issue 4, law.md T12",
        )
    if attachments is not None and letter.template in _HANDS_OUT:
        shown = [name for name in attachments if " ".join(name.split()) in text]
        if not shown or (facts.attachment and facts.attachment not in shown):
            yield Finding(
                "missing_file",
                Weight.BLOCKING,
                "the file with the data is not attached, or not named",
                "Art. 15(3), 20 GDPR",
            )
        elif len(attachments) == 1 and not attachments[0].lower().endswith(".zip") and _OVERVIEW.search(text):
            yield Finding(
                "overview",
                Weight.WARNING,
                "it speaks of a readable overview, but one file is attached: see that both are in it",
                "law.md B-08",
            )


def _names_every_line(letter: Letter, facts: LetterFacts, text: str) -> Iterator[Finding]:
    """See that what was done, and what was held back and why, is told of every system it was done in."""
    done = {"erased": facts.erased, "found": facts.found, "stopped": facts.stopped}
    for name, what, source in _TOLD_OF_EACH.get(letter.template, ()):
        for line in done[name]:
            if line.system not in text:
                yield Finding("missing_system", Weight.BLOCKING, what, source, line.system)
    for line in facts.kept if letter.template in _HOLDS_BACK else ():
        if line.system not in text or clean_line(line.detail) not in text:
            what = "what is held back, and why, is not complete"
            yield Finding("missing_held_back", Weight.BLOCKING, what, "Art. 12(4) GDPR", line.system)
    outside = " ".join(clean_text(facts.texts.get("outside", "")).split())
    if letter.template == "portability" and outside not in text:
        yield Finding("missing_outside", Weight.BLOCKING, "what falls outside is missing", "law.md T16", outside[:80])


def _language(letter: Letter, facts: LetterFacts) -> Iterator[Finding]:
    wanted = "dano" if facts.language in ("da", "no") else facts.language
    words = re.findall(r"[^\W\d_]+", letter.body.casefold())
    counts = {language: sum(word in listed for word in words) for language, listed in LANGUAGE_WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    if len(words) >= 15 and best != wanted and counts[best] > 2 * counts.get(wanted, 0):
        yield Finding("wrong_language", Weight.BLOCKING, f"the letter is not written in {facts.language}", "law.md 2.1")


def _late(letter: Letter, today: dt.date | None, notice_by: dt.date | None) -> Iterator[Finding]:
    if today is None or notice_by is None or today <= notice_by:
        return
    if letter.template == "extension":
        yield Finding(
            "late_extension", Weight.BLOCKING, "late: an extension is valid only inside month one", "Art. 12(3) GDPR"
        )
    elif letter.template in _REFUSALS:
        yield Finding("late_refusal", Weight.WARNING, "a refusal had to go out inside month one", "Art. 12(4) GDPR")
