"""Which case a mail belongs to: by its thread headers, then our token, then the reference in its subject.

A mail joins a case only when its sender belongs to that case; who merely quotes a thread or a reference gets a case of
their own (design.md 3, stop 6). The store looks the candidates up; the choice is made here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inboxbot.cases.references import find_references, token_of
from inboxbot.cases.values import LIVE, CaseState

BY_HEADERS, BY_TOKEN, BY_REFERENCE = "headers", "token", "reference"
_ORDER = (BY_HEADERS, BY_TOKEN, BY_REFERENCE)
_MOST_IDS = 50


@dataclass(frozen=True, slots=True)
class ThreadMarks:
    """What a mail says about its thread.

    ``message_ids`` are the ids it names, nearest first (In-Reply-To, then References from the end); ``token_cases`` the
    case ids of valid tokens among them; ``references`` the case references in its subject.
    """

    message_ids: tuple[str, ...]
    token_cases: tuple[int, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that a mail may belong to. ``addresses``: its requester and recorded alternates, bare and lower case.

    ``by`` is how it was found: ``headers`` (a named id is a mail or letter of the case), ``token`` or ``reference``.
    """

    case_id: int
    state: CaseState
    addresses: frozenset[str]
    by: str


@dataclass(frozen=True, slots=True)
class Match:
    """The case a mail joins, if any. ``quoted`` is the case it named without belonging to it (for a link, no more).

    ``reason`` is one of ``thread_headers``, ``thread_token``, ``case_reference``, ``staff_in_thread``,
    ``stranger_quotes_reference``, ``no_thread``.
    """

    case_id: int | None
    by: str | None
    belongs: bool
    reason: str
    state: CaseState | None = None
    quoted: int | None = None


_REASONS = {BY_HEADERS: "thread_headers", BY_TOKEN: "thread_token", BY_REFERENCE: "case_reference"}


def thread_marks(in_reply_to: Sequence[str], references: Sequence[str], subject: str, secret: bytes) -> ThreadMarks:
    """Return what to look a mail's case up by. At most 50 ids are taken, the nearest ones."""
    ids = tuple(dict.fromkeys([*in_reply_to, *reversed(references)]))[:_MOST_IDS]
    tokens = (token_of(secret, one) for one in ids)
    return ThreadMarks(ids, tuple(dict.fromkeys(one for one in tokens if one is not None)), find_references(subject))


def match(sender: str | None, candidates: Iterable[Candidate], *, is_staff: bool = False) -> Match:
    """Return the case that a mail from ``sender`` joins.

    Headers go before tokens, tokens before references; among cases found the same way a live one goes before a closed
    one. ``is_staff``: the sender is one of the company's own people, who belong to every thread of the company.
    """
    ordered = sorted(candidates, key=lambda one: (_ORDER.index(one.by), one.state not in LIVE))
    if not ordered:
        return Match(None, None, belongs=False, reason="no_thread")
    address = (sender or "").strip().lower()
    for one in ordered:
        if address and address in one.addresses:
            return Match(one.case_id, one.by, belongs=True, reason=_REASONS[one.by], state=one.state)
    first = ordered[0]
    if is_staff:
        return Match(first.case_id, first.by, belongs=True, reason="staff_in_thread", state=first.state)
    return Match(None, first.by, belongs=False, reason="stranger_quotes_reference", quoted=first.case_id)
