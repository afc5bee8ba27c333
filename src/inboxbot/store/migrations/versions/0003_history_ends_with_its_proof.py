"""A case's history may be removed, whole, when its proof period is over; every other removal stays refused"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_SQLITE = """
CREATE TRIGGER history_no_DELETE BEFORE DELETE ON history
WHEN NOT EXISTS (SELECT 1 FROM cases WHERE id = OLD.case_id AND proof_gone_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'history is append-only');
END
"""
_POSTGRESQL = """
CREATE OR REPLACE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM cases WHERE id = OLD.case_id AND proof_gone_at IS NOT NULL) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'history is append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER history_no_DELETE")
        op.execute(_SQLITE)
        return
    op.execute(_POSTGRESQL)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
