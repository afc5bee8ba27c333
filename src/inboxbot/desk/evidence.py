"""What is known about who writes in a case: what its mails show, and what staff recorded."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Connection

from inboxbot.cases.identity import Evidence
from inboxbot.cases.values import Case
from inboxbot.store.checklists import Identity, load_identity
from inboxbot.store.mails import mails_of

_NAMES = frozenset(one.name for one in fields(Evidence))


def evidence_on_case(connection: Connection, case: Case) -> Evidence:
    """Return the evidence of a case: the newest incoming mail's own, with everything that was recorded since."""
    return merged(_shown(connection, case), load_identity(connection, case.id))


def merged(shown: dict[str, Any], identity: Identity) -> Evidence:
    """Return what a mail shows together with what staff recorded."""
    values = {key: value for key, value in shown.items() if key in _NAMES}
    values |= {key: value for key, value in identity.facts.items() if key in _NAMES}
    values |= {"looked_up": identity.looked_up, "address_on_file": identity.address_on_file}
    return Evidence(**values)


def _shown(connection: Connection, case: Case) -> dict[str, Any]:
    incoming = [mail for mail in mails_of(connection, case.id) if mail["direction"] == "in"]
    for mail in reversed(incoming):
        shown = mail["detail"].get("identity")
        if shown:
            return dict(shown)
    return {"from_address": case.requester or ""}
