"""Where an address on file was looked up, what came of it, and whether a person has confirmed it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from inboxbot.store.types import UtcMoment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("identities", sa.Column("proposed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("identities", sa.Column("searched", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("identities", sa.Column("searched_at", UtcMoment(timezone=True), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
