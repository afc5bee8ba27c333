"""The guards of `tests/conftest.py` hold: no network beyond loopback, no settings of whoever runs the tests."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from inboxbot.config.load import default_path


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("mail.example.com", 993), ("0.0.0.0", 9)])
def test_nothing_connects_beyond_loopback(address: tuple[str, int]) -> None:
    """E89."""
    for name in ("connect", "connect_ex"):
        with socket.socket() as wire, pytest.raises(AssertionError, match="beyond loopback"):
            getattr(wire, name)(address)
    with pytest.raises(AssertionError, match="beyond loopback"), socket.socket(socket.AF_INET6) as wire:
        wire.connect(("2001:db8::1", 9))


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as wire:
        assert wire.getpeername() == server.getsockname()


def test_there_are_no_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not default_path().exists()
    assert [name for name in os.environ if name.startswith("INBOXBOT_") and not name.startswith("INBOXBOT_TEST_")] == []
