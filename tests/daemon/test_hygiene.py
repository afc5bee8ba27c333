"""What `once` and `run` do before they begin: nobody else reads what they write (promises.md E70, E77, E79)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers.installation import Installation

BEGIN = """
import os, resource, sys
from pathlib import Path
from inboxbot.config.load import load_settings
from inboxbot.daemon.hygiene import begin_tidily
begin_tidily(load_settings(Path(sys.argv[1])))
Path(sys.argv[2]).touch()
print(resource.getrlimit(resource.RLIMIT_CORE))
"""


def begin(place: Installation) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, str(place.config), str(place.folder / "new")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Installation:
    tmp_path.chmod(0o700)
    return Installation(tmp_path, 9, 9, "kontakt", "hemligt")


def test_e70_e79_new_files_are_closed_and_there_is_no_core_dump(place: Installation) -> None:
    told = begin(place)
    assert "(0, 0)" in told
    assert stat.S_IMODE((place.folder / "new").stat().st_mode) == 0o600
    assert "open_to_others" not in told


def test_e70_what_others_can_read_is_told_and_left_alone(place: Installation) -> None:
    (place.folder / "inboxbot.db").touch(0o644)
    (place.folder / "inboxbot.db").chmod(0o644)
    place.folder.chmod(0o755)
    told = begin(place)
    assert "folder_open_to_others" in told
    assert "database_open_to_others" in told
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o755


def test_e77_root_is_warned(place: Installation) -> None:
    assert ("runs_as_root" in begin(place)) == (os.geteuid() == 0)


def test_once_begins_tidily(place: Installation) -> None:
    """E70, E77."""
    place.folder.chmod(0o755)
    assert "folder_open_to_others" in place.run("once", check=False).stderr
