"""What keeps sending as a whole in hand: each time it was stopped, and who let it go on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from inboxbot.store.types import UtcMoment


class StopRow(SQLModel, table=True):
    """Sending was stopped for the whole installation, until ``released_at``; nothing leaves while one row stands.

    ``why`` is a code, ``note`` what the person wrote who stopped it, ``detail`` counts and ids that say what was seen.
    """

    __tablename__ = "stops"
    __table_args__ = (
        Index(
            "stops_standing",
            "why",
            unique=True,
            sqlite_where=text("released_at IS NULL"),
            postgresql_where=text("released_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = Field(sa_type=UtcMoment)
    why: str
    note: str = ""
    actor: str
    door: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    released_at: dt.datetime | None = Field(default=None, sa_type=UtcMoment)
    released_by: str | None = None
    released_door: str | None = None


stops = SQLModel.metadata.tables["stops"]
