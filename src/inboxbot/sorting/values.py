"""The values the judge gives: evidence and verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from inboxbot.sorting.kinds import Kind


class Robot(StrEnum):
    """Why no letter may answer a mail: a machine wrote it."""

    BOUNCE = "bounce"
    AUTOREPLY = "autoreply"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words that led to a kind.

    ``start`` and ``end`` are code points in the subject or in the mail's text (``part`` says which), and
    ``text`` is exactly that slice.
    """

    kind: Kind
    part: str  # "subject" | "body"
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge thinks of one mail.

    ``kinds`` is never empty; ``other`` stands alone. ``confidence`` holds every kind with a calibrated
    probability 0…1. ``unsure`` asks for a person; ``kinds`` is then the best guess. ``flags`` are codes such
    as ``breach``, ``representative``, ``forwarded``, ``deceased``; ``reasons`` are short codes that explain the
    verdict. ``features`` are indices into the shipped model (what `learn` may keep of a corrected mail),
    ``scores`` the model's own sums for the mail and its best sentences, before any local layer.
    """

    kinds: tuple[Kind, ...]
    confidence: dict[Kind, float]
    unsure: bool
    reminder: bool
    language: str
    robot: Robot | None
    evidence: tuple[Evidence, ...]
    flags: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    robot_rule: str | None = None
    features: tuple[int, ...] = field(default=(), repr=False)
    scores: tuple[float, ...] = field(default=(), repr=False)

    @property
    def asks(self) -> bool:
        """Whether at least one right is asked for."""
        return any(kind.is_right for kind in self.kinds)
