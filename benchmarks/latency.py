"""How long a mail waits for its draft: from LMTP's acceptance to the committed draft, with `inboxbot run` watching.

    python benchmarks/latency.py [--mails 40]

Dovecot itself gathers news for up to half a second before it pushes; that time is in the figures.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.dovecot import free_port, running_dovecot
from tests.servers.installation import Installation
from tests.servers.writing import access


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until ``true`` holds, looking every two milliseconds. Raises TimeoutError after a minute."""
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.002)


def main() -> None:
    """Measure and print a table in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--mails", type=int, default=40)
    wanted = arguments.parse_args()
    waits: list[float] = []
    with running_dovecot() as dovecot, tempfile.TemporaryDirectory() as folder:
        user = dovecot.new_user()
        house = Installation(Path(folder), dovecot.port, free_port(), user, dovecot.password)
        house.run("once")
        daemon = house.start_process("run")
        try:
            with closing(sqlite3.connect(f"file:{folder}/inboxbot.db?mode=ro", uri=True)) as database:

                def drafts() -> int:
                    return int(database.execute("SELECT count(*) FROM drafts").fetchone()[0])

                dovecot.deliver(user, access("Den Första"))  # until it is there, the daemon has started
                wait_for(lambda: drafts() == 1)
                for number in range(wanted.mails):
                    time.sleep(0.2)  # back in IDLE
                    dovecot.deliver(user, access(f"Person Nummer{number}"))
                    begun = time.perf_counter()
                    wait_for(lambda done=number + 2: drafts() == done)  # type: ignore[misc]
                    waits.append((time.perf_counter() - begun) * 1000)
        finally:
            daemon.send_signal(signal.SIGTERM)
            begun = time.perf_counter()
            daemon.communicate()
            ended = time.perf_counter() - begun
    waits.sort()
    print("| figure | value |")
    print("| --- | ---: |")
    print(f"| deliveries | {len(waits)} |")
    print(f"| delivery to committed draft, median | {statistics.median(waits):.0f} ms |")
    print(f"| p95 | {waits[int(len(waits) * 0.95)]:.0f} ms |")
    print(f"| slowest | {waits[-1]:.0f} ms |")
    print(f"| end after SIGTERM | {ended:.1f} s (exit code {daemon.returncode}) |")


if __name__ == "__main__":
    main()
