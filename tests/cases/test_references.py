"""References for people and tokens for machines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.cases.references import (
    NO_CASE,
    find_references,
    make_message_id,
    make_reference,
    make_token,
    token_of,
)

SECRET = b"a secret of this installation"
NONCES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=16)


def test_a_reference_is_readable_and_found_again() -> None:
    assert make_reference("AO", 2026, 1) == "AO-2026-0001"
    assert make_reference("AO", 2026, 12345) == "AO-2026-12345"
    assert find_references(" ao-2026-0001 ") == ("AO-2026-0001",)


def test_references_in_a_subject() -> None:
    subject = "SV: Re: [AO-2026-0001] min fråga (ex-2025-0042), AO-2026-0001"
    assert find_references(subject) == ("AO-2026-0001", "EX-2025-0042")


@pytest.mark.parametrize(
    "text", ["order 2026-0001", "XAOAOAOAO-2026-0001", "AO-2026-001", "AO-1999-0001", "AO-2026-0001-2"]
)
def test_what_is_no_reference(text: str) -> None:
    assert find_references(text) == ()


def test_what_makes_no_reference_is_refused() -> None:
    for prefix, year, number in (("ao", 2026, 1), ("AO", 2026, 0), ("AO", 26, 1), ("", 2026, 1)):
        with pytest.raises(ValueError, match="reference"):
            make_reference(prefix, year, number)


@given(st.integers(1, 2**53), NONCES)
def test_our_message_ids_are_known_again_and_short(case_id: int, nonce: str) -> None:
    for domain in ("example.se", "very-long-company-name-of-a-subsidiary.department.example.com"):
        made = make_message_id(SECRET, case_id, nonce, domain)
        assert len(made) <= 77
        assert token_of(SECRET, made) == case_id
        assert token_of(SECRET, f" {made.upper()} ") == case_id
        assert token_of(b"another secret", made) is None


def test_a_token_with_one_character_changed_is_not_ours() -> None:
    """C19, C21, E13."""
    made = make_message_id(SECRET, 42, "abc123", "example.se")
    local, _, domain = made[1:-1].partition("@")
    for place in range(3, len(local)):
        other = "b" if local[place] != "b" else "c"
        assert token_of(SECRET, f"<{local[:place]}{other}{local[place + 1 :]}@{domain}>") is None


@pytest.mark.parametrize(
    "text", ["", "<>", "<abc@example.se>", "<ib.1.a.ä@example.se>", "ib.1.a.b", "<ib.1.a@x>" * 1000]
)
def test_foreign_ids_are_not_ours(text: str) -> None:
    """C19."""
    assert token_of(SECRET, text) is None


def test_a_mail_of_ours_may_belong_to_no_case() -> None:
    ours = make_message_id(SECRET, NO_CASE, "a1b2", "example.se")
    assert token_of(SECRET, ours) == NO_CASE
    assert token_of(b"another secret", ours) is None


def test_a_token_needs_a_case_and_a_nonce() -> None:
    for case_id, nonce in ((-1, "a"), (1, ""), (1, "A"), (1, "a" * 17), (1, "a.b")):
        with pytest.raises(ValueError, match="token"):
            make_token(SECRET, case_id, nonce)
