"""What every test gets: real servers on request, no settings of the machine, and no network beyond loopback."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers.audited import assert_installation_sound
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import shared_dovecot
from tests.servers.installation import Installation
from tests.servers.sink import Sink, running_sink

Install = Callable[..., Installation]


def _is_outside(address: object) -> bool:
    """Whether a socket address leaves this machine; names and paths of this machine's own sockets do not."""
    host = address[0] if isinstance(address, tuple) and address else None
    if not isinstance(host, str) or host in {"", "localhost"}:
        return False
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Fail whatever connects to an address that is not this machine's loopback."""
    guard = pytest.MonkeyPatch()

    def guarded(name: str) -> Callable[..., Any]:
        inherited = getattr(socket.socket, name)

        def connect(self: socket.socket, address: object, *rest: object) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and _is_outside(address):
                raise AssertionError(f"a test tried to connect to {address!r}, beyond loopback")
            return inherited(self, address, *rest)

        return connect

    for name in ("connect", "connect_ex"):
        guard.setattr(socket.socket, name, guarded(name))
    yield
    guard.undo()


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the settings of whoever runs the tests out of them, in this process and in its children."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("HOME", str(home))
    patch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("INBOXBOT_") and not name.startswith("INBOXBOT_TEST_")]:
        patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def dovecot() -> Dovecot:
    """The Dovecot of this process; `Dovecot.new_user` gives a mailbox of one's own."""
    return shared_dovecot()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server that keeps what it gets."""
    with running_sink() as one:
        yield one


@pytest.fixture
def installation(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> Iterator[Install]:
    """Make an installation on Dovecot and the sink; further fields of `Installation` as keywords.

    At the end of the test database and mailbox are audited.
    """
    made: list[Installation] = []

    def make(**fields: Any) -> Installation:
        values = {
            "folder": tmp_path / f"installation{len(made)}",
            "imap_port": dovecot.port,
            "smtp_port": sink.port,
            "username": dovecot.new_user(),
            "password": dovecot.password,
        }
        made.append(Installation(**{**values, **fields}))
        return made[-1]

    yield make
    for one in made:
        if one.sound:
            assert_installation_sound(one.config)
