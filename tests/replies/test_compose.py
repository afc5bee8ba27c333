"""The bytes of a letter: threading, charset, one recipient, and nothing injected."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inboxbot.errors import RefusedError
from inboxbot.replies.compose import LetterHeaders, OutAttachment, compose, digest, reply_subject
from inboxbot.replies.render import Letter

LETTER = Letter(
    "receipt",
    "sv",
    "Re: Åsikter om räksmörgås [EX-2026-0001]",
    "Hej Åsa,\n\nVi svarar på måndag.\n\nHälsningar\nÖrjan\n",
)
HEADERS = LetterHeaders(
    from_name="Exempel Åkeri AB",
    from_address="kontakt@example.se",
    to_address="asa@example.com",
    message_id="<ib.1.abc.def@example.se>",
    date=dt.datetime(2026, 3, 5, 9, 0, tzinfo=dt.UTC),
    in_reply_to="<question@example.com>",
    references=("<first@example.com>", "<second@example.com>"),
)
LONG_ID = f"<{'AM7PR05MB' * 9}@AM7PR05MB7001.eurprd05.prod.outlook.example.com>"


def parsed(wire: bytes) -> EmailMessage:
    mail = email.message_from_bytes(wire, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_a_letter_reads_back_as_it_was_written() -> None:
    mail = parsed(compose(LETTER, HEADERS))
    assert mail["Subject"] == LETTER.subject
    assert mail["To"] == "asa@example.com"
    assert mail["From"] == "Exempel Åkeri AB <kontakt@example.se>"
    assert mail["Message-ID"] == HEADERS.message_id
    assert mail["Content-Language"] == "sv"
    assert mail["In-Reply-To"] == "<question@example.com>"
    assert mail["References"].split() == ["<first@example.com>", "<second@example.com>", "<question@example.com>"]
    assert mail["Date"].datetime == HEADERS.date
    assert mail["Auto-Submitted"] is None
    assert mail["Cc"] is None
    assert mail["Bcc"] is None
    assert mail.get_content().replace("\r\n", "\n") == LETTER.body
    assert mail.get_content_type() == "text/plain"
    assert mail["Content-Type"].params["charset"] == "utf-8"


def test_on_the_wire_there_is_only_ascii_in_short_lines_with_crlf() -> None:
    """F64."""
    wire = compose(LETTER, HEADERS)
    assert wire.isascii()
    assert wire.count(b"\n") == wire.count(b"\r\n") == wire.count(b"\r")
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78


def test_long_ids_are_written_as_they_are() -> None:
    assert len(LONG_ID) > 100
    wire = compose(LETTER, replace(HEADERS, in_reply_to=LONG_ID, references=(LONG_ID, "<b@example.com>")))
    assert f"In-Reply-To: {LONG_ID}\r\n".encode() in wire
    assert b"=?" not in wire.split(b"Date:")[0]
    assert parsed(wire)["References"].split() == ["<b@example.com>", LONG_ID]


def test_a_long_thread_keeps_its_first_and_its_last() -> None:
    ids = [f"<{number}@example.com>" for number in range(200)]
    found = parsed(compose(LETTER, replace(HEADERS, references=ids)))["References"].split()
    assert len(found) == 30
    assert (found[0], found[-1]) == ("<0@example.com>", "<question@example.com>")


@pytest.mark.parametrize(
    "bad",
    [
        "<a@example.com>\r\nBcc: x@example.net",
        "no brackets",
        "<a b@example.com>",
        "<å@example.com>",
        "<>",
        f"<{'a' * 600}@x>",
    ],
)
def test_broken_foreign_ids_are_left_out(bad: str) -> None:
    """E2."""
    mail = parsed(compose(LETTER, replace(HEADERS, in_reply_to=bad, references=(bad, "<ok@example.com>"))))
    assert mail["In-Reply-To"] is None
    assert mail["References"] == "<ok@example.com>"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: x@example.net", "Eve\x00\x85\u2028", "a" * 400, '"Eve" <x@example.net>', "=?utf-8?q?x?="]
)
def test_hostile_names_and_subjects_add_no_header(name: str) -> None:
    """E2."""
    mail = parsed(compose(replace(LETTER, subject=f"Re: {name}"), replace(HEADERS, from_name=name)))
    assert sorted(mail.keys()) == sorted(parsed(compose(LETTER, HEADERS)).keys())
    assert [one.addr_spec for one in mail["From"].addresses] == ["kontakt@example.se"]
    assert [one.addr_spec for one in mail["To"].addresses] == ["asa@example.com"]


@pytest.mark.parametrize(
    "address", ["a@example.com, b@example.net", "a@example.com\r\nRCPT TO:<b@example.net>", "<a@example.com>", "a", ""]
)
def test_only_one_plain_recipient(address: str) -> None:
    """F56, E6."""
    with pytest.raises(RefusedError, match="plain mail address"):
        compose(LETTER, replace(HEADERS, to_address=address))


@pytest.mark.parametrize(
    "body",
    ["a\n.\nb\n", "a\r.\r\nb", "a\r\n.\r\nQUIT\r\n", "x" * 5000, "å" * 3000, "\x00\x85\u2028\ud800", "From here\n"],
)
def test_no_body_can_split_the_mail(body: str) -> None:
    """E4."""
    wire = compose(replace(LETTER, body=body), HEADERS)
    assert wire.count(b"\r") == wire.count(b"\n") == wire.count(b"\r\n")
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert b"\0" not in wire


@settings(max_examples=60)
@given(st.text(max_size=200), st.text(max_size=400), st.text(max_size=80))
def test_any_text_makes_one_well_formed_mail(subject: str, body: str, name: str) -> None:
    """E3, E4."""
    mail = parsed(compose(replace(LETTER, subject=f"x{subject}", body=body), replace(HEADERS, from_name=name)))
    assert mail["To"] == "asa@example.com"
    assert mail["Bcc"] is None
    assert not mail.is_multipart()


def test_a_robots_letter_says_so_and_our_marks_go_with_it() -> None:
    headers = replace(HEADERS, auto_submitted="auto-replied", marks=(("X-Inboxbot-Draft", "ib.1.a.b"),))
    mail = parsed(compose(LETTER, headers))
    assert (mail["Auto-Submitted"], mail["X-Inboxbot-Draft"]) == ("auto-replied", "ib.1.a.b")
    with pytest.raises(RefusedError, match="header of ours"):
        compose(LETTER, replace(HEADERS, marks=(("Bcc", "x@example.net"),)))


def test_attachments_arrive_byte_for_byte() -> None:
    data = bytes(range(256)) * 40
    files = [
        OutAttachment("../utdrag å.zip", "application/zip", data),
        OutAttachment("u.csv", "text/csv", b"a;b\r\n\n"),
    ]
    wire = compose(LETTER, HEADERS, files)
    found = list(parsed(wire).iter_attachments())
    assert [one.get_filename() for one in found] == ["utdrag å.zip", "u.csv"]
    assert [one.get_payload(decode=True) for one in found] == [data, b"a;b\r\n\n"]
    assert wire.count(b"\n") == wire.count(b"\r\n")
    body = parsed(wire).get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == LETTER.body
    with pytest.raises(RefusedError, match="attachment"):
        compose(LETTER, HEADERS, [OutAttachment("", "application/zip", b"")])


def test_the_digest_changes_with_every_part() -> None:
    file = OutAttachment("a.zip", "application/zip", b"x")
    digests = {
        digest("a@example.com", "s", "b"),
        digest("b@example.com", "s", "b"),
        digest("a@example.com", "sb", ""),
        digest("a@example.com", "", "sb"),
        digest("a@example.com", "s", "b", [file]),
        digest("a@example.com", "s", "b", [replace(file, data=b"y")]),
        digest("a@example.com", "s", "b", [replace(file, name="b.zip")]),
    }
    assert len(digests) == 7
    assert digest("a@example.com", "s", "b", [file]) == digest("a@example.com", "s", "b", (file,))


@pytest.mark.parametrize(
    ("original", "subject"),
    [
        ("Mina uppgifter", "Re: Mina uppgifter [EX-2026-0001]"),
        ("SV: Re: re: Mina uppgifter [EX-2026-0001]", "Re: Mina uppgifter [EX-2026-0001]"),
        ("", "Vi har tagit emot ditt mejl [EX-2026-0001]"),
        ("Re:", "Vi har tagit emot ditt mejl [EX-2026-0001]"),
        ("ärende EX-2026-0001", "Re: ärende EX-2026-0001"),
        ("jag är 811228-9874", "Re: jag är 811228-**** [EX-2026-0001]"),
        ("a\r\nBcc: x@example.net", "Re: a Bcc: x@example.net [EX-2026-0001]"),
    ],
)
def test_the_subject_of_an_answer(original: str, subject: str) -> None:
    assert reply_subject(original, "Vi har tagit emot ditt mejl", "EX-2026-0001") == subject


def test_a_long_subject_is_cut_and_keeps_its_reference() -> None:
    subject = reply_subject("å" * 500, "x", "EX-2026-0001")
    assert len(subject) < 145
    assert subject.endswith("… [EX-2026-0001]")
