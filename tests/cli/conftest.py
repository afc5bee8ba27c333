from __future__ import annotations

from tests.servers.offices import database

__all__ = ["database"]
