"""Cases know what of them is due next, and the words they are found by, so that the queue is quick with many of them

Triggers keep the moments whoever writes: promises, requests and letters are changed in many places, sometimes after the
case itself, and a queue that forgets a case breaks a promise.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import inboxbot.store.types
from inboxbot.store.search import words_of  # as this program folds words, whenever the upgrade runs

revision = "0008"
down_revision = "0007"

_FIRST, _LAST = "0001-01-02 00:00:00.000000", "9999-12-30 00:00:00.000000"
_TROUBLE = "state IN ('failed', 'unknown')"

_SQLITE_KEEP = f"""
UPDATE cases SET (answer_due_at, urgent_at) = (
    SELECT answer, CASE WHEN trouble THEN '{_FIRST}'
        ELSE min(coalesce(answer, '{_LAST}'), coalesce(law || ' 23:00:00.000000', '{_LAST}')) END
    FROM (SELECT
        (SELECT min(due_at) FROM promises
            WHERE case_id = {{case}} AND answered_at IS NULL AND excused IS NULL) AS answer,
        (SELECT min(due_hard) FROM requests WHERE case_id = {{case}} AND outcome IS NULL) AS law,
        EXISTS (SELECT 1 FROM drafts WHERE case_id = {{case}} AND {_TROUBLE}) AS trouble)
) WHERE id = {{case}}"""  # noqa: S608  (all of it stands here)
_CHANGED_TROUBLE = f"(OLD.{_TROUBLE}) <> (NEW.{_TROUBLE})"
# Table, when, and only if: a new row that changes nothing (most of them, for a case is opened with its moments) costs
# one look at the case.
_SQLITE_TRIGGERS = (
    ("promises", "INSERT", ("NEW.answered_at IS NULL AND NEW.excused IS NULL AND EXISTS (SELECT 1 FROM cases "
     "WHERE id = NEW.case_id AND (answer_due_at IS NULL OR answer_due_at > NEW.due_at OR urgent_at > NEW.due_at))")),
    ("promises", "UPDATE OF case_id, due_at, answered_at, excused", "1"),
    ("promises", "DELETE", "1"),
    ("requests", "INSERT", ("NEW.outcome IS NULL AND NEW.due_hard IS NOT NULL AND EXISTS (SELECT 1 FROM cases "
     "WHERE id = NEW.case_id AND urgent_at > NEW.due_hard || ' 23:00:00.000000')")),
    ("requests", "UPDATE OF case_id, due_hard, outcome", "1"),
    ("requests", "DELETE", "1"),
    ("drafts", "INSERT", f"NEW.{_TROUBLE}"),
    ("drafts", "UPDATE OF state", _CHANGED_TROUBLE),
    ("drafts", "DELETE", f"OLD.{_TROUBLE}"),
)  # fmt: skip

_POSTGRESQL_KEEP = f"""
CREATE FUNCTION keep_case_moments(wanted bigint) RETURNS void LANGUAGE sql AS $$
UPDATE cases SET answer_due_at = found.answer, urgent_at = found.urgent
FROM (
    SELECT answer, CASE WHEN trouble THEN TIMESTAMPTZ '{_FIRST}+00' ELSE least(
        coalesce(answer, TIMESTAMPTZ '{_LAST}+00'),
        coalesce((law + TIME '23:00') AT TIME ZONE 'UTC', TIMESTAMPTZ '{_LAST}+00')) END AS urgent
    FROM (SELECT
        (SELECT min(due_at) FROM promises
            WHERE case_id = wanted AND answered_at IS NULL AND excused IS NULL) AS answer,
        (SELECT min(due_hard) FROM requests WHERE case_id = wanted AND outcome IS NULL) AS law,
        EXISTS (SELECT 1 FROM drafts WHERE case_id = wanted AND {_TROUBLE}) AS trouble) AS due
) AS found
WHERE cases.id = wanted
    AND (cases.answer_due_at, cases.urgent_at) IS DISTINCT FROM (found.answer, found.urgent)
