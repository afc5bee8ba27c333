from __future__ import annotations

from tests.servers.offices import database, new_office, smtp

__all__ = ["database", "new_office", "smtp"]
