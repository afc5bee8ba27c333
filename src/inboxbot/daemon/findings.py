"""What a check found: one line of the table of `inboxbot check`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error keeps inboxbot from its work, a warning does not."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """``area`` is what was looked at, ``where`` the key, file or server, ``cure`` what to do ("" when all is well)."""

    area: str
    where: str
    level: Level
    what: str
    cure: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding as plain data."""
        return asdict(self)