$$
"""  # noqa: S608
_POSTGRESQL_CHANGED = """
CREATE FUNCTION case_moments_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM keep_case_moments(NEW.case_id);
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM keep_case_moments(OLD.case_id);
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.case_id <> NEW.case_id THEN
            PERFORM keep_case_moments(OLD.case_id);
        END IF;
    END IF;
    RETURN NULL;
END
$$
"""
_POSTGRESQL_TRIGGERS = (
    ("promises", "INSERT", ""),
    ("promises", "UPDATE OF case_id, due_at, answered_at, excused", ""),
    ("promises", "DELETE", ""),
    ("requests", "INSERT", ""),
    ("requests", "UPDATE OF case_id, due_hard, outcome", ""),
    ("requests", "DELETE", ""),
    ("drafts", "INSERT", f"WHEN (NEW.{_TROUBLE})"),
    ("drafts", "UPDATE OF state", f"WHEN ({_CHANGED_TROUBLE})"),
    ("drafts", "DELETE", f"WHEN (OLD.{_TROUBLE})"),
)


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    moment = inboxbot.store.types.UtcMoment(timezone=True)
    op.add_column("cases", sa.Column("answer_due_at", moment, nullable=True))
    nothing_due = _LAST if sqlite else f"{_LAST}+00"
    op.add_column("cases", sa.Column("urgent_at", moment, nullable=False, server_default=nothing_due))
    op.drop_index("cases_mailbox_state", table_name="cases")
    op.create_index("cases_mailbox_state", "cases", ["mailbox_id", "state", "answer_due_at"])
    op.create_index("cases_urgent", "cases", ["state", "urgent_at", "id", "mailbox_id", "assignee"])
    op.create_index("cases_newest", "cases", ["state", "id", "mailbox_id", "assignee"])
    op.create_index("requests_kind", "requests", ["kind", "case_id"])
    op.create_table(
        "case_words",
        sa.Column("word", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("word", "case_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("case_words_case", "case_words", ["case_id", "word"])
    _keep_on_sqlite() if sqlite else _keep_on_postgresql()
    _fill_words(connection)


def _keep_on_sqlite() -> None:
    op.execute(_SQLITE_KEEP.format(case="cases.id").rpartition(" WHERE id = ")[0])
    for table, when, only_if in _SQLITE_TRIGGERS:
        verb = when.partition(" ")[0]
        body = _SQLITE_KEEP.format(case="OLD.case_id" if verb == "DELETE" else "NEW.case_id")
        if "case_id" in when:
            body += ";\n" + _SQLITE_KEEP.format(case="OLD.case_id") + " AND OLD.case_id <> NEW.case_id"
        op.execute(f"CREATE TRIGGER moments_{table}_{verb} AFTER {when} ON {table} WHEN {only_if} BEGIN {body}; END")


def _keep_on_postgresql() -> None:
    op.execute(_POSTGRESQL_KEEP)
    op.execute(_POSTGRESQL_CHANGED)
    op.execute("SELECT keep_case_moments(id) FROM cases")
    for table, when, only_if in _POSTGRESQL_TRIGGERS:
        verb = when.partition(" ")[0].lower()
        op.execute(
            f"CREATE TRIGGER moments_{table}_{verb} AFTER {when} ON {table} "
            f"FOR EACH ROW {only_if} EXECUTE FUNCTION case_moments_changed()"
        )


def _fill_words(connection: sa.Connection) -> None:
    query = sa.text("SELECT id, reference, requester, requester_name, subject FROM cases WHERE id > :after "
                    "AND purged_at IS NULL ORDER BY id LIMIT 2000")  # fmt: skip
    further = sa.text("SELECT case_id, address FROM case_addresses WHERE case_id > :after AND case_id <= :until")
    after = 0
    while rows := connection.execute(query, {"after": after}).all():
        texts = {row.id: list(row[1:]) for row in rows}
        for row in connection.execute(further, {"after": after, "until": rows[-1].id}):
            if row.case_id in texts:
                texts[row.case_id].append(row.address)
        kept = [{"case": case, "word": word} for case, some in texts.items() for word in words_of(*some)]
        if kept:
            connection.execute(sa.text("INSERT INTO case_words (word, case_id) VALUES (:word, :case)"), kept)
        after = rows[-1].id


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
