"""A new table or column cannot slip past retention: whoever adds one says here what becomes of it."""

from __future__ import annotations

import sqlalchemy as sa

from inboxbot.store.tables import SQLModel
from inboxbot.store.types import UtcMoment

WORDLESS = (sa.Integer, sa.Boolean, sa.Date, UtcMoment)
GOES = {
    "case_addresses": {"address"},
    "case_words": {"word"},
    "codes": {"kind", "hash"},
    "corrections": {"features", "judged", "right", "scores"},
    "draft_words": {"actor", "recipient", "subject", "body"},
    "identities": {"address_on_file", "found_in", "facts", "searched"},
}
EMPTIED = {
    "attachments": {"name", "data"},
    "attempts": {"recipient_digest", "server_text"},
    "cases": {"requester", "requester_name", "subject", "nonce", "hold"},
    "checklist": {"detail"},
    "drafts": {"recipient", "subject", "body", "final", "in_reply_to", "references", "facts"},
    "mails": {"message_id", "sender", "sender_name", "recipients", "subject", "text", "header", "detail"},
    "placed": {"words"},
    "webhooks": {"address", "result"},
}
KEYED = {"approvals": {"digest"}, "attempts": {"digest"}, "drafts": {"digest"}}
PROOF = {
    "anchors": {"hash"},
    "approvals": {"actor", "door"},
    "attachments": {"content_type"},
    "attempts": {"phase", "result"},
    "cases": {"reference", "state", "requester_source", "language", "held_reason", "assignee"},
    "checklist": {"about", "name", "answer", "ground"},
    "deliveries": {"channel", "company", "target", "state", "result"},
    "drafts": {"state", "template", "language", "message_id", "approver", "waits_because"},
    "events": {"kind", "about", "mark", "detail"},
    "history": {"event", "actor", "door", "detail", "hash"},
    "mails": {"direction"},
    "placed": {"state", "note"},
    "promises": {"answered_by"},
    "webhooks": {"system"},
}
COUNTED = {"promises": {"excused"}, "requests": {"kind", "outcome"}}
NOT_OF_A_CASE = {
    "alarm_mails": {"company", "target", "message_id", "state", "phase", "result"},
    "api_tokens": {"name", "digest"},
    "audits": {"checked", "findings", "errors"},
    "counters": {"name"},
    "folders": {"name", "role"},
    "installation": {"secret"},
    "learned": {"layer"},
    "ledger": {"digest", "state", "reason"},
    "mailboxes": {"address", "company"},
    "retention_runs": {"counts"},
    "sessions": {"digest", "csrf", "notice", "undo", "origin"},
    "stops": {"why", "note", "actor", "door", "detail", "released_by", "released_door"},
    "suppressions": {"company", "address_digest", "channels", "reason"},
    "users": {"name", "folded", "role", "companies", "language", "password", "totp_secret", "oidc"},
}


def test_it_is_decided_what_becomes_of_every_column_that_can_hold_words() -> None:
    decided: dict[str, set[str]] = {}
    for group in (GOES, EMPTIED, KEYED, PROOF, COUNTED, NOT_OF_A_CASE):
        for table, columns in group.items():
            assert not decided.setdefault(table, set()) & columns, f"{table} is decided twice"
            decided[table] |= columns
    worded = {
        table.name: {one.name for one in table.columns if not isinstance(one.type, WORDLESS)}
        for table in SQLModel.metadata.sorted_tables
    }
    missing = {table: columns - decided.get(table, set()) for table, columns in worded.items()}
    told = {table: columns for table, columns in missing.items() if columns}
    assert not told, f"say in store/retention.py and here what retention does with {told}"
    gone = {table: columns - worded.get(table, set()) for table, columns in decided.items()}
    assert not {table: columns for table, columns in gone.items() if columns}


def test_whatever_hangs_on_cases_and_letters_is_known_to_retention() -> None:
    hanging = {
        table.name
        for table in SQLModel.metadata.sorted_tables
        for key in table.foreign_keys
        if isinstance(key, sa.ForeignKey) and key.column.table.name in {"cases", "drafts", "requests", "mails"}
    }
    kept_for_figures = {"ledger", "mails", "promises", "requests"}
    known = {*GOES, *EMPTIED, *KEYED, *PROOF} | kept_for_figures
    assert hanging <= known
