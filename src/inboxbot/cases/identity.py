"""The identity ladder: what proves that the person who asks is the one the data is about (law.md section 6).

Levels L0 to L4 are reached by evidence; each kind needs one level to act and one to disclose. The step that is proposed
is the least intrusive one that is enough. Copies of identity papers and personal numbers are never a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from inboxbot.cases.authentication import authenticated
from inboxbot.cases.codes import CodeAnswer, StoredCode, check_code, code_in, hash_code, make_code
from inboxbot.cases.personal_numbers import has_personal_number, mask_personal_numbers
from inboxbot.sorting.kinds import Kind

__all__ = [
    "CodeAnswer", "Doubt", "Evidence", "IdentityStep", "Level", "Need", "StoredCode", "authenticated", "check_code",
    "code_in", "disclosure_faults", "doubts", "first_answer_identity", "folded", "has_personal_number", "hash_code",
    "looks_shared", "make_code", "mask_personal_numbers", "needed_level", "propose_step", "reached_level",
    "resembles",
]  # fmt: skip


class Level(IntEnum):
    """How well it is proved who writes."""

    L0 = 0  # a mail with some From address
    L1 = 1  # the domain allowed the mail
    L2 = 2  # and From is exactly one address on file
    L3 = 3  # somebody who can read the known mailbox, or knows two facts only the customer and the company know
    L4 = 4  # logged-in account, code in a letter, personal visit


class Doubt(StrEnum):
    """Coded reasons for doubting who writes; one is recorded before a question may be put (Art. 12(6))."""

    SENDER_NOT_VERIFIED = "sender_not_verified"
    CHECK_FAILED = "check_failed"
    ADDRESS_NOT_ON_FILE = "address_not_on_file"
    SHARED_ADDRESS = "shared_address"
    ADDRESS_CHANGED = "address_changed_recently"
    REPLY_TO_DIFFERS = "reply_to_differs"
    NAME_LOOKS_LIKE_ADDRESS = "name_looks_like_address"
    LOOKALIKE = "lookalike"
    ON_BEHALF = "on_behalf"


class IdentityStep(StrEnum):
    """What to do next about identity, from the least intrusive."""

    NONE = "none"
    LOOK_UP = "look_up_the_address"
    ANSWER_FROM_KNOWN = "answer_from_known_address"
    CODE = "code_to_address_on_file"
    TWO_FACTS = "two_facts"
    MANDATE = "power_of_attorney"
    STRONG = "letter_or_login"


@dataclass(frozen=True, slots=True)
class Need:
    """The level a kind needs to act, and to disclose or confirm facts."""

    act: Level
    disclose: Level


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about who writes. ``authenticated`` is None when no trusted check was made (unknown, no fail).

    ``looked_up``: staff looked for the person; ``address_on_file`` is what they found. ``trivial``: nothing is held but
    a name and an address of a newsletter. ``other_person``: the mail speaks of a relative or a child, which may be for
    whom it asks, or not. The rest are flags of the mail and facts recorded by staff.
    """

    from_address: str = ""
    authenticated: bool | None = None
    looked_up: bool = False
    address_on_file: str | None = None
    shared_address: bool = False
    address_changed_recently: bool = False
    reply_to_differs: bool = False
    name_looks_like_address: bool = False
    lookalike: bool = False
    on_behalf: bool = False
    other_person: bool = False
    mandate_checked: bool = False
    code_confirmed: bool = False
    facts_confirmed: bool = False
    strong: bool = False
    trivial: bool = False

    @property
    def from_known_address(self) -> bool:
        """Whether From is the address on file (letter case aside, no guessing of dots or plus tags)."""
        return bool(self.address_on_file) and self.from_address.lower() == str(self.address_on_file).lower()


