"""Writing mails for the tests of the whole: invented people at example domains."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence

_numbers = itertools.count(1)
US = "kontakt@example.se"


def fresh_id(domain: str = "mail.example.org") -> str:
    """Return a Message-ID nobody has used, with its brackets."""
    return f"<{next(_numbers)}.invented@{domain}>"


def letter(
    subject: str,
    body: str,
    *,
    sender: str = "Anna Berg <anna.berg@example.org>",
    to: str = US,
    message_id: str | None = None,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "text/plain; charset=utf-8",
    encoding: str = "8bit",
    charset: str = "utf-8",
) -> bytes:
    """Return a mail with one part, as it lies in a mailbox: CR LF, header values as given (UTF-8)."""
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Message-ID: {message_id or fresh_id()}",
        "Date: Sun, 22 Nov 2026 07:00:00 +0100",
        "MIME-Version: 1.0",
        f"Content-Type: {content_type}",
        f"Content-Transfer-Encoding: {encoding}",
    ]
    if in_reply_to:
        lines.append(f"In-Reply-To: {in_reply_to}")
    if references:
        lines.append("References: " + "\r\n ".join(references))
    lines += [f"{name}: {value}" for name, value in headers]
    text = "\r\n".join(body.splitlines())
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text.encode(charset) + b"\r\n"


def access(person: str = "Anna Berg", **more: object) -> bytes:
    """Return a plain request for access from a person, whose address follows from the name."""
    given, _, family = person.partition(" ")
    address = f"{given}.{family}@example.org".lower().translate(str.maketrans("åäö", "aao"))
    values: dict[str, object] = {"sender": f"{person} <{address}>"} | more
    return letter(
        "Mina uppgifter",
        f"Hej!\nVilka uppgifter har ni om mig? Jag vill ha ett registerutdrag enligt artikel 15.\nHälsningar {given}",
        **values,  # type: ignore[arg-type]
    )


def bounce_of(message_id: str, recipient: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """Return a delivery report (RFC 3464) about a message of ours."""
    return "\r\n".join(
        [
            "Return-Path: <>",
            "From: Mail Delivery System <mailer-daemon@example.net>",
            f"To: {US}",
            "Subject: Undelivered Mail Returned to Sender",
            f"Message-ID: {fresh_id('example.net')}",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            "--b",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "Your message could not be delivered.",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.net",
            "",
            f"Final-Recipient: rfc822; {recipient}",
            f"Action: {action}",
            f"Status: {status}",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            f"From: {US}",
            f"To: {recipient}",
            f"Message-ID: {message_id}",
            "--b--",
            "",
        ]
    ).encode()


def with_attachment(subject: str, body: str, data: bytes, *, name: str, sender: str) -> bytes:
    """Return a mail with a text and a file."""
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    head = letter(subject, "", sender=sender, content_type='multipart/mixed; boundary="m"').partition(b"\r\n\r\n")[0]
    return (
        head
        + b"\r\n\r\n--m\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + body.encode()
        + b"\r\n--m\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        + f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + encoded
        + b"--m--\r\n"
    )
