from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.fixtures import shared_dovecot

from inboxbot.config.model import ImapSettings
from inboxbot.mailbox.server import Server

Connect = Callable[..., Server]


@pytest.fixture(scope="session")
def dovecot() -> Dovecot:
    return shared_dovecot()


@pytest.fixture
def user(dovecot: Dovecot) -> str:
    return dovecot.new_user()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to a port of loopback in clear and sign in; closed at the end of the test."""
    opened: list[Server] = []

    def start(port: int, user: str = "kontakt@example.se", *, password: str = PASSWORD, timeout_s: float = 5) -> Server:
        settings = ImapSettings(host="127.0.0.1", port=port, security="none", username=user, timeout_s=timeout_s)
        server = Server(settings, password=password)
        server.connect()
        opened.append(server)
        return server

    yield start
    for server in opened:
        server.close()
