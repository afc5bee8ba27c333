"""The long storm: a thousand kills while five thousand mails arrive, counted and told (issue 6, acceptance 1).

    python -m tests.crash.chaos [--kills 1000] [--mails 5000] [--folder DIR] [--database URL] [--seed N] [--keep]

Stopped by Ctrl-C or killed itself, it goes on where it was when started again: mailbox, database, kills so far and
what arrived lie in the folder. When all is done and nothing is broken the folder is removed. Exit code 1 when a promise
is broken. ``--database`` may name an empty PostgreSQL database instead of the embedded one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.crash.storm import BUSY, Storm
from tests.servers.dovecot import running_dovecot
from tests.servers.installation import Installation
from tests.servers.sink import running_sink

from inboxbot.mailbox.workers import ReadingPool

MAILS_PER_KILL = 5
TELL_EVERY = 25


def _asked() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(prog="chaos", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--mails", type=int, help="five a kill, when it is not said")
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "inboxbot-chaos")
    arguments.add_argument("--database", default="sqlite:///inboxbot.db")
    arguments.add_argument("--seed", type=int, default=2026)
    arguments.add_argument("--keep", action="store_true", help="leave the folder when all went well")
    return arguments.parse_args()


def _tell(storm: Storm, begun: float, before: int) -> None:
    done = len(storm.done)
    if done % TELL_EVERY and done != storm.kills:
        return
    inside = ", ".join(f"{name} {count}" for name, count in storm.inside().items())
    pace = (time.monotonic() - begun) / max(1, done - before)
    left = pace * (storm.kills - done) / 60
    print(f"{done}/{storm.kills} kills, inside: {inside}; {pace:.1f} s a kill, {left:.0f} min left", flush=True)


def main() -> int:
    """Rage, settle, print the counts."""
    asked = _asked()
    folder: Path = asked.folder.absolute()
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    begun = time.monotonic()
    with running_dovecot(keep=folder / "dovecot") as dovecot, running_sink(folder / "arrived") as sink:
        house = Installation(
            folder / "house",
            dovecot.port,
            sink.port,
            dovecot.new_user(),
            dovecot.password,
            database=asked.database,
            top_lines=BUSY,
        )
        storm = Storm(
            house,
            dovecot,
            sink,
            mails=asked.mails or MAILS_PER_KILL * asked.kills,
            kills=asked.kills,
            chance=random.Random(),
        ).load()
        before = len(storm.done)
        storm.chance.seed(asked.seed + before)
        if before:
            print(f"going on after {before} kills in {folder}")
        try:
            storm.rage(lambda one: _tell(one, begun, before))
        except KeyboardInterrupt:
            print(f"stopped after {len(storm.done)} kills; the same command goes on (folder {folder})")
            return 130
        with ReadingPool(2) as pool:
            counts = storm.settle(pool)
    print(counts.told())
    broken = counts.broken()
    if broken:
        print(f"BROKEN: {broken}\nwhat is left lies in {folder}")
        return 1
    print(f"no promise broken, {(time.monotonic() - begun) / 60:.0f} min")
    if not asked.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
