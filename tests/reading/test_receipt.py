"""The moment of receipt: law.md section 4 and promises.md P1, F94."""

from __future__ import annotations

import datetime as dt

import pytest

from inboxbot.reading.receipt import Receipt, receipt_time

FETCHED = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
STORED = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
OURS = ["mx.example.se", ".intern.example.se"]
OUTSIDE = "from mail.example.com (mail.example.com [192.0.2.9]) by mx.example.se (Postfix) with ESMTPS id 4; "
INSIDE = "from mx.example.se ([10.0.0.1]) by imap.intern.example.se with LMTP id 7; "


def at(hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, 22, hour, minute, second, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("received", "trusted", "expected"),
    [
        ([], OURS, Receipt(STORED, "internaldate")),
        ([OUTSIDE + "Sun, 22 Nov 2026 10:55:00 +0100"], [], Receipt(STORED, "internaldate")),
        ([OUTSIDE + "Sun, 22 Nov 2026 10:55:00 +0100"], OURS, Receipt(at(9, 55), "received")),
        ([OUTSIDE + "Sun, 22 Nov 2026 11:05:00 +0100"], OURS, Receipt(STORED, "internaldate")),
        ([OUTSIDE + "Sun, 22 Nov 2026 09:00:00 +0100 (CET)"], OURS, Receipt(at(8), "received", "times_differ")),
        ([OUTSIDE + "Sun, 22 Nov 2026 09:58:00"], OURS, Receipt(at(9, 58), "received", "no_zone")),
        ([OUTSIDE + "nonsense"], OURS, Receipt(STORED, "internaldate")),
        ([OUTSIDE + "Mon, 99 Foo 99999 99:99:99 +9999"], OURS, Receipt(STORED, "internaldate")),
        (
            [INSIDE + "Sun, 22 Nov 2026 11:00:30 +0100", OUTSIDE + "Sun, 22 Nov 2026 10:50:00 +0100"],
            OURS,
            Receipt(at(9, 50), "received"),
        ),
        (["from a by evil.example.org; Sun, 22 Nov 2026 01:00:00 +0000"], OURS, Receipt(STORED, "internaldate")),
        (["by " + "(" * 5000], OURS, Receipt(STORED, "internaldate")),
    ],
)
def test_the_earlier_trusted_moment_counts(received: list[str], trusted: list[str], expected: Receipt) -> None:
    assert receipt_time(STORED, received, trusted, FETCHED) == expected


def test_lines_below_the_first_host_that_took_it_from_outside_are_the_senders_and_do_not_count() -> None:
    forged = "from x by mx.example.se; Fri, 1 Jan 2021 00:00:00 +0000"
    received = [OUTSIDE + "Sun, 22 Nov 2026 10:55:00 +0100", forged]
    assert receipt_time(STORED, received, OURS, FETCHED).at == at(9, 55)


def test_a_moment_to_come_is_clamped_to_the_fetch() -> None:
    """F94, C15."""
    assert receipt_time(FETCHED + dt.timedelta(days=2), [], [], FETCHED) == Receipt(FETCHED, "fetched", "in_future")


def test_a_store_that_lost_its_times_is_passed_over() -> None:
    """F94."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert receipt_time(epoch, [], [], FETCHED) == Receipt(FETCHED, "fetched", "implausible,low_confidence")
    stamped = receipt_time(epoch, [OUTSIDE + "Sun, 22 Nov 2026 10:55:00 +0100"], OURS, FETCHED)
    assert stamped == Receipt(at(9, 55), "received", "implausible")


def test_a_file_without_any_time_is_received_when_it_was_fetched() -> None:
    assert receipt_time(None, [], OURS, FETCHED) == Receipt(FETCHED, "fetched", "low_confidence")


def test_the_autumn_hour_that_comes_twice_is_told_apart_by_its_zone() -> None:
    fetched = dt.datetime(2026, 10, 26, tzinfo=dt.UTC)
    first = receipt_time(None, [OUTSIDE + "Sun, 25 Oct 2026 02:30:00 +0200"], OURS, fetched)
    second = receipt_time(None, [OUTSIDE + "Sun, 25 Oct 2026 02:30:00 +0100"], OURS, fetched)
    assert second.at - first.at == dt.timedelta(hours=1)
