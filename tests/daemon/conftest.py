from __future__ import annotations

from tests.servers.offices import new_office, smtp

__all__ = ["new_office", "smtp"]
