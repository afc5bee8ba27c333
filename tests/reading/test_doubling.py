"""Text twice as long takes about twice as long: every attack string against every reader (promises.md C54, section E).

No seconds are asserted: the processor time of a text is compared with that of one four times as long, in one run. What
is linear takes four times as long, what is quadratic sixteen times; only what grows more than ninefold, each time it is
measured, fails. Texts are made longer until they can be measured, up to what the bounds of reading let through.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from inboxbot.reading.addresses import parse_addresses
from inboxbot.reading.authentication import read_results
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.html_text import html_to_text
from inboxbot.reading.read import raw_of, read_headers, read_mail
from inboxbot.reading.segments import segment
from inboxbot.reading.transfer import unflow
from inboxbot.reading.values import UnreadableError
from inboxbot.sorting.judge import Judge

HEAD = "From: Anna <anna@example.com>\r\nSubject: Hej\r\n"
JUDGE = Judge.load()
FIRST, MOST = 2_000, 64_000
MEASURABLE_S = 0.004
TOO_MUCH = 9.0

ATTACKS = [
    *("a", "a ", ".", ",", ";", ":", "(", ")", '"', "\\", "<", ">", "</", "<a ", "<!--", "<div>", "<b></i>", "<p>"),
    *("&amp;lt;", "=?utf-8?q?a?= ", "=?utf-8?b?", "@", "a@b.se,", "a@b.se ", "> ", ">>", "Re: ", "SV: VB: ", "-- \n"),
    *("\n", "\r\n ", "\t", "a=b;", "filename*0*=", "Den 3 mars skrev a b:\n", "Från: a\nTill: b\n", "-----\n", "_____"),
    *("0", "1.2.3.", "[AO-", "å", "Ã¥", "\u200b", "jag vill ", "radera ", "ta bort mig ", "inte "),
]


def _mail(text: str) -> object:
    try:
        return read_mail(raw_of(text.encode("utf-8", "replace")))
    except UnreadableError:
        return None


def _html(text: str) -> object:
    try:
        return html_to_text(text)
    except UnreadableError:
        return None


def _judged(text: str) -> object:
    return JUDGE.judge_text("Hej", text)


READERS: dict[str, Callable[[str], object]] = {
    "body": lambda text: _mail(f"{HEAD}\r\n{text}"),
    "html": lambda text: _mail(f"{HEAD}Content-Type: text/html\r\n\r\n{text}"),
    "parts": lambda text: _mail(f"{HEAD}Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n{text}\r\n--x--"),
    "headers": lambda text: read_headers(raw_of(f"From: {text}\r\nTo: {text}\r\n\r\n".encode("utf-8", "replace"))),
    "addresses": lambda text: parse_addresses(text[:8_000]),
    "words": decode_words,
    "html_to_text": _html,
    "segments": segment,
    "flowed": lambda text: unflow(text, delsp=True),
    "results": lambda text: read_results([("authentication-results", text)], "mx"),
    "judge": _judged,
}


def cost(work: Callable[[str], object], text: str) -> float:
    """Return the least processor seconds of three tries."""
    tries = []
    for _ in range(3):
        begun = time.process_time()
        work(text)
        tries.append(time.process_time() - begun)
    return min(tries)


def growth(work: Callable[[str], object], unit: str) -> float:
    """Return how many times longer a text four times as long takes; 0 when it never takes long enough to measure."""
    length = FIRST
    while length * 4 <= MOST:
        short = cost(work, unit * (length // len(unit)))
        if short >= MEASURABLE_S:
            return cost(work, unit * (length * 4 // len(unit))) / short
        length *= 4
    return 0.0


@pytest.mark.parametrize("reader", READERS)
def test_e19_c54_no_text_takes_more_than_its_length(reader: str) -> None:
    work = READERS[reader]
    work("warm")
    slow = {}
    for unit in ATTACKS:
        found = [growth(work, unit)]
        while found[-1] > TOO_MUCH and len(found) < 3:  # a busy machine: measured again
            found.append(growth(work, unit))
        if min(found) > TOO_MUCH:
            slow[unit] = found
    assert slow == {}
