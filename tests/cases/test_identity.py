"""The identity ladder of law.md 6: levels, doubts, steps, gates, codes, trusted results and personal numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.cases.identity import (
    CodeAnswer,
    Doubt,
    Evidence,
    IdentityStep,
    Level,
    Need,
    StoredCode,
    authenticated,
    check_code,
    code_in,
    disclosure_faults,
    doubts,
    first_answer_identity,
    has_personal_number,
    hash_code,
    looks_shared,
    make_code,
    mask_personal_numbers,
    needed_level,
    propose_step,
    reached_level,
    resembles,
)
from inboxbot.sorting.kinds import Kind

ANNA = "anna@example.com"
KNOWN = Evidence(from_address=ANNA, authenticated=True, looked_up=True, address_on_file=ANNA)
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
SECRET = b"secret"


@pytest.mark.parametrize(
    ("kind", "more", "act", "disclose"),
    [
        (Kind.UNSUBSCRIBE, {}, Level.L0, Level.L0),
        (Kind.COMPLAINT, {}, Level.L0, Level.L3),
        (Kind.RECTIFICATION, {}, Level.L2, Level.L2),
        (Kind.RECTIFICATION, {"contact_or_payment": True}, Level.L3, Level.L3),
        (Kind.ERASURE, {}, Level.L3, Level.L3),
        (Kind.ERASURE, {"newsletter_only": True}, Level.L2, Level.L3),
        (Kind.RESTRICTION, {}, Level.L2, Level.L3),
        (Kind.OBJECTION, {}, Level.L2, Level.L3),
        (Kind.ACCESS, {}, Level.L3, Level.L3),
        (Kind.PORTABILITY, {"sensitive": True}, Level.L3, Level.L4),
    ],
)
def test_what_each_kind_needs(kind: Kind, more: dict[str, bool], act: Level, disclose: Level) -> None:
    assert needed_level(kind, **more) == Need(act, disclose)


@pytest.mark.parametrize(
    ("evidence", "level"),
    [
        (Evidence(from_address=ANNA), Level.L0),
        (Evidence(from_address=ANNA, authenticated=False, address_on_file=ANNA), Level.L0),
        (Evidence(from_address=ANNA, authenticated=True), Level.L1),
        (replace(KNOWN, address_on_file="other@example.com"), Level.L1),
        (KNOWN, Level.L2),
        (replace(KNOWN, from_address="Anna@Example.com"), Level.L2),
        (replace(KNOWN, from_address="anna+x@example.com"), Level.L1),
        (replace(KNOWN, shared_address=True), Level.L1),
        (Evidence(code_confirmed=True), Level.L3),
        (Evidence(facts_confirmed=True), Level.L3),
        (Evidence(strong=True), Level.L4),
    ],
)
def test_what_evidence_reaches(evidence: Evidence, level: Level) -> None:
    assert reached_level(evidence) is level


@pytest.mark.parametrize(
    ("need", "evidence", "step", "doubt"),
    [
        (Level.L0, Evidence(lookalike=True), IdentityStep.NONE, None),
        (Level.L2, KNOWN, IdentityStep.NONE, None),
        (Level.L3, replace(KNOWN, code_confirmed=True), IdentityStep.NONE, None),
        (Level.L3, replace(KNOWN, trivial=True), IdentityStep.NONE, None),
        (Level.L3, Evidence(), IdentityStep.LOOK_UP, Doubt.SENDER_NOT_VERIFIED),
        (Level.L3, KNOWN, IdentityStep.CODE, Doubt.SENDER_NOT_VERIFIED),
        (Level.L3, replace(KNOWN, authenticated=None), IdentityStep.CODE, Doubt.SENDER_NOT_VERIFIED),
        (Level.L3, replace(KNOWN, from_address="x@example.net"), IdentityStep.CODE, Doubt.ADDRESS_NOT_ON_FILE),
        (
            Level.L2,
            replace(KNOWN, from_address="x@example.net"),
            IdentityStep.ANSWER_FROM_KNOWN,
            Doubt.ADDRESS_NOT_ON_FILE,
        ),
        (Level.L3, replace(KNOWN, address_on_file=None), IdentityStep.TWO_FACTS, Doubt.ADDRESS_NOT_ON_FILE),
        (Level.L2, replace(KNOWN, address_changed_recently=True), IdentityStep.TWO_FACTS, Doubt.ADDRESS_CHANGED),
        (Level.L4, replace(KNOWN, code_confirmed=True), IdentityStep.STRONG, Doubt.SENDER_NOT_VERIFIED),
        (Level.L2, replace(KNOWN, on_behalf=True), IdentityStep.MANDATE, Doubt.ON_BEHALF),
        (Level.L2, replace(KNOWN, on_behalf=True, mandate_checked=True), IdentityStep.NONE, None),
    ],
)
def test_the_least_intrusive_step(need: Level, evidence: Evidence, step: IdentityStep, doubt: Doubt | None) -> None:
    assert propose_step(need, evidence) == (step, doubt)


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("info@example.org", True),
        ("Kundtjanst.nord@example.org", True),
        ("familjen.berg@example.org", True),
        ("anna-och-bo@example.org", True),
        ("styrelsen+gdpr@example.org", True),
        ("anna.berg@example.org", False),
        ("infomaniac@example.org", False),
        ("ja@example.org", False),
        ("ja.ek@example.org", False),
        ("sandra@example.org", False),
        ("@example.org", False),
    ],
)
def test_c59_addresses_that_several_people_read(address: str, shared: bool) -> None:
    assert looks_shared(address) is shared


def test_doubts_are_coded_and_gravest_first() -> None:
    everything = Evidence(
        from_address="x@example.net", authenticated=False, looked_up=True, address_on_file=ANNA, shared_address=True,
        address_changed_recently=True, reply_to_differs=True, name_looks_like_address=True, lookalike=True,
        on_behalf=True,
    )  # fmt: skip
    assert set(doubts(everything)) == set(Doubt) - {Doubt.SENDER_NOT_VERIFIED}
    assert doubts(everything)[:2] == (Doubt.ON_BEHALF, Doubt.LOOKALIKE)
    assert doubts(Evidence()) == (Doubt.SENDER_NOT_VERIFIED,)
    assert doubts(KNOWN) == ()
    assert doubts(replace(everything, code_confirmed=True, mandate_checked=True)) == ()


@pytest.mark.parametrize(
    "other",
    [
        "anma@example.com",
        "ana@example.com",
        "annaa@example.com",
        "nana@example.com",
        "an.na@example.com",
        "anna@exarnple.com",
        "anna@examp1e.com",
        "anna@example.co",
        "anna@ex-ample.com",
    ],
)
def test_addresses_that_can_be_taken_for_each_other(other: str) -> None:
    """C8, E8."""
    assert resembles(other, ANNA)
    assert resembles(ANNA, other.upper())
    assert Doubt.LOOKALIKE in doubts(replace(KNOWN, from_address=other))


@pytest.mark.parametrize("other", [ANNA, "Anna@example.com", "bo@example.com", "anna@example.org.net", "", "anna"])
def test_addresses_that_are_the_same_or_plainly_others(other: str) -> None:
    assert not resembles(other, ANNA)


def test_the_first_answer_asks_only_where_it_must() -> None:
    stranger = Evidence(from_address=ANNA)
    assert first_answer_identity([Kind.ACCESS], stranger) == (True, Doubt.SENDER_NOT_VERIFIED)
    assert first_answer_identity([Kind.PORTABILITY, Kind.UNSUBSCRIBE], KNOWN)[0]
    assert first_answer_identity([Kind.ACCESS], replace(KNOWN, trivial=True)) == (False, None)
    assert first_answer_identity([Kind.ACCESS], replace(KNOWN, code_confirmed=True)) == (False, None)
    assert first_answer_identity([Kind.ERASURE], stranger) == (False, None)
    assert first_answer_identity([Kind.ERASURE], replace(stranger, reply_to_differs=True)) == (
        True,
        Doubt.REPLY_TO_DIFFERS,
    )
    for kind in (Kind.UNSUBSCRIBE, Kind.COMPLAINT, Kind.OTHER):
        assert first_answer_identity([kind], replace(stranger, lookalike=True)) == (False, None)


def test_data_goes_only_to_the_address_on_file_of_a_proven_person() -> None:
    """E8, E9."""
    need = needed_level(Kind.ACCESS)
    proven = replace(KNOWN, code_confirmed=True)
    assert disclosure_faults(need, proven, ANNA.upper()) == ()
    assert disclosure_faults(need, KNOWN, ANNA) == ("identity_not_proven",)
    assert disclosure_faults(need, proven, "x@example.net") == ("not_the_address_on_file",)
    assert disclosure_faults(need, replace(proven, address_on_file=None), ANNA) == ("no_address_on_file",)
    assert disclosure_faults(need, replace(proven, on_behalf=True), ANNA) == ("mandate_not_checked",)
    assert disclosure_faults(need, replace(KNOWN, trivial=True), ANNA) == ()
    assert disclosure_faults(needed_level(Kind.ACCESS, sensitive=True), proven, ANNA) == ("identity_not_proven",)


# --- one-time codes -----------------------------------------------------------------------------------------------


@given(st.binary(min_size=16, max_size=32))
def test_codes_have_no_letter_that_looks_like_another(random: bytes) -> None:
    code = make_code(random)
    assert len(code) == 9
    assert code[4] == "-"
    assert not set(code) & set("01OIL")


def test_a_code_needs_randomness() -> None:
    with pytest.raises(ValueError, match="random"):
        make_code(b"short")
    codes = {make_code(number.to_bytes(16, "big")) for number in range(2000)}
    assert len(codes) == 2000


def stored(**more: object) -> StoredCode:
    return replace(StoredCode(hash_code(SECRET, "K7PM-2XWQ", 4, "access"), 4, "access", NOW), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "code", "later", "result"),
    [
        ("K7PM-2XWQ", stored(), 0, CodeAnswer.RIGHT),
        (" k7pm 2xwq ", stored(), 71.9, CodeAnswer.RIGHT),
        ("K7PM-2XWQ", stored(), 72, CodeAnswer.RIGHT),
        ("K7PM-2XWQ", stored(), 72.1, CodeAnswer.EXPIRED),
        ("K7PM-2XWR", stored(), 1, CodeAnswer.WRONG),
        ("å", stored(), 1, CodeAnswer.WRONG),
        ("K7PM-2XWQ", stored(tries=5), 1, CodeAnswer.TOO_MANY),
        ("K7PM-2XWQ", stored(tries=4), 1, CodeAnswer.RIGHT),
        ("K7PM-2XWQ", stored(used_at=NOW), 1, CodeAnswer.USED),
        ("K7PM-2XWQ", stored(case_id=5), 1, CodeAnswer.WRONG),
        ("K7PM-2XWQ", stored(kind="erasure"), 1, CodeAnswer.WRONG),
    ],
)
def test_a_code_is_taken_once_in_time_for_its_case_and_kind(
    answer: str, code: StoredCode, later: float, result: CodeAnswer
) -> None:
    assert check_code(SECRET, answer, code, NOW + dt.timedelta(hours=later)) is result


def test_the_code_is_not_in_what_is_stored() -> None:
    assert "K7PM" not in repr(stored())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Koden är K7PM-2XWQ.", "K7PM-2XWQ"),
        ("k7pm2xwq", "K7PM-2XWQ"),
        ("min kod: K7PM 2XWQ mvh Anna", "K7PM-2XWQ"),
        ("ABCD-EFGH", "ABCD-EFGH"),
        ("Hej, jag har inte fått någon kod", None),
        ("personen har skrivit", None),
        ("", None),
    ],
)
def test_a_code_is_recognised_in_an_answer(text: str, code: str | None) -> None:
    assert code_in(text) == code


# --- trusted Authentication-Results -------------------------------------------------------------------------------

OURS = "mx.example.se"
HOP, PASS = ("received", "from x by mx.example.se with ESMTP"), "mx.example.se; dmarc=pass header.from=example.com"


def results(*headers: tuple[str, str], authserv: str | None = OURS, trusted: tuple[str, ...] = ()) -> bool | None:
    return authenticated(headers, ANNA, authserv, trusted)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PASS, True),
        ("MX.example.se 1; spf=fail smtp.mailfrom=x@example.net; dmarc=pass (p=none) header.from=example.com", True),
        ("mx.example.se; dkim=pass header.d=example.com; spf=fail smtp.mailfrom=example.net", True),
        ("mx.example.se; dkim=pass header.d=mail.example.com", True),
        ("mx.example.se; spf=pass smtp.mailfrom=bounce@example.com", True),
        ("mx.example.se; dkim=pass header.d=example.net", False),
        ("mx.example.se; dmarc=fail header.from=example.com; dkim=pass header.d=example.com", False),
        ("mx.example.se; dmarc=pass header.from=example.net", False),
        ("mx.example.se; dkim=pass header.d=notexample.com", False),
        ("mx.example.se; none", None),
        ("mx.example.net; dmarc=pass header.from=example.com", None),
        ("mx.example.se.evil.example; dmarc=pass header.from=example.com", None),
        ("", None),
        (";" * 5000, None),
    ],
)
def test_only_our_servers_word_counts(value: str, expected: bool | None) -> None:
    """C22, E10."""
    assert results(("authentication-results", value), HOP) is expected


def test_without_a_configured_server_nothing_is_trusted() -> None:
    """C22."""
    assert results(("authentication-results", PASS), HOP, authserv=None) is None


def test_a_field_below_a_foreign_hop_is_not_ours() -> None:
    """C22."""
    foreign = ("received", "from evil by relay.example.net")
    assert results(HOP, ("authentication-results", PASS)) is True
    assert results(HOP, foreign, ("authentication-results", PASS)) is None
    assert results(foreign, ("authentication-results", PASS), trusted=("example.se",)) is None
    assert results(HOP, HOP, ("authentication-results", PASS), trusted=("example.se",)) is True


def test_two_results_that_disagree_are_unknown() -> None:
    """C22."""
    fail = ("authentication-results", "mx.example.se; dmarc=fail header.from=example.com")
    assert results(("authentication-results", PASS), fail, HOP) is None
    assert results(("authentication-results", PASS), ("authentication-results", PASS), HOP) is True


# --- personal numbers (test numbers published by Skatteverket, and numbers that only look like some) ------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("811228-9874", "811228-****"),
        ("198112289874", "19811228-****"),
        ("19811228-9874.", "19811228-****."),
        ("(811228+9874)", "(811228-****)"),
        ("Jag heter Anna, 811228 9874, radera mig", "Jag heter Anna, 811228-****, radera mig"),
        ("pnr 8112289874", "pnr 811228-****"),
        ("701063-2391", "701063-****"),
    ],
)
def test_personal_numbers_are_masked(text: str, masked: str) -> None:
    assert has_personal_number(text)
    assert mask_personal_numbers(text) == masked
    assert not has_personal_number(masked)


@pytest.mark.parametrize(
    "text",
    [
        "556000-0001",
        "559331-7323",
        "556660-6694",
        "811228-9875",
        "811328-9874",
        "070-123 45 67",
        "0701234567",
        "OCR: 8112289874",
        "order 8112289874",
        "2026-03-05",
        "1234567890123456",
        "811228-98741",
        "",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert mask_personal_numbers(text) == text
