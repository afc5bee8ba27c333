"""What the receiving server found about a mail's origin: read only from a field that it wrote itself (law.md 6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from inboxbot.reading.authentication import proved

_BY: Final = re.compile(r"\bby\s+([a-z0-9.-]+)", re.IGNORECASE | re.ASCII)
_LONGEST_RECEIVED: Final = 4000


def authenticated(
    headers: Sequence[tuple[str, str]],
    from_address: str,
    authserv_id: str | None,
    trusted_received: Sequence[str] = (),
) -> bool | None:
    """Return whether a trusted server found that From's domain allowed the mail; None is unknown (law.md 6.1).

    ``headers`` in message order, names in lower case. Only an Authentication-Results field with the configured id that
    stands above the first Received line of a host outside ``trusted_received`` counts (without that list: above the
    second Received line); two that disagree are unknown. Without a configured id nothing is trusted.
    """
    if "@" not in from_address:
        return None
    return proved(_above_foreign_hops(headers, trusted_received), authserv_id, from_address)


def _above_foreign_hops(headers: Sequence[tuple[str, str]], trusted: Sequence[str]) -> Sequence[tuple[str, str]]:
    hops = [number for number, (name, _) in enumerate(headers) if name == "received"]
    foreign = [number for number in hops if not _is_trusted_hop(headers[number][1], trusted)] if trusted else hops[1:]
    return headers[: foreign[0]] if foreign else headers


def _is_trusted_hop(received: str, trusted: Sequence[str]) -> bool:
    by = _BY.search(received[:_LONGEST_RECEIVED])
    host = by.group(1).lower().rstrip(".") if by else ""
    return any(host == one.lower() or host.endswith(f".{one.lower()}") for one in trusted)
