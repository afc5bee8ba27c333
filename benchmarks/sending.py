"""How fast a backlog of approved letters leaves: ``python -m benchmarks.sending [--letters N] [--mails N]``.

Mails are taken and letters approved without a mailbox server, then sent over the sink of the tests: a real server on
loopback that throws mail away. Every phase is committed and synced to the disk as always; only the limits for an hour
are out of the way. ``--per-hour 300`` leaves them in it: then most letters are put off, which is work as well.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

import structlog
from tests.servers.installation import Installation, Office, open_office
from tests.servers.sink import running_sink
from tests.servers.writing import access

from inboxbot.cases.values import DraftState

MANY = 1_000_000


def fill(office: Office, mails: int, letters: int) -> None:
    """Take so many mails and approve the answers of the first ones."""
    for start in range(0, mails, 100):
        numbers = range(start, min(start + 100, mails))
        office.receive(*[access(f"Person Nummer{one}", message_id=f"<{one}@sending.example.org>") for one in numbers])
    for draft in office.drafts(DraftState.PROPOSED)[:letters]:
        office.approve(draft.id)


def main() -> None:
    """Fill, send, print."""
    arguments = argparse.ArgumentParser(prog="sending", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--letters", type=int, default=1000)
    arguments.add_argument("--mails", type=int, default=5000)
    arguments.add_argument("--per-hour", type=int, default=MANY)
    asked = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as name, running_sink(Path(name) / "arrived") as sink:
        lines = f"[limits]\nper_hour = {asked.per_hour}\nstop_after_over_hour = {MANY}\n"
        house = Installation(Path(name), 9, sink.port, "nobody", "nothing", top_lines=lines)
        with open_office(house) as office:
            fill(office, asked.mails, asked.letters)
            begun, worked = time.monotonic(), time.thread_time()
            sent = office.send().sent
            took, worked = time.monotonic() - begun, time.thread_time() - worked
            arrived = len((Path(name) / "arrived").read_text(encoding="utf-8").splitlines())
    print(f"{asked.letters} approved letters beside {asked.mails} mails: {sent} sent, {arrived} arrived")
    print(f"{took:.1f} s, {sent / took:.1f} letters/s; {worked * 1e3 / max(1, sent):.1f} ms of work a letter")


if __name__ == "__main__":
    main()
