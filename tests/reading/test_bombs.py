"""Mails that hang or fell other parsers end at once here: read, or refused with a code (promises.md 0.1, 0.2, C)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inboxbot.reading.read import raw_of, read_headers, read_whole
from inboxbot.reading.values import UnreadableError

HEAD = b"From: Anna <anna@example.com>\r\nTo: kontakt@example.se\r\nSubject: Hej\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
TEXT = HEAD + b"\r\n"


def nested(depth: int) -> bytes:
    levels = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(depth)
    )
    return HEAD + b"".join(levels) + b"\r\nhej\r\n"


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "32 kB Content-Type of semicolons": (
        lambda: HEAD + b"Content-Type: text/plain" + b";" * 32_000 + b"\r\n\r\nhej",
        "header_too_complex",
    ),
    "530 parentheses in To": (
        lambda: b"From: a@example.com\r\nTo: " + b"(" * 530 + b"\r\n\r\nhej",
        "header_too_complex",
    ),
    "400 kB of </": (lambda: HTML + b"</" * 200_000, "html_too_complex"),
    "100 000 nested div": (lambda: HTML + b"<div>" * 100_000 + b"hej", "html_too_complex"),
    "20 000 recipients": (
        lambda: HEAD + b"Cc: " + b", ".join(b"u%d@example.com" % n for n in range(20_000)) + b"\r\n\r\nhej",
        "headers_too_large",
    ),
    "80 000 attributes": (
        lambda: HTML + b"<a " + b" ".join(b"a%d=b" % n for n in range(80_000)) + b">x",
        "html_too_complex",
    ),
    "600 kB of <a": (lambda: HTML + b"<a " * 200_000, "html_too_complex"),
    "800 kB of <!--": (lambda: HTML + b"<!--" * 200_000, "html_too_complex"),
    "1 MB header": (lambda: HEAD + b"X-Long: " + b"x" * 1_000_000 + b"\r\n\r\nhej", "headers_too_large"),
    "200 000 headers": (lambda: HEAD + b"X: 1\r\n" * 200_000 + b"\r\nhej", "headers_too_large"),
    "10 000 short headers": (lambda: HEAD + b"X: 1\r\n" * 10_000 + b"\r\nhej", "headers_too_large"),
    "5 MB line without colon": (lambda: b"x" * 5_000_000, "headers_too_large"),
    "depth 90": (lambda: nested(90), "too_deep"),
    "depth 1 000": (lambda: nested(1_000), "too_deep"),
    "100 000 parts": (
        lambda: HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\nhej\r\n" * 100_000,
        "too_many_parts",
    ),
}
READ: dict[str, tuple[Callable[[], bytes], str]] = {
    "40 000 dots in From": (lambda: b"From: " + b"." * 40_000 + b"\r\n\r\nhej", "hej"),
    "240 kB Subject of short words": (lambda: HEAD + b"X-Subject: " + b"a " * 120_000 + b"\r\n\r\nhej", "hej"),
    "17 000 encoded words": (lambda: HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 17_000 + b"\r\n\r\nhej", "hej"),
    "8 000 recipients": (lambda: HEAD + b"Cc: " + b", ".join([b"u@example.com"] * 8_000) + b"\r\n\r\nhej", "hej"),
    "60 000 continuation lines": (lambda: HEAD + b"X: a\r\n" + b" a\r\n" * 60_000 + b"\r\nhej", "hej"),
    "20 000 parameters in a part": (
        lambda: (
            HEAD
            + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain"
            + b"; a=b" * 6_000
            + b"\r\n\r\nhej\r\n--x--"
        ),
        "hej",
    ),
    "lines that nearly match the boundary": (
        lambda: HEAD + b"Content-Type: multipart/mixed; boundary=xxxx\r\n\r\n" + b"--xxxxy\r\n" * 100_000,
        "--xxxxy",
    ),
    "format=flowed in 300 000 lines": (
        lambda: HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"hej \n" * 200_000,
        "hej",
    ),
    "20 000 messages in messages": (lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 20_000 + b"hej", ""),
    "1 000 000 quote marks": (lambda: TEXT + b"hej\n" + b">" * 1_000_000, "hej"),
    "1 000 000 line ends": (lambda: TEXT + b"hej" + b"\n" * 1_000_000, "hej"),
    "attribution lines": (lambda: TEXT + b"hej\n" + b"Den 3 mars skrev a b c:\n" * 50_000, "hej"),
    "30 MB in one line": (lambda: TEXT + b"hej " * 7_500_000, "hej"),
    "1 MB of base64 lines": (lambda: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"aGVq\n" * 200_000, "hej"),
    "1 MB of =": (lambda: HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\nhej" + b"=" * 1_000_000, "hej"),
    "15 000 options": (lambda: HTML + b"hej" + b"<option>" * 14_000, "hej"),
    "misnested formatting": (lambda: HTML + b"hej" + b"<b></i>" * 7_000, "hej"),
    "250 nested tables": (lambda: HTML + b"<table><tr><td>" * 250 + b"hej", "hej"),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """C12, C13, C14, C33, C34, E19; promises.md 0.1 and 0.2."""
    make, code = REFUSED[name]
    data = make()
    with pytest.raises(UnreadableError) as caught:
        read_whole(data)
    assert caught.value.code == code
    assert "unreadable" in read_headers(raw_of(data)).flags


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    """C11, C12, C13, C14, C33, C35, C41, C43, C54, E19."""
    make, beginning = READ[name]
    mail = read_whole(make())
    assert mail.text.startswith(beginning)
    assert len(mail.text) <= 1024 * 1024
    assert len(mail.to) + len(mail.cc) <= 400


def test_what_headers_tell_of_a_refused_mail_is_shown() -> None:
    mail = read_headers(raw_of(HTML + b"<div>" * 100_000))
    assert mail.sender is not None
    assert (mail.sender.address, mail.subject, mail.text) == ("anna@example.com", "Hej", "")
