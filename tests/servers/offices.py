"""Fixtures: an installation opened in the test's own process, on each database, with a scripted SMTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.servers.installation import Installation, Office, open_office
from tests.servers.postgresql import shared_postgresql
from tests.servers.scripted_smtp import Script, scripted_smtp

DATABASES = ("sqlite", "postgresql")
NewOffice = Callable[..., Office]


def fresh_database(kind: str) -> str:
    """Return the URL of an empty database of a kind; SQLite's is relative to the settings."""
    return "sqlite:///inboxbot.db" if kind == "sqlite" else shared_postgresql().new_database()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database; the test runs once on each kind."""
    return fresh_database(request.param)


@pytest.fixture
def smtp() -> Iterator[Script]:
    with scripted_smtp(Script()) as script:
        yield script


@pytest.fixture
def new_office(tmp_path: Path, smtp: Script) -> Iterator[NewOffice]:
    """Open an installation whose letters go to ``smtp``; mails are handed over by `Office.receive`."""
    with ExitStack() as stack:

        def open_one(database: str = "sqlite:///inboxbot.db", **settings: Any) -> Office:
            values: dict[str, Any] = {
                "folder": tmp_path,
                "database": database,
                "imap_port": 9,
                "smtp_port": smtp.port,
                "username": "kontakt",
                "password": "hemligt å lösen",
            }
            installation = Installation(**{**values, **settings})
            return stack.enter_context(open_office(installation))

        yield open_one
