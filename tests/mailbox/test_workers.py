"""Children that read: one bad mail is held alone, the rest is read, and no child outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.servers import judges
from tests.servers.processes import lives

from inboxbot.mailbox.workers import Held, Read, ReadingPool, WorkLimits
from inboxbot.reading.read import raw_of
from inboxbot.reading.values import RawMail


def raw(subject: str, body: str = "Radera mig.") -> RawMail:
    text = (
        f"From: Anna <anna@example.com>\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
    )
    return raw_of(text.encode())


def test_mails_come_back_once_each_in_order() -> None:
    with ReadingPool(2) as pool:
        items = [(number, raw(f"nr {number}")) for number in range(230)]
        outcomes = list(pool.judge_all(iter(items)))
        assert list(pool.judge_all([])) == []
    assert [key for key, _ in outcomes] == list(range(230))
    assert all(isinstance(outcome, Read) and outcome.mail.subject == f"nr {key}" for key, outcome in outcomes)


def test_mails_with_very_many_tags_wait_too_and_what_is_too_much_to_keep_is_put_off() -> None:
    tags = raw("tags", "<b></i>" * 7_000)
    items = [(0, tags), (1, raw("ordinary")), *((number, raw("long", "ord " * 250_000)) for number in range(2, 22))]
    later: list[int] = []
    with ReadingPool() as pool:
        outcomes = list(pool.judge_all(items, later=later))
        again = list(pool.judge_all([(key, dict(items)[key]) for key in later]))
    assert [key for key, _ in outcomes][:2] == [1, 0]
    assert later  # a million bytes each, of which sixteen times as many are kept
    assert sorted([*(key for key, _ in outcomes), *(key for key, _ in again)]) == list(range(22))


def test_mails_with_very_much_text_wait_for_the_others_and_are_read() -> None:
    items = [(number, raw(f"nr {number}", "ord " * (60_000 if number % 2 else 3))) for number in range(8)]
    with ReadingPool() as pool:
        outcomes = list(pool.judge_all(items))
    assert [key for key, _ in outcomes] == [0, 2, 4, 6, 1, 3, 5, 7]
    assert all(isinstance(outcome, Read) for _, outcome in outcomes)


def test_threads_share_a_pool() -> None:
    with ReadingPool(2) as pool, ThreadPoolExecutor(4) as threads:
        batches = [[((thread, number), raw(f"{thread} {number}")) for number in range(60)] for thread in range(4)]
        for batch, outcomes in zip(
            batches, threads.map(lambda batch: list(pool.judge_all(batch)), batches), strict=True
        ):
            assert [key for key, _ in outcomes] == [key for key, _ in batch]
            assert all(isinstance(outcome, Read) for _, outcome in outcomes)


def test_f5_f8_only_the_bad_mails_are_held_and_the_good_ones_read() -> None:
    """F5, F8, E19."""
    subjects = ["god 1", "dies", "god 2", "starves", "fails", "god 3", "sleeps", "hangs", "god 4"]
    limits = WorkLimits(wall_s=2.5)  # a dead worker has to be noticed before, on a busy machine too
    with ReadingPool(2, load_judge=judges.load_moody, limits=limits) as pool:
        outcomes = dict(pool.judge_all((subject, raw(subject)) for subject in subjects))
        again = dict(pool.judge_all([("god 5", raw("god 5"))]))
    held = {key: outcome.code for key, outcome in outcomes.items() if isinstance(outcome, Held)}
    assert held == {
        "dies": "reader_died",
        "starves": "out_of_memory",
        "fails": "judge_failed",
        "sleeps": "too_slow",
        "hangs": "too_slow",
    }
    assert list(outcomes) == subjects
    assert isinstance(again["god 5"], Read)
    for outcome in outcomes.values():
        assert outcome.mail is not None
        assert outcome.mail.sender is not None
        assert outcome.mail.sender.address == "anna@example.com"


def test_an_unreadable_mail_is_held_with_its_code_and_its_headers() -> None:
    """E19."""
    bomb = raw_of(b"From: x@example.com\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 100_000)
    with ReadingPool() as pool:
        ((_, outcome),) = pool.judge_all([("bomb", bomb)])
    assert isinstance(outcome, Held)
    assert outcome.code == "html_too_complex"
    assert outcome.mail is not None
    assert "unreadable" in outcome.mail.flags


def test_a_judge_that_cannot_load_is_no_mails_fault() -> None:
    with ReadingPool(load_judge=judges.load_broken) as pool, pytest.raises(LookupError):
        list(pool.judge_all([(1, raw("x"))]))


def test_f6_children_die_with_their_parent(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "INBOXBOT_TEST_PIDS": str(tmp_path / "pid"), "PYTHONPATH": f"{root}:{root / 'src'}"}
    parent = subprocess.Popen([sys.executable, "-m", "tests.servers.judges"], cwd=root, env=environment)
    try:
        children = _wait_for_children(tmp_path)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        deadline = time.monotonic() + 10
        while any(lives(child) for child in children) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not [child for child in children if lives(child)]
    finally:
        parent.kill()
        parent.wait(10)


def _wait_for_children(folder: Path) -> list[int]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        children = [int(path.suffix[1:]) for path in folder.glob("pid.*")]
        if len(children) == 2:
            return children
        time.sleep(0.05)
    raise AssertionError("the children did not start")
