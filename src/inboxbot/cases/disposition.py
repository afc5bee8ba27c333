"""What becomes of a mail: one table, read from the top, the first line that fits decides.

Nothing is dropped: every line names the ledger state and the reason that staff see (promises.md I10). Where two errors
are possible, a mail is held for a person with its clock running rather than left aside (kinds.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inboxbot.cases.threading import Match
from inboxbot.cases.transitions import CaseEvent, move_case
from inboxbot.cases.values import CaseState, LedgerState
from inboxbot.reading.values import Mail
from inboxbot.sorting.values import Robot, Verdict

MOST_HOPS = 50


class Action(StrEnum):
    """What the desk does with a mail."""

    OPEN = "open"
    APPEND = "append"
    HOLD = "hold"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class MailFacts:
    """All that the table looks at. Addresses are judged before: only what follows from them stands here.

    ``unreadable``: the reason code when the mail could not be read or judged. ``own_token``: its own Message-ID
    carries a valid token of ours, or lies in our sent folder. ``claims_our_address``: From is a mailbox of ours (a
    company's web form excepted); ``own_proved``: and a trusted server found that our domain allowed the mail.
    ``sender_fault``: code when no requester could be made out. ``bounce_of``: the case whose letter came back.
    ``matched`` is the case it joins with that case's state. ``doubt``: why its text may not be all that was written.
    ``promise``: the mailbox has one.
    """

    before_start: bool = False
    unreadable: str | None = None
    own_token: bool = False
    claims_our_address: bool = False
    own_proved: bool = False
    sender_fault: str | None = None
    hops: int = 0
    junk: bool = False
    robot: Robot | None = None
    robot_rule: str | None = None
    bounce_of: CaseState | None = None
    matched: CaseState | None = None
    staff_answer: bool = False
    staff_forward: bool = False
    inner_sender: bool = False
    quotes_foreign_case: bool = False
    asks: bool = False
    unsure: bool = False
    deceased: bool = False
    encrypted: bool = False
    doubt: str | None = None
    promise: bool = False


@dataclass(frozen=True, slots=True)
class Disposition:
    """The decision. ``case_state`` is the state after it (None: no case); ``event`` the case event that led there.

    ``drafts``: a letter may be drafted. ``promised``: the mail starts a promise if the mailbox has one.
    """

    action: Action
    ledger: LedgerState
    case_state: CaseState | None
    reason: str
    event: CaseEvent | None = None
    drafts: bool = False
    promised: bool = False


_Test = Callable[[MailFacts], bool]
_Reason = str | Callable[[MailFacts], str]
_OPEN, _APPEND, _HOLD, _LEAVE = Action.OPEN, Action.APPEND, Action.HOLD, Action.LEAVE
_L = LedgerState
_E = CaseEvent

# Each line: when · what the desk does · ledger · event · reason. "No letter" lines say so in `_NO_LETTER`.
TABLE: Final[tuple[tuple[_Test, Action, LedgerState, CaseEvent | None, _Reason], ...]] = (
    (lambda f: f.before_start, _LEAVE, _L.BASELINE, None, "before_start"),
    (lambda f: bool(f.unreadable), _HOLD, _L.HELD, _E.HELD_FOR_PERSON, lambda f: f.unreadable or ""),
    (lambda f: f.own_token, _LEAVE, _L.IGNORED, None, "own_mail"),
    (lambda f: bool(f.bounce_of), _APPEND, _L.FOLLOWUP, _E.BOUNCED, "bounce_of_ours"),
    (lambda f: f.hops > MOST_HOPS and f.asks, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "mail_loop_asks"),
    (lambda f: f.hops > MOST_HOPS, _LEAVE, _L.IGNORED, None, "mail_loop"),
    (lambda f: bool(f.robot) and f.asks, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "robot_asks"),
    (lambda f: f.robot is Robot.BOUNCE, _LEAVE, _L.IGNORED, None, "bounce_not_ours"),
    (lambda f: bool(f.robot), _LEAVE, _L.IGNORED, None, lambda f: f.robot_rule or str(f.robot)),
    (lambda f: f.own_proved and not (f.asks or f.unsure), _LEAVE, _L.IGNORED, None, "own_mail_proved"),
    (lambda f: f.own_proved, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "own_address_asks"),
    (lambda f: f.claims_our_address, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "spoofed_own_address"),
    (lambda f: bool(f.sender_fault), _HOLD, _L.HELD, _E.HELD_FOR_PERSON, lambda f: f.sender_fault or ""),
    (lambda f: bool(f.matched) and f.staff_answer, _APPEND, _L.FOLLOWUP, _E.ANSWERED, "staff_answer"),
    (lambda f: f.matched is CaseState.CLOSED, _APPEND, _L.FOLLOWUP, _E.REQUESTER_WROTE, "followup_on_closed"),
    (lambda f: f.matched is CaseState.DISMISSED, _APPEND, _L.FOLLOWUP, _E.REQUESTER_WROTE, "followup_on_dismissed"),
    (lambda f: bool(f.matched), _APPEND, _L.FOLLOWUP, _E.REQUESTER_WROTE, "followup"),
    (lambda f: f.encrypted, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "encrypted"),
    (lambda f: f.junk and (f.asks or f.unsure), _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "junk_may_ask"),
    (lambda f: f.junk, _LEAVE, _L.IGNORED, None, "junk"),
    (lambda f: f.staff_forward and not f.inner_sender, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "forward_without_sender"),
    (lambda f: f.deceased, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "deceased"),
    (lambda f: bool(f.doubt) and (f.unsure or not f.asks), _HOLD, _L.HELD, _E.HELD_FOR_PERSON, lambda f: f.doubt or ""),
    (
        lambda f: f.quotes_foreign_case and (f.unsure or not f.asks),
        _HOLD,
        _L.HELD,
        _E.HELD_FOR_PERSON,
        "stranger_quotes_reference",
    ),
    (lambda f: f.unsure, _HOLD, _L.HELD, _E.HELD_FOR_PERSON, "unsure"),
    (lambda f: f.quotes_foreign_case and f.asks, _OPEN, _L.CASE, _E.REQUEST_RECOGNISED, "stranger_quotes_reference"),
    (lambda f: f.asks, _OPEN, _L.CASE, _E.REQUEST_RECOGNISED, "request"),
    (lambda f: f.promise, _OPEN, _L.CASE, _E.ORDINARY_PROMISED, "ordinary_with_promise"),
    (lambda _: True, _LEAVE, _L.ORDINARY, None, "ordinary"),
)

# Held mail that no letter is drafted for: nobody to write to, or nobody who should be written to by our hand.
_NO_LETTER: Final = frozenset(
    {"junk_may_ask", "robot_asks", "mail_loop_asks", "own_address_asks", "spoofed_own_address"}
)


def decide(facts: MailFacts) -> Disposition:
    """Return what becomes of a mail; the first line of `TABLE` that fits decides."""
    action, ledger, event, why = next(row[1:] for row in TABLE if row[0](facts))
    reason = why if isinstance(why, str) else why(facts)
    if event is None:
        return Disposition(action, ledger, None, reason)
    before = (facts.bounce_of or facts.matched) if action is Action.APPEND else None
    no_letter = bool(facts.unreadable or facts.sender_fault or facts.junk) or reason in _NO_LETTER
    answerable = event not in (CaseEvent.BOUNCED, CaseEvent.ANSWERED)
    return Disposition(
        action,
        ledger,
        move_case(before, event),
        reason,
        event,
        drafts=answerable and not no_letter,
        promised=answerable,
    )


# Flags of reading that say: what was judged may not be what the person wrote or saw. The first one found counts.
_DOUBTS: Final = ("external_part", "too_deep", "cut", "html_fallback", "parts_differ", "hidden_text")


def doubt_of(mail: Mail) -> str | None:
    """Return the code of why the text of a mail may not be all of it, or None.

    A winmail.dat beside readable words repeats them, and an empty mail without files has nothing to hide.
    """
    if "no_text" in mail.flags:
        if "tnef" in mail.flags:
            return "tnef"
        if mail.attachments:
            return "no_text"
    return next((flag for flag in _DOUBTS if flag in mail.flags), None)


def facts_of(
    mail: Mail,
    verdict: Verdict,
    match: Match,
    *,
    our_addresses: frozenset[str],
    is_staff: bool = False,
    own_token: bool = False,
    own_proved: bool = False,
    web_form: bool = False,
    sender_fault: str | None = None,
    bounce_of: CaseState | None = None,
    junk: bool = False,
    before_start: bool = False,
    promise: bool = False,
) -> MailFacts:
    """Return the facts of a mail that could be read.

    ``sender_fault`` is that of the *requester* (after a web form was resolved); ``our_addresses`` are all mailboxes and
    aliases, lower case; ``own_token``: `references.token_of` knows the mail's own Message-ID, or the sent folder does.
    """
    sender = mail.sender.address if mail.sender else None
    forwarded = "forwarded" in mail.flags or mail.inner_sender is not None
    return MailFacts(
        before_start=before_start,
        own_token=own_token,
        claims_our_address=sender in our_addresses and not web_form,
        own_proved=own_proved and sender in our_addresses and not web_form,
        sender_fault=sender_fault,
        hops=sum(name == "received" for name, _ in mail.headers),
        junk=junk,
        robot=verdict.robot,
        robot_rule=verdict.robot_rule,
        bounce_of=bounce_of,
        matched=match.state if match.belongs else None,
        staff_answer=is_staff and match.reason == "staff_in_thread",
        staff_forward=is_staff and forwarded,
        inner_sender=mail.inner_sender is not None,
        quotes_foreign_case=match.reason == "stranger_quotes_reference",
        asks=verdict.asks,
        unsure=verdict.unsure,
        deceased="deceased" in verdict.flags,
        encrypted="encrypted" in mail.flags,
        doubt=doubt_of(mail),
        promise=promise,
    )
