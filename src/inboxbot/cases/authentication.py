"""What the receiving server found about a mail's origin: read only from a field that it wrote itself (law.md 6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*=\s*([a-z]+)", re.IGNORECASE | re.ASCII)
_PROPERTY = re.compile(
    r"(header\.from|header\.d|header\.i|smtp\.mailfrom)\s*=\s*\"?([^\s\";]+)", re.IGNORECASE | re.ASCII
)
_BY = re.compile(r"\bby\s+([a-z0-9.-]+)", re.IGNORECASE | re.ASCII)
_LONGEST_RESULT = 4000


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
    if not authserv_id or "@" not in from_address:
        return None
    domain = from_address.rpartition("@")[2].lower()
    found: list[bool | None] = []
    for number, (name, value) in enumerate(headers):
        if name == "received" and not _is_trusted_hop(value, trusted_received, headers[:number]):
            break
        if name == "authentication-results":
            server, _, results = _COMMENT.sub("", value[:_LONGEST_RESULT]).partition(";")
            if server.lower().split()[:1] == [authserv_id.lower()]:
                found.append(_aligned(results, domain))
    return found[0] if len(set(found)) == 1 else None


def _is_trusted_hop(received: str, trusted: Sequence[str], before: Sequence[tuple[str, str]]) -> bool:
    if not trusted:
        return not any(name == "received" for name, _ in before)
    by = _BY.search(received[:_LONGEST_RESULT])
    host = by.group(1).lower().rstrip(".") if by else ""
    return any(host == one.lower() or host.endswith(f".{one.lower()}") for one in trusted)


def _aligned(results: str, domain: str) -> bool | None:
    verdicts: dict[str, bool] = {}
    for part in results.split(";"):
        method = _RESULT.match(part)
        if not method:
            continue
        values = {key.lower(): value.lower().rpartition("@")[2] for key, value in _PROPERTY.findall(part)}
        named = (
            values.get("header.from") or values.get("header.d") or values.get("header.i") or values.get("smtp.mailfrom")
        )
        aligned = bool(named) and _same_organisation(str(named), domain)
        name = method.group(1).lower()
        verdicts[name] = verdicts.get(name, False) or (method.group(2).lower() == "pass" and aligned)
    if "dmarc" in verdicts:
        return verdicts["dmarc"]
    if not verdicts.keys() & {"dkim", "spf"}:
        return None
    return verdicts.get("dkim", False) or verdicts.get("spf", False)


def _same_organisation(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or (other.endswith(f".{one}") and "." in one)
