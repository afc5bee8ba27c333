"""What every test of faults ends with: the audit, as a person would run it, finds nothing broken."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from inboxbot.config.load import load_settings
from inboxbot.daemon.auditing import audit_all
from inboxbot.desk.audit import audit
from inboxbot.desk.context import Desk
from inboxbot.errors import StoreError
from inboxbot.store.engine import Store
from inboxbot.store.schema import require_current, secret


def audit_database(desk: Desk) -> dict[str, Any]:
    """Audit the database alone, for which no moment and no mailbox is needed."""
    return audit(desk, now=dt.datetime.fromtimestamp(0, dt.UTC))


def assert_sound(desk: Desk, *, mailboxes: bool) -> None:
    """Audit the database of a desk, and its ``mailboxes`` as far as they can be reached by then.

    A database that a test took away cannot be looked at.
    """
    try:
        result = audit_all(desk, now=dt.datetime.now(dt.UTC)) if mailboxes else audit_database(desk)
    except StoreError:
        return
    if result["findings"]:
        raise AssertionError(f"the audit at the end of the test found {result['findings']}")


def assert_installation_sound(config: Path) -> None:
    """Audit the database of an installation and its mailboxes, as far as they can be reached by then."""
    settings = load_settings(config)
    store = Store(settings.database.url, folder=settings.folder)
    try:
        if store.path is not None and not store.path.exists():
            return
        require_current(store)
        with store.read() as connection:
            desk = Desk(store, settings, secret(connection))
        assert_sound(desk, mailboxes=True)
    except StoreError:
        return
    finally:
        store.close()
