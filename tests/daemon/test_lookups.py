"""A register that hangs holds up neither the mail nor the end of the daemon, and leaves no process behind."""

from __future__ import annotations

import sys

from tests.conftest import Install
from tests.daemon.test_run import running, until
from tests.servers.dovecot import Dovecot
from tests.servers.processes import lives
from tests.servers.writing import access

SYSTEM = """
[[company.systems]]
name = "Växeln"
holds = "kunder"
lookup_command = ["./find"]
lookup_timeout_s = 60
"""


def test_nothing_waits_for_a_register_that_hangs(installation: Install, dovecot: Dovecot) -> None:
    place = installation(company_lines=SYSTEM, top_lines="[daemon]\nround_every_s = 5")
    script = place.folder / "find"
    lines = (
        "import os, time",
        "print(os.getpid(), file=open('running.new', 'w'))",
        "os.rename('running.new', 'running')",
    )
    script.write_text("\n".join([f"#!{sys.executable}", *lines, "time.sleep(600)"]), encoding="utf-8")
    script.chmod(0o700)
    dovecot.append(place.username, [access("Anna Berg")])
    with running(place) as daemon:
        until((place.folder / "running").exists, "the register is asked")
        dovecot.append(place.username, [access("Bo Ek")])
        until(lambda: len(place.json("cases", "list")) == 2, "the next mail is taken meanwhile")
        command = int((place.folder / "running").read_text(encoding="utf-8"))
        assert lives(command)
        assert daemon.stop()[0] == 0
    until(lambda: not lives(command), "the command ends with the daemon")
    assert place.json("cases", "show", "EX-2026-0001")["identity"]["searched"] == []
