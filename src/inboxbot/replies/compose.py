"""From an approved letter to the bytes of one mail: to one person, in the right thread, with nothing injected.

The headers that carry foreign Message-IDs are written here, one id a line: the library would turn an id of more than
77 characters into an encoded word, and the reply would not thread (promises.md 0.6). Everything else is left to
`email.message.EmailMessage`, which refuses line ends in headers.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from inboxbot.cases.identity import mask_personal_numbers
from inboxbot.cases.references import find_references
from inboxbot.config.addresses import checked_address
from inboxbot.errors import RefusedError
from inboxbot.replies.facts import clean_line
from inboxbot.replies.render import Letter

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>", re.ASCII)  # printable ASCII without space and angle brackets
_MARK_NAME = re.compile(r"X-Inboxbot-[A-Za-z-]{1,40}")
_PREFIXES = re.compile(r"^(?:(?:re|sv|vs|vb|fw|fwd|aw|antw|ang|wg|odp)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_TAG = re.compile(r"\s*\[[A-Z][A-Z0-9]{0,7}-20\d{2}-\d{4,9}\]", re.IGNORECASE)
_MOST_REFERENCES = 30
_LONGEST_SUBJECT = 120
_LONGEST_LINE = 998
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")


@dataclass(frozen=True, slots=True)
class OutAttachment:
    """A file that goes with a letter: its name, its content type, its bytes."""

    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class LetterHeaders:
    """Who writes to whom, in which thread. Ids are in angle brackets; ``date`` is aware.

    ``in_reply_to`` is the mail that is answered, ``references`` that mail's own references, oldest first.
    ``auto_submitted`` is given only when no person approved the words (``auto-replied``, ``auto-generated``).
    ``marks`` are headers of ours, ``X-Inboxbot-…``.
    """

    from_name: str
    from_address: str
    to_address: str
    message_id: str
    date: dt.datetime
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    auto_submitted: str | None = None
    marks: Sequence[tuple[str, str]] = ()


def reply_subject(original: str, fallback: str, reference: str) -> str:
    """Return the subject of a letter: ``Re: …`` with the case reference once, at its end.

    ``original`` is the subject of the mail that is answered (``fallback`` when it is empty). Older prefixes and
    references are taken off, personal numbers masked, and the rest is cut at 120 characters.
    """
    subject = clean_line(original, _LONGEST_SUBJECT * 3)
    subject = _TAG.sub("", _PREFIXES.sub("", subject)).strip()
    subject = mask_personal_numbers(subject)
    if not subject:
        return f"{clean_line(fallback, _LONGEST_SUBJECT)} [{reference}]"
    if len(subject) > _LONGEST_SUBJECT:
        subject = f"{subject[: _LONGEST_SUBJECT - 1].rstrip()}…"
    return f"Re: {subject}" if reference in find_references(subject) else f"Re: {subject} [{reference}]"


def compose(letter: Letter, headers: LetterHeaders, attachments: Sequence[OutAttachment] = ()) -> bytes:
    """Return the mail as it is handed to the mail server: CR LF line ends, UTF-8 in quoted-printable, lines ≤ 998.

    Raises RefusedError when an address, our Message-ID or an attachment cannot stand in a mail. Foreign ids that are
    not well formed are left out: they cannot thread anyway.
    """
    for what, address in (("recipient", headers.to_address), ("sender", headers.from_address)):
        if not _is_plain_address(address):
            raise RefusedError(f"the {what}'s address is not a plain mail address", cure="correct it on the case")
    if not _MESSAGE_ID.fullmatch(headers.message_id) or headers.message_id.count("@") != 1:
        raise RefusedError("the letter's own Message-ID is not well formed")
    mail = EmailMessage(policy=SMTP)
    mail["Date"] = format_datetime(headers.date)
    mail["From"] = _sender(headers)
    mail["To"] = headers.to_address
    mail["Subject"] = clean_line(letter.subject, _LONGEST_SUBJECT + 40)
    if headers.auto_submitted:
        mail["Auto-Submitted"] = clean_line(headers.auto_submitted, 40)
    for name, value in headers.marks:
        if not _MARK_NAME.fullmatch(name):
            raise RefusedError(f"{name[:40]!r} is not a header of ours")
        mail[name] = clean_line(value, 200)
    mail.set_content(_clean_body(letter.body), charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = letter.language  # after the words: setting them drops every Content-… header
    for one in attachments:
        _attach(mail, one)
    return _checked(_thread_headers(headers) + mail.as_bytes(policy=SMTP))


def digest(recipient: str, subject: str, body: str, attachments: Sequence[OutAttachment] = ()) -> str:
    """Return the SHA-256 hex of exactly what a person approves: recipient, subject, body and every attachment."""
    total = hashlib.sha256()
    parts = [recipient.encode(), subject.encode(), body.encode()]
    for one in attachments:
        parts += [one.name.encode(), one.content_type.encode(), one.data]
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def _sender(headers: LetterHeaders) -> HeaderAddress:
    local, _, domain = headers.from_address.rpartition("@")
    return HeaderAddress(clean_line(headers.from_name, 100), local, domain)


def _is_plain_address(address: str) -> bool:
    try:
        return checked_address(address) == address.lower()
    except ValueError:
        return False


def _thread_headers(headers: LetterHeaders) -> bytes:
    answered = headers.in_reply_to if headers.in_reply_to and _MESSAGE_ID.fullmatch(headers.in_reply_to) else None
    chain = [one for one in headers.references if _MESSAGE_ID.fullmatch(one)]
    if answered:
        chain.append(answered)
    chain = list(dict.fromkeys(chain))
    if answered and chain[-1] != answered:
        chain.remove(answered)
        chain.append(answered)
    if len(chain) > _MOST_REFERENCES:
        chain = [chain[0], *chain[-_MOST_REFERENCES + 1 :]]
    lines = [f"Message-ID: {headers.message_id}"]
    if answered:
        lines.append(f"In-Reply-To: {answered}")
    if chain:
        lines.append("References: " + "\r\n ".join(chain))
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _clean_body(body: str) -> str:
    text = unicodedata.normalize("NFC", body.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (" " if letter in "\u2028\u2029\x85\f\v" else letter for letter in text)
    return "".join(
        letter for letter in kept if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs", "Co")
    )


def _attach(mail: EmailMessage, one: OutAttachment) -> None:
    name = clean_line(one.name.replace("/", "_").replace("\\", "_"), 120).lstrip("._ ")
    if not name or not _CONTENT_TYPE.fullmatch(one.content_type):
        raise RefusedError("an attachment needs a name and a content type such as application/pdf")
    kind, _, subtype = one.content_type.partition("/")
    if kind in ("text", "message", "multipart"):  # bytes are sent as they are, never re-coded
        kind, subtype = "application", "octet-stream"
    mail.add_attachment(one.data, maintype=kind, subtype=subtype, filename=name)


def _checked(wire: bytes) -> bytes:
    """Return ``wire`` if no bare CR or LF, no NUL and no over-long line could split it on its way (promises.md E4)."""
    lines = wire.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line or len(line) > _LONGEST_LINE for line in lines):
        raise RefusedError("the letter cannot be written as a mail: a line is too long or holds a stray line end")
    return wire
