"""${message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import inboxbot.store.types
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
