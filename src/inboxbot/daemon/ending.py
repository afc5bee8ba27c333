"""A run of `inboxbot once` that is told to end (SIGTERM, Ctrl-C) finishes the work in hand and leaves the rest.

Every piece is a transaction of its own, so what was not begun is simply done by the next run (promises.md F3).
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from inboxbot.logs import get_logger

log = get_logger()
END_WITHIN_S = 4.0


class Ending:
    """Whether a run was told to end. Being told cuts its connection to a mailbox; the letter in hand is finished."""

    def __init__(self) -> None:
        self.told = False
        self._done = threading.Event()
        self._cut: list[Callable[[], None]] = []
        self._leave: Callable[[], None] | None = None

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Listen to the signals, as long as the run lasts; a second one changes nothing."""
        before = {one: signal.signal(one, self._hear) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            self._done.set()
            for one, handler in before.items():
                signal.signal(one, handler)

    @contextlib.contextmanager
    def cutting(self, cut: Callable[[], None]) -> Iterator[None]:
        """Call ``cut`` when the run is told to end within: whoever waits for the network there waits no longer."""
        self._cut.append(cut)
        try:
            if self.told:
                cut()
            yield
        finally:
            self._cut.remove(cut)

    @contextlib.contextmanager
    def leaving(self, leave: Callable[[], None]) -> Iterator[None]:
        """Call ``leave`` before the process is ended in the midst of this."""
        self._leave = leave
        try:
            yield
        finally:
            self._leave = None

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.told:
            return
        self.told = True
        threading.Thread(target=self._end, name="end", daemon=True).start()
        for cut in self._cut:
            cut()

    def _end(self) -> None:
        """End the process when the run hangs on somebody else: what it holds is settled by the next start."""
        if self._done.wait(END_WITHIN_S):
            return
        log.warning("ended_while_working")
        if self._leave is not None:
            self._leave()
        os._exit(0)