def needed_level(
    kind: Kind, *, contact_or_payment: bool = False, newsletter_only: bool = False, sensitive: bool = False
) -> Need:
    """Return what a kind needs (law.md 6.2).

    ``contact_or_payment``: the rectification is of such data (it can take an account over); ``newsletter_only``:
    nothing but a subscription is erased; ``sensitive``: health, payment or the like is disclosed.
    """
    if kind is Kind.UNSUBSCRIBE:
        return Need(Level.L0, Level.L0)
    if kind in (Kind.COMPLAINT, Kind.OTHER):
        return Need(Level.L0, Level.L3)
    if kind is Kind.RECTIFICATION:
        return Need(Level.L3, Level.L3) if contact_or_payment else Need(Level.L2, Level.L2)
    if kind is Kind.ERASURE:
        return Need(Level.L2 if newsletter_only else Level.L3, Level.L3)
    if kind in (Kind.ACCESS, Kind.PORTABILITY):
        return Need(Level.L3, Level.L4 if sensitive else Level.L3)
    return Need(Level.L2, Level.L3)


def reached_level(evidence: Evidence) -> Level:
    """Return the level that the evidence reaches."""
    if evidence.strong:
        return Level.L4
    if evidence.code_confirmed or evidence.facts_confirmed:
        return Level.L3
    if not evidence.authenticated:
        return Level.L0
    return Level.L2 if evidence.from_known_address and not evidence.shared_address else Level.L1


def doubts(evidence: Evidence) -> tuple[Doubt, ...]:
    """Return the coded doubts, gravest first; none when the evidence reaches L3."""
    if reached_level(evidence) >= Level.L3:
        return (Doubt.ON_BEHALF,) if evidence.on_behalf and not evidence.mandate_checked else ()
    listed = (
        (evidence.on_behalf and not evidence.mandate_checked, Doubt.ON_BEHALF),
        (evidence.lookalike or resembles(evidence.from_address, evidence.address_on_file or ""), Doubt.LOOKALIKE),
        (evidence.authenticated is False, Doubt.CHECK_FAILED),
        (evidence.name_looks_like_address, Doubt.NAME_LOOKS_LIKE_ADDRESS),
        (evidence.reply_to_differs, Doubt.REPLY_TO_DIFFERS),
        (evidence.looked_up and not evidence.from_known_address, Doubt.ADDRESS_NOT_ON_FILE),
        (evidence.shared_address, Doubt.SHARED_ADDRESS),
        (evidence.address_changed_recently, Doubt.ADDRESS_CHANGED),
        (evidence.authenticated is None, Doubt.SENDER_NOT_VERIFIED),
    )
    return tuple(doubt for is_so, doubt in listed if is_so)


def propose_step(need: Level, evidence: Evidence) -> tuple[IdentityStep, Doubt | None]:
    """Return the least intrusive step that reaches ``need``, with the doubt that justifies it."""
    reached, found = reached_level(evidence), doubts(evidence)
    reason = found[0] if found else Doubt.SENDER_NOT_VERIFIED
    enough = reached >= need or (evidence.trivial and reached >= Level.L2)
    settled = enough and not (evidence.address_changed_recently and reached < Level.L3)
    no_use_of_address = not evidence.address_on_file or evidence.address_changed_recently
    rows = (
        (need is Level.L0, IdentityStep.NONE),
        (evidence.on_behalf and not evidence.mandate_checked, IdentityStep.MANDATE),
        (settled, IdentityStep.NONE),
        (need is Level.L4, IdentityStep.STRONG),
        (not evidence.looked_up, IdentityStep.LOOK_UP),
        (no_use_of_address, IdentityStep.TWO_FACTS),
        (need is Level.L2 and not evidence.from_known_address, IdentityStep.ANSWER_FROM_KNOWN),
        (True, IdentityStep.CODE),
    )
    step = next(step for fits, step in rows if fits)
    return step, None if step is IdentityStep.NONE else reason


