"""Authentication-Results (RFC 8601), read tolerantly and trusted narrowly (law.md 6.1, promises.md C22).

Any hop and the sender can write this header. It counts only when it bears the name that the mailbox's own server is
configured with; whatever is absent, contradictory or unreadable is ``unknown``, never a failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from inboxbot.reading.addresses import strict_domain

UNKNOWN: Final = "unknown"
_HEADER: Final = "authentication-results"
_METHODS: Final = ("dmarc", "dkim", "spf")
_OUTCOMES: Final = frozenset(
    {"pass", "fail", "none", "neutral", "softfail", "temperror", "permerror", "policy", "hardfail"}
)
_RESULT: Final = re.compile(r"\s*([a-z0-9-]{1,40})(?:/\d{1,3})?\s*=\s*([a-z]{1,20})\b", re.IGNORECASE)
_PROPERTY: Final = re.compile(
    r"\b(header\.from|header\.d|header\.i|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?([^\s;\"]{1,320})", re.IGNORECASE
)
_IDENTITY: Final = re.compile(r"\s*(?:\"([^\s;\"]{1,255})\"|([^\s;\"]{1,255}))(?:\s+\d{1,3})?\s*\Z")
_READ: Final = 4096


@dataclass(frozen=True, slots=True)
class SenderEvidence:
    """What the mailbox's own server found out about the sending domain.

    Each outcome is a code of RFC 8601 or ``unknown``; ``domains`` are those that passed (A-labels), by method.
    """

    dmarc: str = UNKNOWN
    dkim: str = UNKNOWN
    spf: str = UNKNOWN
    domains: tuple[tuple[str, str], ...] = ()

    def shows(self, address: str) -> bool | None:
        """Whether the domain of ``address`` was proved: by DMARC, else by DKIM or SPF for it, above or below it.

        None when the server looked at none of the three.
        """
        domain = address.rpartition("@")[2].lower()
        if self.dmarc != UNKNOWN:
            return self.dmarc == "pass" and ("dmarc", domain) in self.domains
        if self.dkim == self.spf == UNKNOWN:
            return None
        return any(method in ("dkim", "spf") and _related(domain, proved) for method, proved in self.domains)


def _related(domain: str, proved: str) -> bool:
    return domain == proved or domain.endswith(f".{proved}") or (proved.endswith(f".{domain}") and "." in domain)


def read_results(headers: Sequence[tuple[str, str]], authserv_id: str | None) -> tuple[SenderEvidence, ...]:
    """Read every header of the trusted name among ``headers`` (lower-case names, message order), topmost first."""
    if not authserv_id:
        return ()
    own = [_methods(rest) for name, rest in map(_split, _values(headers)) if name == authserv_id.lower().rstrip(".")]
    return tuple(_evidence(methods) for methods in own)


def proved(headers: Sequence[tuple[str, str]], authserv_id: str | None, address: str) -> bool | None:
    """Return what all headers of the trusted name agree on about ``address``; None when they do not, or say nothing.

    A server may write one header for each method; one that says otherwise was perhaps put there by the sender.
    """
    told = {evidence.shows(address) for evidence in read_results(headers, authserv_id)}
    return told.pop() if len(told) == 1 else None


def _evidence(methods: dict[str, tuple[str, tuple[str, ...]]]) -> SenderEvidence:
    passed = [(method, name) for method, (outcome, names) in methods.items() if outcome == "pass" for name in names]
    outcomes = {method: methods[method][0] if method in methods else UNKNOWN for method in _METHODS}
    return SenderEvidence(**outcomes, domains=tuple(passed))


def _values(headers: Sequence[tuple[str, str]]) -> list[str]:
    return [_without_comments(value[:_READ]) for name, value in headers if name == _HEADER][:50]


def _without_comments(value: str) -> str:
    """Cut out comments, nested ones too; what stands in quotes is kept."""
    kept: list[str] = []
    depth = 0
    quoted = False
    for letter in value:
        if letter == '"' and not depth:
            quoted = not quoted
        if not quoted and letter == "(":
            depth += 1
        elif not quoted and letter == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept)


def _split(value: str) -> tuple[str, str]:
    """Return the name of the server that wrote the header in lower case, and the results; "" when it has no name."""
    head, _, rest = value.partition(";")
    found = _IDENTITY.match(head)
    if found is None or "=" in head:
        return "", value
    return (found[1] or found[2]).lower().rstrip("."), rest


def _methods(rest: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return each method's outcome and the domains it names. Several DKIM signatures: one that passes is enough."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for piece in rest.split(";")[:50]:
        told = _RESULT.match(piece)
        if told is None:
            continue
        method, outcome = told[1].lower(), told[2].lower()
        if method not in _METHODS or outcome not in _OUTCOMES:
            continue
        domains = _domains(method, piece)
        before = found.get(method)
        if before is None or (method == "dkim" and outcome == "pass" and before[0] != "pass"):
            found[method] = outcome, domains
        elif before[0] == outcome:
            found[method] = outcome, (*before[1], *domains)
        elif method != "dkim":
            found[method] = UNKNOWN, ()
    return found


def _domains(method: str, piece: str) -> tuple[str, ...]:
    wanted = {"dmarc": ("header.from",), "dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}[method]
    told = {name.lower(): value for name, value in _PROPERTY.findall(piece)}
    for name in wanted:
        if name in told:
            domain = strict_domain(told[name].rpartition("@")[2].strip("<>"))
            return (domain,) if domain else ()
    return ()
