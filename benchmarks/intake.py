"""How fast mail is taken: raw fetch against the whole product, on a real Dovecot on loopback.

    python benchmarks/intake.py [--mails 2000] [--rounds 3]

In each round, in turn: every mail fetched whole and thrown away (raw), and `inboxbot once` on an empty database
(fetch, read, judge, open a case, draft the answer, commit). A round counts only when every mail has exactly one ledger
row, one case and one draft. Absolute figures belong to one machine and one hour; the ratio is what is compared.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.servers.dovecot import Dovecot, free_port, running_dovecot
from tests.servers.installation import Installation, open_office
from tests.servers.proxy import Proxy
from tests.servers.writing import letter

TEXTS = (
    ("Mina uppgifter", "Hej!\nVilka uppgifter har ni om mig? Jag vill ha ett registerutdrag enligt artikel 15."),
    ("Radera", "Jag vill att ni raderar alla uppgifter ni har om mig, enligt artikel 17."),
    ("Avregistrera", "Avregistrera mig från nyhetsbrevet, tack. Jag vill inte ha fler utskick."),
    ("Var är paketet", "Hej! När kommer mitt paket? Jag har väntat länge nu.\nMvh"),
    ("Subject access request", "Please send me a copy of my personal data under article 15 of the GDPR."),
)
FILLER = "Det här är en rad med vanliga ord som fyller ut ett brev till ungefär den längd som brev har.\n" * 20


def make_mails(count: int) -> list[bytes]:
    """Return small mails of about 2 kB, each from another person."""
    return [
        letter(subject, f"{body}\nHälsningar {number}\n\n{FILLER}", sender=f"Person <person{number}@example.org>")
        for number in range(count)
        for subject, body in [TEXTS[number % len(TEXTS)]]
    ]


def raw_fetch(dovecot: Dovecot, user: str) -> int:
    """Fetch every mail whole, 500 a command, and return the bytes."""
    wire = dovecot.imap(user)
    total, first = 0, 1
    while True:
        _, data = wire.uid("FETCH", f"{first}:{first + 499}", "(UID BODY.PEEK[])")
        bodies = [item[1] for item in data if isinstance(item, tuple)]
        if not bodies:
            break
        total += sum(len(body) for body in bodies)
        first += 500
    wire.logout()
    return total


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def take(dovecot: Dovecot, user: str, count: int, port: int | None = None) -> float:
    """Run `inboxbot once` in a process of its own and return the seconds from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        house = Installation(Path(folder), port or dovecot.port, free_port(), user, dovecot.password)
        begun = time.perf_counter()
        process = house.start_process("once", "--json")
        out, errors = process.communicate()
        seconds = time.perf_counter() - begun
        if process.returncode:
            raise RuntimeError(errors)
        with open_office(house) as office:
            found = [office.rows(f"SELECT count(*) FROM {table}")[0][0] for table in ("ledger", "cases", "drafts")]
            if found != [count] * 3:
                raise RuntimeError(f"{count} mails became {found} ledger rows, cases and drafts: {out}")
    return seconds


def main() -> None:
    """Measure and print a table in Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--mails", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=3)
    wanted = arguments.parse_args()
    mails = make_mails(wanted.mails)
    with running_dovecot() as dovecot:
        user, empty = dovecot.new_user(), dovecot.new_user()
        dovecot.append(user, mails)
        size = raw_fetch(dovecot, user)  # the first one warms the caches
        start = min(take(dovecot, empty, 0) for _ in range(2))
        idle_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        raw, product = [], []
        for _ in range(wanted.rounds):
            raw.append(timed(lambda: raw_fetch(dovecot, user)))
            product.append(take(dovecot, user, wanted.mails))
        peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        with Proxy(("127.0.0.1", dovecot.port)) as proxy:
            take(dovecot, user, wanted.mails, proxy.port)
            read, commands = proxy.from_server, len(proxy.commands())
    raw_s, product_s = statistics.median(raw), statistics.median(product)
    raw_rate, rate = wanted.mails / raw_s, wanted.mails / product_s
    spread = (max(raw) - min(raw)) / raw_s
    warm = wanted.mails / max(0.001, product_s - start)
    print("| figure | value |")
    print("| --- | ---: |")
    print(f"| mails, mean size | {wanted.mails}, {size // wanted.mails} bytes |")
    print(f"| raw fetch, median of {wanted.rounds} (spread) | {raw_rate:,.0f} mails/s ({spread:.0%}) |")
    print(f"| `inboxbot once`, from process start to end | {rate:,.0f} mails/s |")
    print(f"| the same without the {start:.1f} s of a run that finds nothing | {warm:,.0f} mails/s |")
    print(f"| ratio to raw, whole and without the start | {rate / raw_rate:.2%}, {warm / raw_rate:.2%} |")
    print(f"| bytes read against the mails' size | {read / size:.0%} |")
    print(f"| IMAP commands in all | {commands} |")
    print(f"| peak memory of the largest process | {peak_kib / 1024:.0f} MiB (empty run {idle_kib / 1024:.0f} MiB) |")


if __name__ == "__main__":
    main()