# Names of offices and rooms rather than of persons (RFC 2142 has some), and words of addresses that two people share.
_OFFICE: Final = re.compile(
    r"info|kontakt|contact|office|kontor(?:et)?|post|mail|mejl|epost|support|service|kund(?:tjanst|service)|help|hr|"
    r"personal|ekonomi|economy|faktur(?:a|or)|invoices?|finance|accounting|billing|admin(?:istration)?|webmaster|"
    r"postmaster|hostmaster|abuse|security|privacy|dataskydd|gdpr|dpo|legal|juridik|styrelsen?|board|sales|orders?|"
    r"bestallning|bokning|booking|reception|team|hello|hej|redaktion(?:en)?|press|marketing|marknad|noc|hushall"
)
_FAMILY: Final = frozenset({"familj", "familjen", "family", "familie", "fam"})
_AND: Final = frozenset({"och", "and", "und", "og", "ja"})  # between two names only: "ja" may be somebody's initials


def looks_shared(address: str) -> bool:
    """Return whether an address is an office's or a household's by its name: others than the writer may read it."""
    name = address.lower().partition("@")[0].partition("+")[0]
    words = [word for word in re.split(r"[._-]+", name) if word]
    if not words:
        return False
    two = not _FAMILY.isdisjoint(words) or not _AND.isdisjoint(words[1:-1])
    return two or _OFFICE.fullmatch(words[0]) is not None


_CONFUSABLE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", ".": None, "-": None, "_": None})


def resembles(one: str, other: str) -> bool:
    """Return whether two different addresses can be taken for each other.

    The same after look-alike letters and punctuation are folded, or one letter added, dropped, changed or swapped.
    """
    one, other = one.lower(), other.lower()
    if one == other or "@" not in one or "@" not in other:
        return False
    return folded(one) == folded(other) or _one_step_apart(one, other)


def folded(address: str) -> str:
    """Return an address (lower case) without the differences that the eye passes over."""
    return address.translate(_CONFUSABLE).replace("rn", "m").replace("vv", "w")


def _one_step_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return True
    rest, rest_other = one[start:], other[start:]
    swapped = rest[:2] == rest_other[1::-1] and rest[2:] == rest_other[2:]
    return swapped or rest_other in (rest[1:], rest_other[:1] + rest[1:]) or rest == rest_other[1:]


_CONCRETE = frozenset(Doubt) - {Doubt.SENDER_NOT_VERIFIED, Doubt.ADDRESS_NOT_ON_FILE}


def first_answer_identity(kinds: Iterable[Kind], evidence: Evidence) -> tuple[bool, Doubt | None]:
    """Return whether the first answer asks who writes, and the coded doubt.

    Access and portability hand data out, so they ask unless L3 is reached (or L2 with trivial data). The other kinds
    ask only on a concrete doubt, for routine checks are unlawful (law.md 5.5, 6.2); opting out and complaining never
    ask.
    """
    asked = set(kinds)
    found = doubts(evidence)
    if asked & {Kind.ACCESS, Kind.PORTABILITY}:
        enough = reached_level(evidence) >= Level.L3 or (evidence.trivial and reached_level(evidence) >= Level.L2)
        return (False, None) if enough else (True, found[0] if found else Doubt.SENDER_NOT_VERIFIED)
    if asked & {Kind.ERASURE, Kind.RECTIFICATION, Kind.RESTRICTION, Kind.OBJECTION}:
        concrete = next((doubt for doubt in found if doubt in _CONCRETE), None)
        return concrete is not None, concrete
    return False, None


def disclosure_faults(need: Need, evidence: Evidence, to_address: str) -> tuple[str, ...]:
    """Return why a letter that discloses may not go to ``to_address`` (codes; empty: it may).

    Data goes only to the address on file, whatever mailbox the proof came back from (law.md 6.1).
    """
    faults = []
    reached = reached_level(evidence)
    if reached < need.disclose and not (evidence.trivial and reached >= Level.L2):
        faults.append("identity_not_proven")
    if evidence.on_behalf and not evidence.mandate_checked:
        faults.append("mandate_not_checked")
    if not evidence.address_on_file:
        faults.append("no_address_on_file")
    elif to_address.lower() != evidence.address_on_file.lower():
        faults.append("not_the_address_on_file")
    return tuple(faults)
