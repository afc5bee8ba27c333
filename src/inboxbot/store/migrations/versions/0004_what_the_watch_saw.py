"""Windows in which a mailbox was not read, and what audits found, are kept"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from inboxbot.store.types import UtcMoment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "blind_windows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mailbox_id", sa.Integer(), sa.ForeignKey("mailboxes.id"), nullable=False),
        sa.Column("since", UtcMoment(timezone=True), nullable=False),
        sa.Column("until", UtcMoment(timezone=True), nullable=False),
    )
    op.create_index("ix_blind_windows_mailbox_id", "blind_windows", ["mailbox_id"])
    op.create_table(
        "audits",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.Column("checked", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
