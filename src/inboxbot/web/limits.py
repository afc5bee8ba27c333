"""How often somebody may try to sign in: counted per account and per address, in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

PER_ACCOUNT, PER_ADDRESS, WITHIN_S = 10, 50, 900.0
_MOST_KEYS = 10_000


class Tries:
    """Failed tries of the last quarter of an hour. Times are monotonic, so a moved clock opens nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, account: str, address: str) -> float:
        """Return how many seconds to wait before another try, 0 when none."""
        with self._lock:
            return max(self._wait(f"a:{account}", PER_ACCOUNT), self._wait(f"f:{address}", PER_ADDRESS))

    def failed(self, account: str, address: str) -> None:
        """Count a failed try."""
        with self._lock:
            for key in (f"a:{account}", f"f:{address}"):
                self._tries.setdefault(key, deque(maxlen=PER_ADDRESS)).append(self._clock())
                self._tries.move_to_end(key)
            while len(self._tries) > _MOST_KEYS:
                self._tries.popitem(last=False)

    def succeeded(self, account: str) -> None:
        """Forget an account's failed tries; those of the address stand."""
        with self._lock:
            self._tries.pop(f"a:{account}", None)

    def _wait(self, key: str, most: int) -> float:
        tries = self._tries.get(key)
        if tries is None:
            return 0.0
        while tries and tries[0] < self._clock() - WITHIN_S:
            tries.popleft()
        return 0.0 if len(tries) < most else max(0.0, tries[-most] + WITHIN_S - self._clock())
