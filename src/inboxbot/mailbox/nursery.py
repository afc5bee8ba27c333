"""Imported by the process that forks the reading children (multiprocessing's fork server), and only there.

It loads what the children need once, and ends itself when the program that started it is gone: the fork server alone
would live on as long as one of its children does. The children are tied to it by the kernel (`workers._begin`).
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Final

from inboxbot.mailbox import workers

__all__ = ["workers"]

_LOOK_EVERY_S: Final = 1.0
_parent = os.getppid()


def _end_when_orphaned(_number: int, _frame: FrameType | None) -> None:
    if os.getppid() != _parent:
        os._exit(0)


signal.signal(signal.SIGALRM, _end_when_orphaned)
signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY_S, _LOOK_EVERY_S)
