"""Commands without waiting for Python to import everything: a helper process has it all imported and forks itself.

The forked child is a process of its own with its own standard streams, environment, arguments and exit code; it may be
killed like any other. Only the start is shared, which makes a test of many commands several times quicker.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TIMEOUT_S = 100.0
WAIT = "wait\n"


class Quick:
    """The helper process; one command at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            start_new_session=True,  # Ctrl-C is for who waits; what runs here is ended when the pipe closes
        )
        atexit.register(self.close)

    def close(self) -> None:
        """End the helper."""
        if self._process.stdin:
            self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait(10)

    def run(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], input_text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``inboxbot ARGUMENTS`` and return how it ended; a kill shows as in a shell's child (``-9``, or 137)."""
        with tempfile.TemporaryDirectory(prefix="inboxbot-quick-") as name:
            started = self.start(arguments, environment=environment, folder=Path(name), input_text=input_text)
            code = started.wait()
            out = (started.folder / "out").read_text(encoding="utf-8")
            errors = (started.folder / "err").read_text(encoding="utf-8")
        return subprocess.CompletedProcess(["inboxbot", *arguments], code, out, errors)

    def start(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        input_text: str | None = None,
        log: Path | None = None,
    ) -> Started:
        """Start a command whose output goes to files in ``folder``; wait for it before the next one is started.

        With a ``log`` all of its output is added to that file instead.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the helper has no pipes")
        (folder / "in").write_text(input_text or "", encoding="utf-8")
        order = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        if log is not None:
            order["log"] = str(log)
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Started(int(self._process.stdout.readline()), folder, self._process.stdin, self._process.stdout)


@dataclass
class Started:
    """A command that runs: its process id, and the folder with its output (``out``, ``err``).

    The helper reaps the child only when it is asked to, so until ``wait`` the process id belongs to this command alone.
    """

    child: int
    folder: Path
    orders: IO[str]
    told: IO[str]

    def kill(self) -> None:
        """Kill it where it stands; nothing happens when it has ended already."""
        os.kill(self.child, signal.SIGKILL)

    @property
    def ended(self) -> bool:
        """Whether it has ended, as far as this system tells; it waits to be reaped then."""
        try:
            return Path(f"/proc/{self.child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return False

    def wait(self) -> int:
        """Return its exit code, negative for a signal; it is killed when it takes too long."""
        self.orders.write(WAIT)
        self.orders.flush()
        if not select.select([self.told], [], [], TIMEOUT_S)[0]:
            self.kill()
        return int(self.told.readline())


class Forked:
    """A daemon started without its imports; it is asked and told things like a `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self._started = _daemons().start(arguments, environment=environment, folder=log.parent, log=log)
        self._code: int | None = None
        self.pid = self._started.child

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self._code is None and self._started.ended:
            self._code = self._started.wait()
        return self._code

    def wait(self, timeout: float) -> int:
        """Return the exit code. Raises TimeoutExpired when it runs for longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("inboxbot", timeout)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it where it stands."""
        self.send_signal(signal.SIGKILL)


@functools.cache
def quick() -> Quick:
    """Return this process's helper, started at the first call."""
    return Quick()


@functools.cache
def _daemons() -> Quick:
    """Return the helper of daemons: other commands are run beside them."""
    return Quick()


def _child(order: dict[str, object]) -> None:
    folder = Path(str(order["folder"]))
    log = order.get("log")
    out, err = (str(log), str(log)) if log else ("out", "err")
    fresh = os.O_APPEND if log else os.O_TRUNC
    for descriptor, name, flags in ((0, "in", os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        handle = os.open(folder / name, flags | (os.O_CREAT | fresh if descriptor else 0), 0o600)
        os.dup2(handle, descriptor)
        os.close(handle)
    environment, arguments = order["environment"], order["arguments"]
    if not isinstance(environment, dict) or not isinstance(arguments, list):
        raise TypeError("not an order")
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["inboxbot", *arguments]
    from inboxbot.cli.main import main

    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  (as the interpreter would)
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def serve() -> None:
    """Read orders, fork a child for each and tell its process id; asked to wait, tell how it ended."""
    from inboxbot.cli.main import COMMANDS

    for module in {module for module, _ in COMMANDS.values()} | {"inboxbot.wiring", "inboxbot.daemon.service"}:
        try:
            importlib.import_module(module)
        except ImportError:
            continue  # a command that is not there yet
    import inboxbot.desk.view
    import inboxbot.mailbox.workers  # noqa: F401

    gc.freeze()
    child = 0
    try:
        for line in sys.stdin:
            if line == WAIT:
                _, status = os.waitpid(child, 0)
                child = 0
                print(os.waitstatus_to_exitcode(status), flush=True)
                continue
            if child:  # a test failed before it waited for this one: that must not trouble the next
                _end(child)
            child = os.fork()
            if child == 0:
                _child(json.loads(line))
            print(child, flush=True)
    finally:
        if child:  # who gave the orders is gone, perhaps killed
            _end(child)


def _end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    serve()
