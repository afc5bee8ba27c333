"""How fast the judge is: ``python benchmarks/judge.py [COUNT]`` prints mails a second and the median, on one core.

The mails are the training mails joined to about 2,000 letters each, in an order that is always the same. Times are
processor time of this process, so that other work on the machine does not count.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from inboxbot.sorting.judge import Judge

LETTERS = 2_000
FOLDER = Path(__file__).parent.parent / "training" / "mails"


def make_mails(count: int) -> list[tuple[str, str]]:
    """Join training mails until each has about `LETTERS` letters."""
    lines = [line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    mails = [json.loads(line) for line in lines]
    made: list[tuple[str, str]] = []
    place = 0
    while len(made) < count:
        subject, body = mails[place % len(mails)]["subject"], ""
        while len(body) < LETTERS:
            body += mails[place % len(mails)]["body"].split("\n>")[0] + "\n\n"
            place += 1
        made.append((subject, body[:LETTERS]))
    return made


def main() -> int:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    judge = Judge.load()
    mails = make_mails(count)
    times = []
    begin = time.process_time()
    for subject, body in mails:
        before = time.process_time()
        judge.judge_text(subject, body)
        times.append(time.process_time() - before)
    total = time.process_time() - begin
    print(f"{count} mails of {LETTERS} letters: {count / total:,.0f} a second")
    print(f"median {statistics.median(times) * 1e3:.2f} ms, 99th {sorted(times)[int(count * 0.99)] * 1e3:.2f} ms")
    hostile = {
        "one word": "a " * 500_000,
        "line ends": "\n" * 1_000_000,
        "radera": "radera mina uppgifter. " * 43_500,
        "quotes": "> " * 500_000,
        "wrote": "Den 3 mars skrev a b c\n" * 43_500,
        "umlauts": "åäö€ " * 200_000,
        "Greek": ("δεδομένα μου " * 18 + "\n") * 4_260,
        "Chinese": ("个人数据" * 60 + "\n") * 4_150,
        "invisible": "\u200b" * 1_000_000,
        "no blanks": "x" * 1_000_000,
        "commas": "inte," * 200_000,
        "not and commas": "inte radera, " * 77_000,
    }
    for name, text in hostile.items():
        before = time.process_time()
        judge.judge_text("", text)
        print(f"1 MB of {name}: {(time.process_time() - before) * 1e3:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
