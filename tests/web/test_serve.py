"""The desk as a process: where it listens, what it says when it cannot, and its end."""

from __future__ import annotations

import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.servers.installation import Installation, Office
from tests.web.house import Person

from inboxbot.config.model import WebSettings


def settings_with(folder: Path, web: str) -> Installation:
    values: dict[str, Any] = {"imap_port": 9, "smtp_port": 9, "username": "kontakt", "password": "hemligt"}
    return Installation(folder, top_lines=f"[web]\n{web}", **values)


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    program = settings_with(tmp_path, "port = 0").start_process("web")
    try:
        assert program.stdout
        address = program.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{address}/signin", timeout=20) as answer:
            assert b"inboxbot" in answer.read()
            assert "server" not in {name.lower() for name in answer.headers}
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
    finally:
        program.kill()
        program.communicate()


def test_a_port_that_is_taken_is_told_with_its_cure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = settings_with(tmp_path, f"port = {port}").run("web", check=False)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "web.port" in done.stderr


@pytest.mark.parametrize(
    "values", [{"listen": "0.0.0.0"}, {"listen": "::"}, {"listen": "0.0.0.0", "base_url": "http://x.se"}]
)
def test_it_listens_beyond_this_machine_only_behind_tls(values: dict[str, str]) -> None:
    """E58."""
    with pytest.raises(ValidationError, match="listens beyond this machine"):
        WebSettings(**values)  # type: ignore[arg-type]
    assert WebSettings(listen="0.0.0.0", base_url="https://desk.example.se").port == 8025


def test_a_database_that_is_gone_is_told_as_busy(office: Office, eva: Person) -> None:
    """F72."""
    assert office.desk.store.path
    office.desk.store.path.rename(office.desk.store.path.with_suffix(".away"))
    answer = eva.client.get("/")
    assert answer.status_code == 503
    assert "Upptaget just nu" in answer.text
    assert "inboxbot.db" not in answer.text
