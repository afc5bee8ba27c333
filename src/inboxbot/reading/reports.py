"""Delivery reports (RFC 3464): which of our messages did not arrive, for whom, and with what status."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from inboxbot.reading.addresses import strict_address
from inboxbot.reading.charsets import decode_text
from inboxbot.reading.headers import every, read_part_fields
from inboxbot.reading.transfer import decode_body
from inboxbot.reading.values import DeliveryReport, RawPart

_MOST: Final = 50
_READ_BYTES: Final = 64 * 1024
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,996}@[!-;=?A-~]{1,255}>")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_BLOCKS: Final = re.compile(rb"\r?\n[ \t]*\r?\n")


def read_report(parts: Iterable[RawPart]) -> DeliveryReport | None:
    """Read the delivery report among the parts, or return None when there is none."""
    inside = [part for part in parts if any(name.startswith("report@") for name in part.container)]
    told = [part for part in inside if part.content_type == "message/delivery-status"]
    if not told:
        return None
    actions: list[str] = []
    statuses: list[str] = []
    recipients: list[str] = []
    for block in _BLOCKS.split(decode_body(told[0])[:_READ_BYTES])[: _MOST + 1]:
        for field in read_part_fields(block.strip() + b"\r\n"):
            value = field.text
            if field.name == "action":
                actions.append(value.lower()[:20])
            elif field.name == "status" and (found := _STATUS.match(value)):
                statuses.append(found[0])
            elif field.name in ("final-recipient", "original-recipient"):
                bare = strict_address(value.rpartition(";")[2].strip().strip("<>"))
                recipients.extend([bare] if bare else [])
    originals = [part for part in inside if part.content_type in ("message/rfc822", "text/rfc822-headers")]
    ids = [found for part in originals for found in _original_ids(part)]
    return DeliveryReport(
        tuple(dict.fromkeys(ids)),
        tuple(dict.fromkeys(actions)),
        tuple(dict.fromkeys(statuses)),
        tuple(dict.fromkeys(recipients)),
    )


def _original_ids(part: RawPart) -> list[str]:
    block = (part.body or b"") if part.content_type == "message/rfc822" else decode_body(part)
    fields = every(read_part_fields(block), "message-id")
    return [field.raw for field in fields if _MESSAGE_ID.fullmatch(decode_text(field.raw.encode("utf-8", "replace")))]
