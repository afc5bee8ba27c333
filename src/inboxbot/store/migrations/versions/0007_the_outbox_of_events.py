"""Events with who is told of them, mails to staff, and what a sign-in service calls an account"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from inboxbot.store.types import UtcMoment

revision = "0007"
down_revision = "0006"

_STATES = "state IN ('waiting', 'sending', 'done', 'failed', 'unknown')"


def _moment(name: str, *, optional: bool = True) -> sa.Column[object]:
    return sa.Column(name, UtcMoment(timezone=True), nullable=optional)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("about_id", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("cases.id"), nullable=True),
        _moment("at", optional=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.UniqueConstraint("about", "about_id", "mark", "step", "kind"),
        sa.CheckConstraint(
            "kind IN ('opened', 'held', 'due_soon', 'overdue', 'sent', 'sending_stopped', 'mailbox_blind')",
            name="kind_known",
        ),
        sa.CheckConstraint(
            "about IN ('case', 'promise', 'request', 'letter', 'mailbox', 'installation')", name="about_known"
        ),
    )
    op.create_index("ix_events_case_id", "events", ["case_id"])
    op.create_table(
        "alarm_mails",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False, unique=True),
        _moment("made_at", optional=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("unsure", sa.Integer(), nullable=False),
        _moment("started_at"),
        _moment("next_try_at"),
        _moment("ended_at"),
        sa.Column("result", sa.String(), nullable=False),
        sa.CheckConstraint(_STATES, name="state_known"),
    )
    op.create_index("alarm_mails_target", "alarm_mails", ["target", "started_at"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("event_id", sa.Integer(), sa.ForeignKey("events.id"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("mail_id", sa.Integer(), sa.ForeignKey("alarm_mails.id"), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _moment("next_try_at"),
        _moment("ended_at"),
        sa.Column("result", sa.String(), nullable=False),
        sa.UniqueConstraint("event_id", "channel", "company", "target"),
        sa.CheckConstraint("channel IN ('webhook', 'mail')", name="channel_known"),
        sa.CheckConstraint(_STATES, name="state_known"),
    )
    op.create_index("ix_deliveries_mail_id", "deliveries", ["mail_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index("deliveries_due", "deliveries", ["next_try_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.add_column("users", sa.Column("oidc", sa.String(), nullable=True))
    op.create_index("ix_users_oidc", "users", ["oidc"], unique=True)
    op.add_column("sessions", sa.Column("origin", sa.String(), nullable=True))
    op.create_index("ix_sessions_origin", "sessions", ["origin"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("restore a backup instead")
