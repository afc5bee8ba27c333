"""What a fresh clone is built from: pinned versions that name no place, and a test run that anybody may start."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PINNED = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+")


def _pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_constraints_pin_versions_and_name_no_place() -> None:
    """E91."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or _PINNED.fullmatch(line), line
        assert not re.search(r"https?:|file:|@", line), line


def test_every_dependency_is_pinned() -> None:
    """E91."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra),
        *(one for one in project["dependency-groups"]["test"] if isinstance(one, str)),
    ]
    names = {_plain(re.match(r"[A-Za-z0-9._-]+", one)[0]) for one in wanted}
    missing = sorted(names - {_plain(name) for name in _pinned()})
    assert missing == [], f"`make constraints` pins them: {missing}"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_ci_command_is_executable_and_is_a_valid_script() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_make_lists_its_targets_without_building_anything() -> None:
    told = subprocess.run(
        ["make", "-s", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True, timeout=60
    )
    for target in ("demo", "test", "chaos", "fuzz", "corpus", "train", "constraints", "clean"):
        assert f"make {target}" in told.stdout
