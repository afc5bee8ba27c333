"""Whether the addresses of webhooks and of the sign-in service could be asked. Their names are looked up, no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from inboxbot.config.model import Settings
from inboxbot.daemon.findings import Finding, Level
from inboxbot.outgoing import obstacle

_FAULTS: Final = {
    "name_not_found": ("its name is not known", "check {key}, and the network"),
    "private_address": ("lies in a private network", "set {consent} = true if that is meant"),
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the settings: what it is for, its place in the settings, and whether it may be private."""

    area: str
    where: str
    url: str
    key: str
    consent: str
    private: bool
    use: str


def addresses_to_check(settings: Settings) -> Iterator[Address]:
    """Yield every address that inboxbot would ask over HTTP."""
    for first, company in enumerate(settings.company, 1):
        for second, hook in enumerate(company.webhooks, 1):
            place = f"company[{first}].webhooks[{second}]"
            use = f"would be told of {', '.join(hook.events)}"
            yield _address("webhook", hook.name, hook.url, f"{place}.url", f"{place}.private", hook.private, use)
        for second, system in enumerate(company.systems, 1):
            if system.webhook is not None:
                place = f"company[{first}].systems[{second}]"
                keys = f"{place}.webhook", f"{place}.webhook_private"
                use = "would be told of opt-outs"
                yield _address("webhook", system.name, system.webhook, *keys, system.webhook_private, use)
    oidc = settings.web.oidc if settings.web else None
    if oidc is not None:
        use = f"would sign staff in, known by the claim {oidc.claim}"
        yield _address("sign-in", oidc.name, oidc.issuer, "web.oidc.issuer", "web.oidc.private", oidc.private, use)


def _address(area: str, name: str, url: str, key: str, consent: str, private: bool, use: str) -> Address:
    return Address(area, f"{name} at {urlsplit(url).hostname}", url, key, consent, private, use)


def check_address(one: Address) -> list[Finding]:
    """Look the name up and see whether it may be asked; nothing is sent."""
    if one.area == "sign-in" and find_spec("jwt") is None:
        cure = 'pip install "inboxbot[oidc]"'
        return [Finding(one.area, one.where, Level.ERROR, "the library for signing in is not installed", cure)]
    code = obstacle(one.url, private=one.private)
    if code is None:
        return [Finding(one.area, one.where, Level.OK, one.use)]
    what, cure = _FAULTS[code]
    return [Finding(one.area, one.where, Level.ERROR, what, cure.format(key=one.key, consent=one.consent))]
