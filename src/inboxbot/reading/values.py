"""The values of the reading room: what comes in (`RawMail`) and what goes out (`Mail`)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class RawPart:
    """One leaf of a message, as told by the server's BODYSTRUCTURE.

    ``number`` is the IMAP part number (``"1.2"``). ``body`` holds the still encoded bytes of a text part, perhaps
    cut at the fetch limit (``cut``), or None when the part was left in the mailbox. ``size`` is in bytes, encoded.
    ``container`` names the multiparts and messages around the part, outermost first, as ``"alternative@1"`` (subtype
    and part number; the top is ``"mixed@"``, an attached message ``"rfc822@2"``). Of an attached message ``body``
    holds its header block.
    """

    number: str
    content_type: str  # lower case, "text/plain"
    charset: str | None
    encoding: str  # content-transfer-encoding, lower case
    name: str | None
    disposition: str | None  # "attachment" | "inline" | None
    size: int
    body: bytes | None = None
    cut: bool = False
    container: tuple[str, ...] = ()
    flowed: bool = False
    delsp: bool = False


@dataclass(frozen=True, slots=True)
class RawMail:
    """What was fetched of one message.

    Small messages come whole (``whole`` is the message as the server gave it, ``header`` its header block with the
    empty line that ends it). Of large ones only the header block and ``parts`` come. ``size`` is RFC822.SIZE in bytes.
    """

    header: bytes
    size: int
    whole: bytes | None = None
    parts: tuple[RawPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address: ``address`` bare, domain as A-label, all lower case; ``name`` the decoded display name or ""."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment that stays in the mailbox: IMAP part number, cleaned name, type, encoded size in bytes."""

    part: str
    name: str
    content_type: str
    size: int


class SegmentKind(StrEnum):
    """Whose words a stretch of text holds."""

    NEW = "new"
    QUOTED = "quoted"
    FORWARDED = "forwarded"
    SIGNATURE = "signature"
    FOOTER = "footer"  # disclaimers and mailing-list or newsletter footers


@dataclass(frozen=True, slots=True)
class Segment:
    """The stretch ``text[start:end]`` in code points. The segments of a text are in order and cover all of it."""

    kind: SegmentKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ForwardedSender:
    """The sender named inside a forward: who, and from which line of the text that was read."""

    address: Address
    source: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a delivery report says: about which of our messages, for whom, and what became of it.

    ``original_ids`` are Message-IDs with angle brackets; ``actions`` are lower case ("failed", "delayed"), ``statuses``
    are enhanced codes ("5.1.1"), ``recipients`` bare addresses. All of it is what the report claims.
    """

    original_ids: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """One readable mail. Nothing in it is trusted: it is what the message says about itself.

    Message-IDs keep their angle brackets (``"<a@b>"``); one that is not strictly formed is left out.

    ``sender`` is None when From is missing, doubled or not a strict address; ``sender_fault`` then holds a code
    (``no_sender``, ``ambiguous_sender``, ``invalid_sender``). ``headers`` are the decoded headers that later rooms
    need, lower-case names, in message order (Authentication-Results, Received, Auto-Submitted, List-Id …).
    ``segments`` split ``text``. ``flags`` are codes: ``no_text``, ``html_only``, ``html_fallback``, ``hidden_text``,
    ``parts_differ``, ``encrypted``, ``tnef``, ``forwarded``, ``cut``, ``name_looks_like_address``,
    ``lookalike``, ``reply_to_differs``, ``empty``, ``too_deep``, ``external_part``, ``unreadable`` (only the headers
    could be read). ``digest`` is the SHA-256 hex of the header block as fetched.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date_text: str | None
    sender: Address | None
    sender_fault: str | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    return_path: str | None  # "" for the null path, None when absent
    subject: str
    text: str
    segments: tuple[Segment, ...]
    attachments: tuple[Attachment, ...]
    headers: tuple[tuple[str, str], ...]
    flags: frozenset[str]
    digest: str
    size: int
    inner_sender: ForwardedSender | None = None
    report: DeliveryReport | None = None
    has_page: bool = False  # some of its words came as HTML

    def header(self, name: str) -> str | None:
        """Return the first value of a kept header (``name`` in lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    def words(self, *kinds: SegmentKind) -> str:
        """Return the text of the segments of these kinds, joined by newlines."""
        return "\n".join(self.text[part.start : part.end] for part in self.segments if part.kind in kinds)


class UnreadableError(Exception):
    """A mail that cannot be read; ``code`` is the reason it is held with (``headers_too_large``, ``too_deep`` …)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
