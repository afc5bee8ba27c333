"""What becomes of a mail: one example for each line of the table, and what must hold for all of them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from inboxbot.cases.disposition import TABLE, Action, Disposition, MailFacts, decide, doubt_of, facts_of
from inboxbot.cases.threading import Match
from inboxbot.cases.transitions import CaseEvent
from inboxbot.cases.values import CaseState, LedgerState
from inboxbot.reading.values import Address, Attachment, ForwardedSender, Mail
from inboxbot.sorting.kinds import Kind
from inboxbot.sorting.values import Robot, Verdict

EXAMPLES = [
    (MailFacts(before_start=True, asks=True), "leave", "baseline", None, "before_start"),
    (MailFacts(unreadable="headers_too_large"), "hold", "held", "held", "headers_too_large"),
    (MailFacts(own_token=True, asks=True, promise=True), "leave", "ignored", None, "own_mail"),
    (MailFacts(bounce_of=CaseState.WAITING, robot=Robot.BOUNCE), "append", "followup", "open", "bounce_of_ours"),
    (MailFacts(hops=51, asks=True), "hold", "held", "held", "mail_loop_asks"),
    (MailFacts(hops=51, promise=True), "leave", "ignored", None, "mail_loop"),
    (MailFacts(robot=Robot.AUTOREPLY, asks=True), "hold", "held", "held", "robot_asks"),
    (MailFacts(robot=Robot.BOUNCE, robot_rule="null_path"), "leave", "ignored", None, "bounce_not_ours"),
    (MailFacts(robot=Robot.LIST, robot_rule="list_id"), "leave", "ignored", None, "list_id"),
    (MailFacts(robot=Robot.AUTOREPLY, promise=True), "leave", "ignored", None, "autoreply"),
    (MailFacts(claims_our_address=True, asks=True), "hold", "held", "held", "spoofed_own_address"),
    (MailFacts(claims_our_address=True, own_proved=True, promise=True), "leave", "ignored", None, "own_mail_proved"),
    (MailFacts(claims_our_address=True, own_proved=True, asks=True), "hold", "held", "held", "own_address_asks"),
    (MailFacts(claims_our_address=True, own_proved=True, unsure=True), "hold", "held", "held", "own_address_asks"),
    (MailFacts(sender_fault="ambiguous_sender"), "hold", "held", "held", "ambiguous_sender"),
    (MailFacts(matched=CaseState.WAITING, staff_answer=True), "append", "followup", "waiting", "staff_answer"),
    (MailFacts(matched=CaseState.CLOSED), "append", "followup", "open", "followup_on_closed"),
    (MailFacts(matched=CaseState.DISMISSED), "append", "followup", "held", "followup_on_dismissed"),
    (MailFacts(matched=CaseState.WAITING, unsure=True), "append", "followup", "open", "followup"),
    (MailFacts(encrypted=True), "hold", "held", "held", "encrypted"),
    (MailFacts(junk=True, asks=True), "hold", "held", "held", "junk_may_ask"),
    (MailFacts(junk=True, unsure=True), "hold", "held", "held", "junk_may_ask"),
    (MailFacts(junk=True, promise=True), "leave", "ignored", None, "junk"),
    (MailFacts(staff_forward=True, asks=True), "hold", "held", "held", "forward_without_sender"),
    (MailFacts(staff_forward=True, inner_sender=True, asks=True), "open", "case", "open", "request"),
    (MailFacts(deceased=True, asks=True), "hold", "held", "held", "deceased"),
    (MailFacts(doubt="parts_differ"), "hold", "held", "held", "parts_differ"),
    (MailFacts(doubt="cut", asks=True, unsure=True), "hold", "held", "held", "cut"),
    (MailFacts(doubt="cut", asks=True), "open", "case", "open", "request"),
    (MailFacts(doubt="hidden_text", robot=Robot.LIST, robot_rule="list_id"), "leave", "ignored", None, "list_id"),
    (MailFacts(doubt="hidden_text", junk=True), "leave", "ignored", None, "junk"),
    (MailFacts(doubt="no_text", matched=CaseState.OPEN), "append", "followup", "open", "followup"),
    (MailFacts(unsure=True, asks=True, promise=True), "hold", "held", "held", "unsure"),
    (MailFacts(quotes_foreign_case=True, asks=True), "open", "case", "open", "stranger_quotes_reference"),
    (MailFacts(quotes_foreign_case=True), "hold", "held", "held", "stranger_quotes_reference"),
    (MailFacts(asks=True), "open", "case", "open", "request"),
    (MailFacts(promise=True), "open", "case", "open", "ordinary_with_promise"),
    (MailFacts(), "leave", "ordinary", None, "ordinary"),
]


@pytest.mark.parametrize(("facts", "action", "ledger", "state", "reason"), EXAMPLES)
def test_each_line(facts: MailFacts, action: str, ledger: str, state: str | None, reason: str) -> None:
    """C40, C77, C78, C80."""
    found = decide(facts)
    assert (found.action, found.ledger, found.case_state, found.reason) == (action, ledger, state, reason)


def test_every_line_of_the_table_decides_something() -> None:
    reached = {next(number for number, row in enumerate(TABLE) if row[0](facts)) for facts, *_ in EXAMPLES}
    assert reached == set(range(len(TABLE)))


def every_combination() -> list[tuple[MailFacts, Disposition]]:
    names = (
        "own_token",
        "claims_our_address",
        "junk",
        "staff_answer",
        "staff_forward",
        "inner_sender",
        "quotes_foreign_case",
        "asks",
        "unsure",
        "deceased",
        "promise",
    )
    found = []
    for robot, matched in itertools.product((None, Robot.AUTOREPLY), (None, CaseState.OPEN, CaseState.CLOSED)):
        for values in itertools.product((False, True), repeat=len(names)):
            facts = replace(MailFacts(robot=robot, matched=matched), **dict(zip(names, values, strict=True)))  # type: ignore[arg-type]
            found.append((facts, decide(facts)))
    return found


def test_what_holds_for_every_mail() -> None:
    for facts, found in every_combination():
        assert found.reason
        if facts.asks and not facts.own_token:
            assert found.case_state is not None, facts
        if found.drafts:
            assert not facts.junk
            assert not facts.claims_our_address
            assert facts.robot is None
        if found.ledger is LedgerState.ORDINARY:
            assert not facts.promise
        assert (found.case_state is None) == (found.action is Action.LEAVE)
        assert (found.event is None) == (found.action is Action.LEAVE)


def test_held_mail_keeps_its_clock_running() -> None:
    for facts, found in every_combination():
        if found.action in (Action.HOLD, Action.OPEN):
            assert found.promised, facts


def test_a_bounce_and_a_staff_answer_start_no_promise() -> None:
    assert not decide(MailFacts(bounce_of=CaseState.OPEN)).promised
    assert not decide(MailFacts(matched=CaseState.OPEN, staff_answer=True)).promised
    assert decide(MailFacts(matched=CaseState.OPEN)).promised


def mail(**changes: object) -> Mail:
    base = Mail(
        "<m@example.com>",
        (),
        (),
        None,
        Address("anna@example.com"),
        None,
        (),
        (),
        (),
        "anna@example.com",
        "Hej",
        "radera mig",
        (),
        (),
        (("received", "a"), ("received", "b"), ("subject", "Hej")),
        frozenset(),
        "0" * 64,
        100,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def verdict(**changes: object) -> Verdict:
    base = Verdict((Kind.ERASURE,), {}, unsure=False, reminder=False, language="sv", robot=None, evidence=())
    return replace(base, **changes)  # type: ignore[arg-type]


NO_THREAD = Match(None, None, belongs=False, reason="no_thread")
OURS = frozenset({"kontakt@example.se"})


def test_the_facts_of_a_plain_request() -> None:
    facts = facts_of(mail(), verdict(), NO_THREAD, our_addresses=OURS, promise=True)
    assert facts == MailFacts(hops=2, asks=True, promise=True)
    assert decide(facts).event is CaseEvent.REQUEST_RECOGNISED


def test_the_facts_of_a_mail_that_claims_our_address() -> None:
    """C75."""
    ours = mail(sender=Address("kontakt@example.se"))
    assert decide(facts_of(ours, verdict(), NO_THREAD, our_addresses=OURS)).reason == "spoofed_own_address"
    assert decide(facts_of(ours, verdict(), NO_THREAD, our_addresses=OURS, web_form=True)).reason == "request"
    assert decide(facts_of(ours, verdict(), NO_THREAD, our_addresses=OURS, own_token=True)).reason == "own_mail"


def test_the_facts_of_threads_and_forwards() -> None:
    joined = Match(4, "token", belongs=True, reason="thread_token", state=CaseState.CLOSED)
    assert decide(facts_of(mail(), verdict(), joined, our_addresses=OURS)).reason == "followup_on_closed"
    staff = Match(4, "headers", belongs=True, reason="staff_in_thread", state=CaseState.OPEN)
    assert decide(facts_of(mail(), verdict(), staff, our_addresses=OURS, is_staff=True)).reason == "staff_answer"
    stranger = Match(None, "reference", belongs=False, reason="stranger_quotes_reference", quoted=4)
    assert decide(facts_of(mail(), verdict(), stranger, our_addresses=OURS)).reason == "stranger_quotes_reference"
    forward = mail(flags=frozenset({"forwarded"}))
    assert decide(facts_of(forward, verdict(), NO_THREAD, our_addresses=OURS, is_staff=True)).reason == (
        "forward_without_sender"
    )
    inner = replace(forward, inner_sender=ForwardedSender(Address("bo@example.com"), "From: bo@example.com"))
    assert decide(facts_of(inner, verdict(), NO_THREAD, our_addresses=OURS, is_staff=True)).reason == "request"


FILE = (Attachment("1", "blad.pdf", "application/pdf", 100),)


@pytest.mark.parametrize(
    ("flags", "attachments", "doubt"),
    [
        ({"html_only", "forwarded", "lookalike", "reply_to_differs"}, FILE, None),
        ({"tnef"}, FILE, None),  # the words are there, winmail.dat repeats them
        ({"tnef", "no_text"}, FILE, "tnef"),
        ({"no_text"}, FILE, "no_text"),
        ({"no_text", "empty"}, (), None),
        ({"hidden_text", "parts_differ"}, (), "parts_differ"),
        ({"hidden_text"}, (), "hidden_text"),
        ({"cut", "html_fallback"}, (), "cut"),
        ({"too_deep"}, (), "too_deep"),
        ({"external_part", "cut"}, (), "external_part"),
    ],
)
def test_what_makes_a_text_doubtful(flags: set[str], attachments: tuple[Attachment, ...], doubt: str | None) -> None:
    """C30, C38, C39."""
    assert doubt_of(mail(flags=frozenset(flags), attachments=attachments)) == doubt


def test_a_doubtful_mail_of_a_person_is_held_with_its_reason() -> None:
    """C36, C39, C55."""
    ordinary = verdict(kinds=(Kind.OTHER,))
    odd = mail(flags=frozenset({"parts_differ"}))
    assert decide(facts_of(odd, ordinary, NO_THREAD, our_addresses=OURS, promise=True)).reason == "parts_differ"
    assert decide(facts_of(odd, verdict(), NO_THREAD, our_addresses=OURS)).reason == "request"
