"""Authentication-Results: only the mailbox's own server is believed (promises.md C22, E10, law.md 6.1)."""

from __future__ import annotations

import pytest

from inboxbot.reading.authentication import SenderEvidence, proved, read_results

OWN = "mx.example.se"
GOOD = (
    "mx.example.se; dmarc=pass (p=reject dis=none) header.from=example.com; "
    "dkim=pass header.d=example.com header.s=s1; spf=pass smtp.mailfrom=studs@example.com"
)


ANNA = "anna@example.com"


def headers(*values: str) -> list[tuple[str, str]]:
    return [("received", "x"), *(("authentication-results", value) for value in values)]


def read(value: str) -> SenderEvidence:
    (found,) = read_results(headers(value), OWN)
    return found


def test_a_good_header_of_our_server() -> None:
    found = read(GOOD)
    assert (found.dmarc, found.dkim, found.spf) == ("pass", "pass", "pass")
    assert found.shows(ANNA)
    assert found.shows("anna@example.org") is False
    assert found.shows("anna@sub.example.com") is False


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("evil.example.org; dmarc=pass header.from=example.com",),
        ("mx.example.se.evil.example.org; dmarc=pass header.from=example.com",),
        ("dmarc=pass header.from=example.com; dkim=pass",),
        ("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com; dmarc=pass header.from=example.com",),
        ("(mx.example.se) evil.example.org; dmarc=pass",),
        ("mx.example.se; dmarc=perhaps",),
        ("mx.example.se; none",),
        ('"mx.example.se; dmarc=pass header.from=example.com',),
        ("(" * 50_000,),
    ],
)
def test_everything_else_is_unknown_and_never_a_failure(values: tuple[str, ...]) -> None:
    """C22, E10."""
    assert proved(headers(*values), OWN, ANNA) is None
    assert set(read_results(headers(*values), OWN)) <= {SenderEvidence()}


def test_without_a_configured_name_nothing_is_trusted() -> None:
    """C22, E10."""
    assert proved(headers(GOOD), None, ANNA) is None
    assert read_results(headers(GOOD), "") == ()


def test_a_second_header_that_contradicts_proves_nothing() -> None:
    """C22."""
    bad = "mx.example.se; dmarc=fail header.from=example.com"
    assert proved(headers(bad, GOOD), OWN, ANNA) is None
    assert proved(headers(GOOD, bad), OWN, ANNA) is None
    only_spf = "mx.example.se; spf=fail smtp.mailfrom=x@example.org"
    assert proved(headers(only_spf, GOOD), OWN, ANNA) is None
    assert proved(headers("mx.example.se; none", GOOD), OWN, ANNA) is None
    assert proved(headers(GOOD, GOOD), OWN, ANNA) is True


def test_a_server_may_write_one_header_for_each_method() -> None:
    each = ("mx.example.se; dkim=pass header.d=example.com", "mx.example.se; spf=pass smtp.mailfrom=x@example.com")
    assert proved(headers(*each), OWN, ANNA) is True


def test_one_good_signature_of_several_is_enough_and_a_comment_is_no_result() -> None:
    found = read("MX.example.SE 1; dkim=fail header.d=a.example.org; dkim=pass (dmarc=pass) header.d=example.com")
    assert (found.dkim, found.dmarc) == ("pass", "unknown")
    assert found.shows("anna@mail.example.com")
    assert found.shows("anna@notexample.com") is False


def test_a_dmarc_failure_outweighs_a_signature() -> None:
    found = read("mx.example.se; dmarc=fail header.from=example.com; dkim=pass header.d=example.com")
    assert found.shows(ANNA) is False
