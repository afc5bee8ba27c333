"""The fetch plan against a real Dovecot: everything comes, little is read, nothing is changed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

from tests.mailbox.conftest import Connect
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import HARMLESS, Faults, Proxy

from inboxbot.mailbox.fetching import Fetched, FetchedHeader, FetchLimits, Missing
from inboxbot.reading.read import read_mail, read_whole
from inboxbot.reading.receipt import receipt_time

MEGABYTE = 1024 * 1024


def small(number: int) -> bytes:
    return (
        f"From: Anna <anna{number}@example.com>\r\nTo: kontakt@example.se\r\nSubject: Fråga {number}\r\n"
        f"Message-ID: <m{number}@example.com>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nVad vet ni om mig?\r\n"
    ).encode()


def large(size: int, *, tail: bool = True) -> bytes:
    blob = base64.encodebytes(b"\x89" * size).replace(b"\n", b"\r\n")
    head = (
        "From: Bo <bo@example.org>\r\nSubject: Med bilaga\r\nMIME-Version: 1.0\r\n"
        "Message-ID: <stor@example.org>\r\n"
        'Content-Type: multipart/mixed; boundary="a b=c"\r\n\r\n--a b=c\r\n'
        'Content-Type: multipart/alternative; boundary="alt"\r\n\r\n'
        "--alt\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        "Radera allt ni har om mig, sn=E4lla.\r\n"
        "--alt\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>Radera allt ni har om mig, snälla.</p>\r\n--alt--\r\n"
        "--a b=c\r\nContent-Type: image/png; name*=utf-8''k%C3%B6rkort.png\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename*=utf-8''k%C3%B6rkort.png\r\n\r\n"
    ).encode()
    end = b"--a b=c\r\nContent-Type: text/plain\r\n\r\nSkickat fr\xc3\xa5n min telefon\r\n" if tail else b""
    return head + blob + end + b"--a b=c--\r\n"


def test_thirty_mails_come_with_few_bytes_and_commands_and_nothing_changes(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    """C43."""
    messages = [small(number) for number in range(33)] + [large(20 * MEGABYTE), large(200_000)]
    dovecot.append(user, messages)
    before = dovecot.state(user)
    with Proxy(("127.0.0.1", dovecot.port)) as proxy:
        server = connect(proxy.port, user)
        state = server.open("INBOX")
        fetched = list(server.fetch(server.uids_above(0)))
        server.close()
        commands, verbs, read = proxy.commands(), proxy.verbs(), proxy.from_server
    assert state.exists == 35
    assert [item.uid for item in fetched] == list(range(1, 36))
    mails = [read_mail(item.raw) for item in fetched if isinstance(item, Fetched)]
    assert [mail.subject for mail in mails[:33]] == [f"Fråga {number}" for number in range(33)]
    for mail in mails[33:]:
        assert mail.text == "Radera allt ni har om mig, snälla.\n\nSkickat från min telefon"
        assert [(item.part, item.name, item.content_type) for item in mail.attachments] == [
            ("2", "körkort.png", "image/png")
        ]
    assert read < MEGABYTE
    assert sum(command.startswith("UID FETCH") for command in commands) == 3
    assert set(verbs) <= HARMLESS
    assert not any("RFC822)" in command or "BODY[" in command for command in commands)
    assert dovecot.state(user) == before


def test_a_mail_read_in_parts_is_the_mail_read_whole(dovecot: Dovecot, user: str, connect: Connect) -> None:
    message = large(300_000)
    dovecot.append(user, [message])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    in_parts, whole = read_mail(item.raw), read_whole(message)
    assert item.raw.whole is None
    assert in_parts == whole


def test_a_forward_and_a_bounce_with_long_attachments_are_read_in_parts(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    forward = (
        b"From: Per <per@example.se>\r\nSubject: VB: hej\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
        b"--y\r\nContent-Type: text/plain\r\n\r\nSe nedan.\r\n--y\r\nContent-Type: message/rfc822\r\n\r\n"
        + large(100_000, tail=False)
        + b"\r\n--y--\r\n"
    )
    bounce = (
        b"From: MAILER-DAEMON@example.net\r\nReturn-Path: <>\r\nSubject: failed\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=z\r\n\r\n"
        b"--z\r\nContent-Type: text/plain\r\n\r\nCould not deliver.\r\n"
        b"--z\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n"
        b"Final-Recipient: rfc822; borta@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--z\r\nContent-Type: message/rfc822\r\n\r\n" + large(100_000) + b"\r\n--z--\r\n"
    )
    dovecot.append(user, [forward, bounce])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    first, second = server.fetch([1, 2])
    assert isinstance(first, Fetched)
    assert isinstance(second, Fetched)
    mail = read_mail(first.raw)
    assert mail == read_whole(forward)
    assert "Radera allt ni har om mig" in mail.text
    assert "forwarded" in mail.flags
    report = read_mail(second.raw).report
    assert report is not None
    assert report.original_ids == ("<stor@example.org>",)
    assert (report.actions, report.statuses, report.recipients) == (("failed",), ("5.1.1",), ("borta@example.net",))


def test_texts_behind_the_first_bytes_are_fetched(dovecot: Dovecot, user: str, connect: Connect) -> None:
    message = (
        b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n"
        b"--q\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(b"x" * 200_000).replace(b"\n", b"\r\n")
        + b"--q\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + "Sluta mejla mig. åäö\r\n".encode() * 60_000
        + b"--q--\r\n"
    )
    dovecot.append(user, [message])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    (item,) = server.fetch([1], limits=FetchLimits(text=100_000))
    assert isinstance(item, Fetched)
    mail = read_mail(item.raw)
    assert mail.text.startswith("Sluta mejla mig. åäö\n")
    assert "cut" in mail.flags
    assert len(mail.text) < 100_000


def test_headers_longer_than_the_first_bytes_are_fetched_up_to_the_cap(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    filler = b"".join(b"X-Filler-%d: %s\r\n" % (number, b"y" * 900) for number in range(100))
    message = b"From: a@example.com\r\n" + filler + b"Subject: Sist\r\n\r\nHej\r\n"
    dovecot.append(user, [message])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    assert read_mail(item.raw).subject == "Sist"
    assert read_mail(item.raw).text == "Hej"


def test_header_digests_are_those_of_the_mails(dovecot: Dovecot, user: str, connect: Connect) -> None:
    odd = b"From: a@example.com\nSubject: bara LF\n folded\n\nText\n"
    messages = [small(1), large(150_000), odd, b"Subject: no body\r\n\r\n", b"\r\nbody only\r\n"]
    moment = dt.datetime(2026, 11, 20, 23, 59, 1, tzinfo=dt.UTC)
    dovecot.append(user, messages, at=moment)
    server = connect(dovecot.port, user)
    server.open("INBOX")
    uids = server.all_uids()
    brought = {item.uid: item for item in server.fetch(uids) if isinstance(item, Fetched)}
    headers = [item for item in server.fetch_headers(uids) if isinstance(item, FetchedHeader)]
    assert len(headers) == len(messages)
    for header in headers:
        mine = brought[header.uid]
        assert header.digest == hashlib.sha256(mine.raw.header).hexdigest()
        assert (header.size, header.internaldate) == (mine.size, moment)
        assert mine.internaldate == moment


def test_an_attachment_is_fetched_decoded_and_bounded(dovecot: Dovecot, user: str, connect: Connect) -> None:
    dovecot.append(user, [large(150_000), small(1)])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    assert server.fetch_part(1, "2", 10 * MEGABYTE) == b"\x89" * 150_000
    assert 0 < len(server.fetch_part(1, "2", 4000)) <= 3000
    assert server.fetch_part(2, "1", 1000) == b"Vad vet ni om mig?\r\n"


def test_f12_a_mail_that_vanished_before_the_fetch_is_told_missing(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    """F12, F40."""
    dovecot.append(user, [small(1), small(2)])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    uids = server.all_uids()
    dovecot.doveadm("expunge", "-u", user, "mailbox", "INBOX", "uid", "1")
    server.noop()
    first, second = server.fetch([*uids[:1], uids[1]])
    assert first == Missing(1)
    assert isinstance(second, Fetched)


def test_f26_one_byte_at_a_time_brings_the_same(dovecot: Dovecot, user: str, connect: Connect) -> None:
    dovecot.append(user, [small(1), small(2)])
    with Proxy(("127.0.0.1", dovecot.port), Faults(slice=True)) as proxy:
        server = connect(proxy.port, user)
        server.open("INBOX")
        assert [read_mail(item.raw).subject for item in server.fetch([1, 2]) if isinstance(item, Fetched)] == [
            "Fråga 1",
            "Fråga 2",
        ]


def test_f36_uids_near_the_end_of_their_range(dovecot: Dovecot, user: str, connect: Connect) -> None:
    dovecot.append(user, [small(1)])
    dovecot.doveadm("mailbox", "update", "-u", user, "--min-next-uid", "4294967290", "INBOX")
    dovecot.append(user, [small(2)])
    server = connect(dovecot.port, user)
    server.open("INBOX")
    (uid,) = server.uids_above(1)
    assert uid >= 4294967290
    (item,) = server.fetch([uid])
    assert isinstance(item, Fetched)
    assert server.uids_above(uid) == []
    assert server.uids_above(2**32 - 1) == []


def test_a_mail_delivered_by_the_mail_system_tells_its_envelope_and_its_receipt(
    dovecot: Dovecot, user: str, connect: Connect
) -> None:
    dovecot.deliver(user, small(1), sender="anna@example.com")
    dovecot.deliver(user, small(2), sender="")
    server = connect(dovecot.port, user)
    server.open("INBOX")
    first, second = (read_mail(item.raw) for item in server.fetch([1, 2]) if isinstance(item, Fetched))
    assert (first.return_path, second.return_path) == ("anna@example.com", "")
    (item,) = server.fetch([1])
    assert isinstance(item, Fetched)
    received = [value for name, value in first.headers if name == "received"]
    host = received[0].split(" by ")[1].split(" ")[0]
    receipt = receipt_time(item.internaldate, received, [host], item.internaldate + dt.timedelta(minutes=1))
    assert abs(receipt.at - item.internaldate) < dt.timedelta(seconds=30)
    assert receipt.note is None
