"""The sample inbox: invented mails as files, and when each of them came."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

_ZONE = ZoneInfo("Europe/Stockholm")


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail of the sample. ``hours`` is its age when the demo starts, None for one that comes while it runs."""

    name: str
    mailbox: str
    role: str
    hours: float | None
    data: bytes

    def message(self, at: dt.datetime) -> bytes:
        """Return the message as the mail server has it, dated ``at``, with the line ends of RFC 5322."""
        date = format_datetime(at.astimezone(_ZONE).replace(microsecond=0))
        return f"Date: {date}\r\n".encode() + self.data.replace(b"\n", b"\r\n")


def load_samples() -> list[Sample]:
    """Return every sample mail: those that lie there at the start, oldest first, then those that come later."""
    return list(_samples())


def _samples() -> Iterator[Sample]:
    folder = files(__package__) / "mails"
    for one in tomllib.loads((folder / "inbox.toml").read_text(encoding="utf-8"))["mail"]:
        yield Sample(
            name=one["file"].removesuffix(".eml"),
            mailbox=one["mailbox"],
            role=one.get("folder", "inbox"),
            hours=one.get("hours"),
            data=(folder / one["file"]).read_bytes(),
        )
