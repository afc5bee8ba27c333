"""Every table, as SQLModel classes. Rows are written and read through the functions of this room only.

Ids of the busy tables come in blocks from `counters`, so that a batch of mails is written with one statement a table
on SQLite and PostgreSQL alike. Table classes do not validate; the values are checked before they come here, and CHECK
constraints hold the states.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from inboxbot.store.tables.cases import (
    case_addresses,
    case_words,
    cases,
    checklist,
    identities,
    mails,
    promises,
    requests,
)
from inboxbot.store.tables.events import alarm_mails, deliveries, events
from inboxbot.store.tables.intake import counters, folders, installation, ledger, mailboxes
from inboxbot.store.tables.letters import approvals, attachments, attempts, codes, draft_words, drafts, placed
from inboxbot.store.tables.records import anchors, corrections, history, learned, retention_runs, suppressions, webhooks
from inboxbot.store.tables.sending import stops
from inboxbot.store.tables.staff import api_tokens, sessions, users
from inboxbot.store.tables.watch import audits, blind_windows

__all__ = [
    "SQLModel",
    "alarm_mails",
    "anchors",
    "api_tokens",
    "approvals",
    "attachments",
    "attempts",
    "audits",
    "blind_windows",
    "case_addresses",
    "case_words",
    "cases",
    "checklist",
    "codes",
    "corrections",
    "counters",
    "deliveries",
    "draft_words",
    "drafts",
    "events",
    "folders",
    "history",
    "identities",
    "installation",
    "learned",
    "ledger",
    "mailboxes",
    "mails",
    "placed",
    "promises",
    "requests",
    "retention_runs",
    "sessions",
    "stops",
    "suppressions",
    "users",
    "webhooks",
]
