"""Pieces that several tables are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer


def one_of(column: str, values: type[StrEnum], *, optional: bool = False) -> CheckConstraint:
    """Return a CHECK that ``column`` holds one of the enum's values (or NULL)."""
    allowed = ", ".join(f"'{value}'" for value in values)
    empty = f"{column} IS NULL OR " if optional else ""
    return CheckConstraint(f"{empty}{column} IN ({allowed})", name=f"{column}_known")


def big_id() -> Any:
    """Return a primary key that the program hands out itself."""
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False)
