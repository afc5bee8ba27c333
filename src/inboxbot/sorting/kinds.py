"""The kinds of request: one word each, used everywhere (`docs/sorting.md` says what each one means)."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the sender of a mail asks for."""

    ACCESS = "access"
    ERASURE = "erasure"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    RECTIFICATION = "rectification"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    OTHER = "other"

    @property
    def is_right(self) -> bool:
        """Whether the law sets a date for this kind (every kind but ``other``)."""
        return self is not Kind.OTHER


RIGHTS: tuple[Kind, ...] = tuple(kind for kind in Kind if kind.is_right)
