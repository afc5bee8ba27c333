"""Whatever bytes come, reading ends in a mail or in UnreadableError, and what it gives can be stored."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.longer import more

from inboxbot.reading.addresses import parse_addresses, strict_address
from inboxbot.reading.authentication import read_results
from inboxbot.reading.charsets import clean_text, decode_text
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.html_text import html_to_text
from inboxbot.reading.read import raw_of, read_headers, read_mail
from inboxbot.reading.transfer import unflow
from inboxbot.reading.values import Mail, RawMail, RawPart, UnreadableError

WORDS = rb"""From:_|To:_
|Subject:_|Content-Type:_|multipart/mixed;_boundary=|message/rfc822|text/html|text/plain;_charset=
|utf-8|iso-8859-1|Content-Transfer-Encoding:_|base64|quoted-printable|--x|--x--|x|<a@example.com>|a@example.com|"|(|)
|,|;|:|=?utf-8?q?=C3=A5?=|=?utf-8?b?w6U=?=|<div>|</div>|<!--|-->|&#0;|_|format=flowed|filename*0*=utf-8''%C3
|multipart/report;_boundary=x|message/delivery-status|Message-ID:_|References:_|Return-Path:_<>"""
ODD = [b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\\", b"\x00", b"\xff", b"\xc3\xa5", b"\xed\xa0\x80", b"\t"]
PIECES = st.sampled_from([*(word.strip(b"\n").replace(b"_", b" ") for word in WORDS.split(b"|")), *ODD])
MESSAGES = st.lists(PIECES | st.binary(max_size=12), max_size=60).map(b"".join)


def sound(mail: Mail) -> None:
    """Assert what every later room relies on."""
    strings = [mail.text, mail.subject, mail.date_text or "", *(value for _, value in mail.headers)]
    strings += [item.name for item in mail.attachments]
    strings += [item.name for item in (mail.sender, *mail.to, *mail.cc, *mail.reply_to) if item]
    for string in strings:
        string.encode("utf-8")
        assert "\x00" not in string
    assert "\r" not in mail.text
    assert "\n" not in mail.subject
    assert (mail.sender is None) == (mail.sender_fault is not None)
    assert "".join(mail.text[part.start : part.end] for part in mail.segments) == mail.text
    for item in mail.attachments:
        assert re.fullmatch(r"[1-9]\d*(\.[1-9]\d*)*", item.part)
        assert item.name.strip(". ")
        assert len(item.name.encode()) <= 255
    for identity in (*mail.references, *mail.in_reply_to, mail.message_id or "<a@b>"):
        assert re.fullmatch(r"<[!-~]+@[!-~]+>", identity)


def mail_or_code(raw: RawMail) -> Mail | str:
    """Return the mail, or the code it is held with; every other exception is a failure."""
    try:
        return read_mail(raw)
    except UnreadableError as error:
        return error.code


@given(MESSAGES)
@settings(max_examples=more(600), deadline=None)
def test_whole_messages(data: bytes) -> None:
    """C, general rule."""
    sound(read_headers(raw_of(data)))
    mail = mail_or_code(raw_of(data))
    if isinstance(mail, Mail):
        sound(mail)
    assert mail_or_code(raw_of(data)) == mail


@given(
    MESSAGES,
    st.lists(
        st.builds(
            RawPart,
            number=st.sampled_from(["1", "2", "1.1"]),
            content_type=st.sampled_from(
                ["text/plain", "text/html", "message/rfc822", "message/delivery-status", "a/b"]
            ),
            charset=st.none() | st.text(max_size=10),
            encoding=st.sampled_from(["", "base64", "quoted-printable", "x-odd"]),
            name=st.none() | st.text(max_size=30),
            disposition=st.sampled_from([None, "inline", "attachment"]),
            size=st.integers(0, 2**31),
            body=st.none() | st.binary(max_size=80),
            cut=st.booleans(),
            container=st.sampled_from(
                [(), ("mixed@",), ("report@",), ("mixed@", "alternative@1"), ("mixed@", "rfc822@2")]
            ),
            flowed=st.booleans(),
            delsp=st.booleans(),
        ),
        max_size=4,
    ),
)
@settings(max_examples=more(300), deadline=None)
def test_messages_in_parts(header: bytes, parts: list[RawPart]) -> None:
    mail = mail_or_code(RawMail(header=header, size=10**9, parts=tuple(parts)))
    if isinstance(mail, Mail):
        sound(mail)


@given(st.text(max_size=300))
def test_addresses_are_strict_or_none(text: str) -> None:
    """C7."""
    for entry in parse_addresses(text) or []:
        if entry.address is not None:
            assert strict_address(entry.address.address) == entry.address.address
            assert re.fullmatch(r"[^\s<>(),:;\"\\\[\]]+@[a-z0-9.-]+", entry.address.address)


@given(st.binary(max_size=300), st.none() | st.text(max_size=20))
def test_decoding_gives_storable_text(data: bytes, charset: str | None) -> None:
    text = clean_text(decode_text(data, charset))
    text.encode("utf-8")
    assert not re.search("[\x00-\x08\x0e-\x1f\x7f\r]", text)


@given(st.text(max_size=300))
def test_utf8_text_comes_back_as_it_was(text: str) -> None:
    clean = clean_text(text)
    if not re.search("[\u00c2\u00c3]", clean):
        assert decode_text(clean.encode("utf-8"), "utf-8") == clean.removeprefix("\ufeff")


@given(st.text(max_size=200), st.booleans())
def test_small_readers_end(text: str, flag: bool) -> None:
    decode_words(text)
    unflow(text, delsp=flag)
    read_results([("authentication-results", text)], "mx")
    shown = html_to_text(text)
    shown.text.encode("utf-8")
