"""The demo as a whole: the folder, the servers, the sample inbox in them, and the real program working on it."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from inboxbot.config.load import load_settings
from inboxbot.config.model import Settings
from inboxbot.demo.imap import Contents
from inboxbot.demo.place import Place, State, open_place
from inboxbot.demo.sample import Sample, load_samples
from inboxbot.demo.servers import Servers, listen, port_of


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter that reached the sink: to whom, and the file it is kept in."""

    recipients: tuple[str, ...]
    file: Path


class Stage:
    """A running demo. Safe to use from several threads."""

    def __init__(self, place: Place, servers: Servers, settings: Settings, state: State) -> None:
        self.place, self.servers, self.settings = place, servers, settings
        self._state = state
        self._samples = load_samples()
        self._lock = threading.Lock()

    def contents(self) -> dict[str, tuple[Contents, ...]]:
        """Return what lies in the mailboxes, by address."""
        return self.servers.contents()

    def fill(self, now: dt.datetime) -> None:
        """Deliver, into a new demo, the mails of the last days."""
        for one in self._waiting():
            if one.hours is not None:
                self._deliver(one, now - dt.timedelta(hours=one.hours))
        self.save()

    def deliver_next(self, now: dt.datetime) -> Sample | None:
        """Deliver the next mail that comes while the demo runs; None when all have come."""
        later = next((one for one in self._waiting() if one.hours is None), None)
        if later is not None:
            self._deliver(later, now)
            self.save()
        return later

    def save(self) -> None:
        """Write the mailboxes and what was delivered to the folder."""
        with self._lock:
            self.place.save(self.servers.contents())
            self.place.save_state(self._state)

    def _waiting(self) -> list[Sample]:
        return [one for one in self._samples if one.name not in self._state.delivered]

    def _deliver(self, one: Sample, at: dt.datetime) -> None:
        self.servers.deliver(one.mailbox, one.role, one.message(at), at)
        self._state = replace(self._state, delivered=(*self._state.delivered, one.name))


@contextlib.contextmanager
def open_stage(
    folder: Path, *, now: Callable[[], dt.datetime], sent: Callable[[Outgoing], None] = lambda _: None
) -> Iterator[Stage]:
    """Start the servers on what the folder holds, fill a new one with the sample inbox, and save it all at the end.

    ``sent`` is told of every letter that reaches the sink, in the servers' thread.
    """
    with open_place(folder) as place, contextlib.ExitStack() as stack:
        before = place.state()
        imap, smtp = (stack.enter_context(listen(port)) for port in _ports(before))
        place.prepare(port_of(imap), port_of(smtp))
        began = now()
        state = State(
            port_of(imap),
            port_of(smtp),
            before.started_at if before else began.isoformat(),
            before.delivered if before else (),
        )

        def sink(recipients: list[str], data: bytes) -> None:
            sent(Outgoing(tuple(recipients), place.keep_outgoing(data)))

        servers = stack.enter_context(Servers(imap, smtp, place.accounts(), sink))
        stage = Stage(place, servers, load_settings(place.config), state)
        if before is None:
            stage.fill(began)
        try:
            yield stage
        finally:
            stage.save()


def _ports(before: State | None) -> tuple[int, int]:
    return (before.imap_port, before.smtp_port) if before else (0, 0)
