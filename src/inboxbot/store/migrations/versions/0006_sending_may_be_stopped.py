"""Sending may be stopped as a whole; a database knows how far it has come, and when it was last looked through"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from inboxbot.store.types import UtcMoment

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "stops",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("door", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("released_at", UtcMoment(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_door", sa.String(), nullable=True),
    )
    standing = sa.text("released_at IS NULL")
    op.create_index("stops_standing", "stops", ["why"], unique=True, sqlite_where=standing, postgresql_where=standing)
    op.add_column("installation", sa.Column("generation", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("installation", sa.Column("checked_at", UtcMoment(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
