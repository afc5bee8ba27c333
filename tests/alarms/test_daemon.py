"""`inboxbot run` raises and tells by itself, and ends in time while a webhook says nothing."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.conftest import Install
from tests.daemon.test_run import QUICK, running, until
from tests.servers.dovecot import Dovecot
from tests.servers.listener import Listening, hook
from tests.servers.writing import access


def test_a_mail_is_told_of_while_the_daemon_runs(
    installation: Install, dovecot: Dovecot, listener: Listening, tmp_path: Path
) -> None:
    folder = tmp_path / "installation0"
    folder.mkdir()
    house = installation(top_lines=QUICK, company_lines=hook(folder, listener.port))
    dovecot.append(house.username, [access("Anna Berg")])
    with running(house) as daemon:
        until(lambda: listener.events == ["opened"], "the webhook")
        assert daemon.stop()[0] == 0
        assert "alarms_failed" not in daemon.log.read_text(encoding="utf-8")


def test_it_ends_in_time_while_a_webhook_says_nothing(installation: Install, dovecot: Dovecot, tmp_path: Path) -> None:
    folder = tmp_path / "installation0"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        house = installation(top_lines=QUICK, company_lines=hook(folder, silent.getsockname()[1]))
        dovecot.append(house.username, [access("Anna Berg")])
        with running(house) as daemon:
            silent.settimeout(40)
            end, _ = silent.accept()
            with end:
                code, took = daemon.stop()
                assert (code, took < 10) == (0, True)
