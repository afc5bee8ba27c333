"""Authentication-Results: only the mailbox's own server is believed (promises.md C22, E10, law.md 6.1)."""

from __future__ import annotations

import pytest

from inboxbot.reading.authentication import SenderEvidence, read_results

OWN = "mx.example.se"
GOOD = (
    "mx.example.se; dmarc=pass (p=reject dis=none) header.from=example.com; "
    "dkim=pass header.d=example.com header.s=s1; spf=pass smtp.mailfrom=studs@example.com"
)


def read(*values: str, own: str | None = OWN) -> SenderEvidence:
    return read_results([("received", "x"), *(("authentication-results", value) for value in values)], own)


def test_a_good_header_of_our_server() -> None:
    found = read(GOOD)
    assert (found.dmarc, found.dkim, found.spf) == ("pass", "pass", "pass")
    assert found.aligned("anna@example.com")
    assert not found.aligned("anna@example.org")
    assert not found.aligned("anna@sub.example.com")


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("evil.example.org; dmarc=pass header.from=example.com",),
        ("mx.example.se.evil.example.org; dmarc=pass header.from=example.com",),
        ("dmarc=pass header.from=example.com; dkim=pass",),
        ("(mx.example.se) evil.example.org; dmarc=pass",),
        ("mx.example.se; dmarc=perhaps",),
        ("mx.example.se; none",),
        ('"mx.example.se; dmarc=pass header.from=example.com',),
        ("(" * 50_000,),
    ],
)
def test_everything_else_is_unknown_and_never_a_failure(values: tuple[str, ...]) -> None:
    assert read(*values) == SenderEvidence()


def test_without_a_configured_name_nothing_is_trusted() -> None:
    assert read(GOOD, own=None) == SenderEvidence()
    assert read(GOOD, own="") == SenderEvidence()


def test_a_second_header_that_contradicts_or_adds_proves_nothing() -> None:
    bad = "mx.example.se; dmarc=fail header.from=example.com"
    assert read(bad, GOOD).dmarc == "unknown"
    assert read(GOOD, bad).dmarc == "unknown"
    only_spf = "mx.example.se; spf=fail smtp.mailfrom=x@example.org"
    assert read(only_spf, GOOD) == SenderEvidence()
    assert not read(only_spf, GOOD).aligned("anna@example.com")
    assert read(GOOD, GOOD).dmarc == "pass"


def test_one_good_signature_of_several_is_enough_and_a_comment_is_no_result() -> None:
    found = read("MX.example.SE 1; dkim=fail header.d=a.example.org; dkim=pass (dmarc=pass) header.d=example.com")
    assert (found.dkim, found.dmarc) == ("pass", "unknown")
    assert found.aligned("anna@mail.example.com")
    assert not found.aligned("anna@notexample.com")


def test_a_dmarc_failure_outweighs_a_signature() -> None:
    found = read("mx.example.se; dmarc=fail header.from=example.com; dkim=pass header.d=example.com")
    assert not found.aligned("anna@example.com")
