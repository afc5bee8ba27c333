"""The audit as a part of `inboxbot check`: one line when all is well, a line for each broken promise."""

from __future__ import annotations

import datetime as dt
from typing import Final

from inboxbot.config.model import Settings
from inboxbot.daemon.auditing import audit_all
from inboxbot.daemon.findings import Finding, Level
from inboxbot.desk.context import Desk
from inboxbot.errors import StoreError
from inboxbot.store.engine import Store
from inboxbot.store.schema import require_current, secret

_MOST: Final = 200  # header blocks of each folder: a check is to be quick
_CURE: Final = "`inboxbot audit` shows all; docs/reliability.md says what each promise means"


def check_audit(settings: Settings, *, now: dt.datetime) -> list[Finding]:
    """Audit an installation that has a database; whatever keeps that from being opened is told by other checks.

    Mailboxes that cannot be reached are left out here: the sign-in has a line of its own.
    """
    store = Store(settings.database.url, folder=settings.folder)
    try:
        if store.path is not None and not store.path.exists():
            return []
        require_current(store)
        with store.read() as connection:
            desk = Desk(store, settings, secret(connection))
        result = audit_all(desk, now=now, most=_MOST)
    except StoreError:
        return []
    finally:
        store.close()
    broken = [
        Finding("audit", f"{one['promise']} {one['where']}".strip(), Level.ERROR, one["what"], _CURE)
        for one in result["findings"]
    ]
    things, promises = sum(result["checked"].values()), len(result["checked"])
    seen = sum(one["messages"] for one in result["mailboxes"])
    what = f"{promises} promises hold: {things} things looked at, {seen} messages in mailboxes among them"
    return broken or [Finding("audit", store.place, Level.OK, what)]
