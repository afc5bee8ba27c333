"""Judges that misbehave at certain subjects. Run as a program: a parent of reading children, to be killed."""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from inboxbot.mailbox.workers import JudgeMail, ReadingPool, shipped_judge
from inboxbot.reading.read import raw_of
from inboxbot.reading.values import Mail
from inboxbot.sorting.values import Verdict


def load_moody() -> JudgeMail:
    """Load the shipped judge, which here dies, hangs, starves or fails at mails whose subject says so."""
    judge = shipped_judge()

    def moody(mail: Mail) -> Verdict:
        match mail.subject:
            case "dies":
                os._exit(9)
            case "sleeps":
                time.sleep(600)
            case "hangs":
                re.match(r"(a+)+$", "a" * 60 + "b")
            case "starves":
                bytearray(4 * 1024**3)
            case "fails":
                raise ValueError(mail.text)
        return judge(mail)

    return moody


def load_broken() -> JudgeMail:
    """Fail to load, as a damaged model file would."""
    raise LookupError("model.json is damaged")


def load_and_tell() -> JudgeMail:
    """Write the child's process id beside the file that INBOXBOT_TEST_PIDS names, then judge for ever."""
    Path(f"{os.environ['INBOXBOT_TEST_PIDS']}.{os.getpid()}").touch()

    def forever(mail: Mail) -> Verdict:
        time.sleep(600)
        raise AssertionError

    return forever


if __name__ == "__main__":
    pool = ReadingPool(2, load_judge=load_and_tell)
    mails = ((number, raw_of(b"Subject: x\r\n\r\n" + b"y" * 1_500_000)) for number in range(4))
    sys.stdout.write(f"{len(list(pool.judge_all(mails)))}\n")
