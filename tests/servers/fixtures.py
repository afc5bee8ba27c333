"""Starting of real servers for tests, once a process. `conftest.py` makes fixtures of these functions."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os

import pytest
from tests.servers.dovecot import Dovecot, find_dovecot, running_dovecot


def missing(name: str) -> None:
    """Skip the test because ``name`` is not installed, or fail when INBOXBOT_TEST_REQUIRE names it."""
    required = {item.strip() for item in os.environ.get("INBOXBOT_TEST_REQUIRE", "").split(",")}
    if name in required:
        pytest.fail(f"{name} is not installed, and INBOXBOT_TEST_REQUIRE asks for it", pytrace=False)
    pytest.skip(f"{name} is not installed")


def shared_dovecot() -> Dovecot:
    """Return this process's Dovecot, started at the first call. Use `Dovecot.new_user` for a mailbox of one's own."""
    if find_dovecot() is None:
        missing("dovecot")
    return _started()


@functools.cache
def _started() -> Dovecot:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_dovecot())
