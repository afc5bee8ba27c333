"""A thousand hostile mails among a thousand good ones, and by how much they delay them (promises.md L6).

    python -m benchmarks.hostile [--mails 1000] [--workers 2] [--kinds]

Each hostile mail is one of the kinds below, made to stall a parser. Printed: the time of the good mails alone, the time
until the last good one is judged with the hostile ones between them, and the time until all are done. With ``--kinds``
instead: how long each kind takes alone.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import Counter

from benchmarks.judge import make_mails

from inboxbot.mailbox.workers import Held, ReadingPool, shipped_judge
from inboxbot.reading.read import raw_of, read_mail
from inboxbot.reading.values import RawMail, UnreadableError

HEAD = b"From: Anna <anna@example.com>\r\nTo: kontakt@example.se\r\nSubject: Hej\r\n"
HTML = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"


def nested(levels: int) -> bytes:
    """Return the heads of multiparts inside one another."""
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))


def kinds() -> dict[str, bytes]:
    """Return one mail of each kind."""
    return {
        "content_type_semicolons": HEAD + b"Content-Type: text/plain" + b";" * 32_000 + b"\r\n\r\nhej",
        "part_semicolons": MIXED + b"--x\r\nContent-Type: text/plain" + b";" * 32_000 + b"\r\n\r\nhej\r\n--x--",
        "parentheses": b"From: a@example.com\r\nTo: " + b"(" * 530 + b"\r\n\r\nhej",
        "recipients": HEAD + b"Cc: " + b", ".join(b"u%d@example.com" % n for n in range(20_000)) + b"\r\n\r\nhej",
        "from_dots": b"From: " + b"." * 40_000 + b"\r\n\r\nhej",
        "from_quotes": b'From: "' + b'\\"' * 10_000 + b"\r\n\r\nhej",
        "subject_words": HEAD[:-14] + b"Subject: " + b"a " * 120_000 + b"\r\n\r\nhej",
        "encoded_words": HEAD[:-14] + b"Subject: " + b"=?utf-8?q?a?= " * 17_000 + b"\r\n\r\nhej",
        "continuations": HEAD + b"X: a\r\n" + b" a\r\n" * 60_000 + b"\r\nhej",
        "html_openers": HTML + b"</" * 200_000,
        "html_divs": HTML + b"<div>" * 100_000 + b"hej",
        "html_divs_below_the_cap": HTML + b"<div>" * 250 + b"<p>x" * 7_000,
        "html_comments": HTML + b"<!--" * 200_000,
        "html_unclosed": HTML + b"<a " * 14_000,
        "html_paragraphs": HTML + b"<p>" * 14_900,
        "html_crossed": HTML + b"<b></i>" * 7_000,
        "html_tables": HTML + b"<table><tr><td>" * 250 + b"x" * 100_000 + b"<td>" * 14_000,
        "html_attributes": HTML + b"<a " + b"a=b " * 200_000 + b">x",
        "html_styles": HTML + b'<span style="color:#fff">x ' * 250 + b"<b style='color:white'>y</b>" * 6_000,
        "html_entities": HTML + b"&amp;lt" * 140_000,
        "depth": HEAD + nested(1_000),
        "depth_and_lines": HEAD
        + nested(90) + b"\r\nhej\n" + b"a\n" * 300_000,
        "messages_in_messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 20_000 + b"hej",
        "parts": MIXED + b"--x\r\n\r\nhej\r\n" * 100_000,
        "parts_below_the_cap": MIXED + b"--x\r\nContent-Type: text/html\r\n\r\n<p>hej\r\n" * 990,
        "near_boundaries": HEAD
        + b"Content-Type: multipart/mixed; boundary=" + b"x" * 60 + b"\r\n\r\n" + b"--%by\r\n" % (b"x" * 60) * 15_000,
        "line_breaks": HEAD + b"\r\n" + b"\n" * 1_000_000,
        "quote_marks": HEAD + b"\r\n" + b">" * 1_000_000,
        "quoted_lines": HEAD + b"\r\n" + b">\n" * 500_000,
        "leadins": HEAD + b"\r\n" + b"Den 3 mars skrev a b c:\n" * 42_000,
        "flowed": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * 350_000,
        "one_word": HEAD + b"\r\n" + b"hej " * 260_000,
        "one_line": HEAD + b"\r\n" + b"x" * 1_000_000,
        "many_words": HEAD + b"\r\n" + b" ".join(b"ord%d" % n for n in range(110_000)),
        "requests": HEAD + b"\r\n" + b"Jag vill att ni raderar mina uppgifter. " * 26_000,
        "base64_lines": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"aGVq\n" * 200_000,
        "quoted_printable": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 1_000_000,
        "wrong_charset": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"\xe5\n" * 500_000,
        "twice_encoded": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "Ã¥".encode() * 250_000,
    }  # fmt: skip


def good(count: int) -> list[tuple[str, RawMail]]:
    """Return mails as people write them, of about 2,000 letters, no two alike."""
    return [
        (
            f"good {number}",
            raw_of(
                f"From: Anna <anna{number}@example.com>\r\nSubject: {subject}\r\n".encode()
                + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
                + body.encode()
            ),
        )
        for number, (subject, body) in enumerate(make_mails(count))
    ]


def run(pool: ReadingPool, mails: list[tuple[str, RawMail]]) -> tuple[float, float, Counter[str]]:
    """Return the seconds until the last good mail and until all were judged, and what the hostile ones became."""
    begun = last = time.monotonic()
    became: Counter[str] = Counter()
    later: list[str] = []
    raws = dict(mails)
    again = ((key, raws[key]) for key in later)  # as the round does, which fetches them again
    for key, outcome in itertools.chain(pool.judge_all(mails, later=later), pool.judge_all(again)):
        if key.startswith("good"):
            last = time.monotonic()
            if isinstance(outcome, Held):
                raise SystemExit(f"{key} was held: {outcome.code}")
        else:
            became[outcome.code if isinstance(outcome, Held) else "read"] += 1
    return last - begun, time.monotonic() - begun, became


def tell_kinds() -> None:
    """Print how long reading and judging of each kind takes."""
    judge = shipped_judge()
    for name, data in kinds().items():
        begun = time.monotonic()
        try:
            mail = read_mail(raw_of(data))
        except UnreadableError as error:
            print(f"{name:26} read {time.monotonic() - begun:5.2f} s  held: {error.code}")
            continue
        read = time.monotonic()
        judge(mail)
        judged = time.monotonic()
        print(f"{name:26} read {read - begun:5.2f} s, judged {judged - read:5.2f} s  {len(mail.text)} characters")


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mails", type=int, default=1_000, help="good ones, and as many hostile ones")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--kinds", action="store_true")
    asked = arguments.parse_args()
    if asked.kinds:
        tell_kinds()
        return
    people = good(asked.mails)
    bombs = [(name, raw_of(data)) for name, data in kinds().items()]
    hostile = [(f"{bombs[n % len(bombs)][0]} {n}", bombs[n % len(bombs)][1]) for n in range(asked.mails)]
    mixed = list(itertools.chain.from_iterable(zip(people, hostile, strict=True)))
    with ReadingPool(asked.workers) as pool:
        pool.warm()
        list(pool.judge_all(people[:50]))
        alone, _, _ = run(pool, people)
        last, whole, became = run(pool, mixed)
    print(f"good mails alone           {alone:7.1f} s")
    print(f"until the last good one    {last:7.1f} s  {last / alone:.2f} times")
    print(f"until all were done        {whole:7.1f} s")
    print("hostile mails became", dict(became.most_common()))


if __name__ == "__main__":
    main()
