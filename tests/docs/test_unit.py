"""The systemd unit keeps the daemon shut in (promises.md E70, E77, E79), and leaves it what it needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from inboxbot.cli.main import cli
from inboxbot.daemon.service import END_WITHIN_S

UNIT = Path(__file__).parents[2] / "deploy" / "inboxbot.service"
SET: dict[str, list[str]] = {}
for line in UNIT.read_text(encoding="utf-8").splitlines():
    if "=" in line and not line.startswith("#"):
        SET.setdefault(line.partition("=")[0], []).append(line.partition("=")[2])


def test_it_runs_the_daemon_as_a_user_of_its_own_and_with_no_rights() -> None:
    """E77."""
    (command,) = SET["ExecStart"]
    *_, option, _config, name = command.split()
    assert cli.get_command(click.Context(cli), name) is not None
    assert option in {opt for parameter in cli.params for opt in parameter.opts}
    assert SET["User"] == ["inboxbot"]
    assert SET["CapabilityBoundingSet"] == SET["AmbientCapabilities"] == [""]
    shut = "NoNewPrivileges PrivateTmp PrivateDevices ProtectHome RestrictNamespaces LockPersonality RestrictSUIDSGID"
    for key in [*shut.split(), *(f"ProtectKernel{one}" for one in ("Tunables", "Modules", "Logs"))]:
        assert SET[key] == ["yes"], key


def test_only_its_own_folder_can_be_written_and_by_nobody_else_read() -> None:
    """E70, E77, E79."""
    assert SET["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in SET
    (folder,) = SET["StateDirectory"]
    assert f"/var/lib/{folder}/config.toml" in SET["ExecStart"][0], "the journal is written where the settings lie"
    assert (SET["StateDirectoryMode"], SET["UMask"], SET["LimitCORE"]) == (["0700"], ["0077"], ["0"])


def test_it_may_do_what_it_needs() -> None:
    assert {"AF_INET", "AF_INET6", "AF_UNIX"} <= set(SET["RestrictAddressFamilies"][0].split())
    assert not any("@resources" in one for one in SET["SystemCallFilter"]), (
        "reading processes set limits for themselves"
    )
    assert SET["MemoryMax"]
    assert int(SET["TimeoutStopSec"][0]) > END_WITHIN_S
    assert (SET["Type"], SET["RestartPreventExitStatus"]) == (["notify"], ["2"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_knows_every_key(tmp_path: Path) -> None:
    file = tmp_path / UNIT.name
    words = UNIT.read_text(encoding="utf-8").replace("/opt/inboxbot/bin/inboxbot", "/bin/true")
    file.write_text(words, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    about_it = [line for line in done.stderr.splitlines() if str(file) in line or UNIT.name in line]
    assert about_it == []
