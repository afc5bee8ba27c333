"""Turn hand-written mail blocks into the JSONL that training and evaluation read.

People write mails as readable blocks, one file an author batch::

    === labels=erasure; lang=sv; sort=request
    From: Anna Berg <anna.berg@example.se>
    Subject: Ta bort mig

    Hej! Jag vill att ni raderar mitt konto.

``labels`` are kinds of ``kinds.md`` joined by commas (``other`` stands alone), ``lang`` an ISO 639-1
code, ``sort`` what the mail is an example of (``request``, ``ordinary`` or ``hard:NAME``), and
``reminder=yes`` marks a reminder of an unanswered request.

Usage: ``python training/blocks.py IN.txt OUT.jsonl`` (the batch name is the stem of IN.txt). The mails
are checked; every fault is printed with its line and nothing is written.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

RIGHTS = ("access", "erasure", "unsubscribe", "complaint", "rectification", "portability", "objection", "restriction")
KINDS = frozenset({*RIGHTS, "other"})
FIELDS = frozenset({"labels", "lang", "sort", "reminder"})
SAFE_DOMAIN = re.compile(r"@(?:[a-z0-9-]+\.)*(?:example\.(?:com|se|org|net|dk|no|de|fi|eu)|[a-z0-9-]+\.example)$")


def parse_blocks(text: str, batch: str) -> tuple[list[dict[str, object]], list[str]]:
    """Return (mails, faults) for the text of one block file."""
    mails: list[dict[str, object]] = []
    faults: list[str] = []
    chunks = re.split(r"(?m)^=== ", text)
    line = chunks[0].count("\n") + 1
    for number, chunk in enumerate(chunks[1:], 1):
        where = f"{batch}:{line}"
        line += chunk.count("\n")
        head, _, rest = chunk.partition("\n")
        fields = dict(part.strip().split("=", 1) for part in head.split(";") if "=" in part)
        headers, _, body = rest.partition("\n\n")
        found = dict(re.findall(r"(?m)^(From|Subject): ?(.*)$", headers))
        labels = sorted(set(fields.get("labels", "").replace(" ", "").split(",")))
        if fields.keys() - FIELDS:
            faults.append(f"{where}: unknown field {sorted(fields.keys() - FIELDS)}")
        if not labels or set(labels) - KINDS or ("other" in labels and len(labels) > 1):
            faults.append(f"{where}: labels {labels} are not kinds of kinds.md")
        if not re.fullmatch(r"[a-z]{2}", fields.get("lang", "")):
            faults.append(f"{where}: lang must be a two-letter code")
        if not re.fullmatch(r"request|ordinary|hard:[a-z-]+", fields.get("sort", "")):
            faults.append(f"{where}: sort must be request, ordinary or hard:NAME")
        if set(found) != {"From", "Subject"}:
            faults.append(f"{where}: needs a From: and a Subject: line, then an empty line")
        else:
            address = found["From"].strip().rstrip(">").rpartition("<")[2].lower()
            if not SAFE_DOMAIN.search(address):
                faults.append(f"{where}: {address} is not at an example domain")
        mails.append(
            {
                "id": f"{batch}-{number:03d}",
                "batch": batch,
                "language": fields.get("lang", ""),
                "sort": fields.get("sort", ""),
                "reminder": fields.get("reminder") == "yes",
                "subject": found.get("Subject", "").strip(),
                "from": found.get("From", "").strip(),
                "body": body.strip("\n"),
                "labels": labels,
            }
        )
    return mails, faults


def main(arguments: list[str]) -> int:
    """Convert one file; print what it holds."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    source, target = Path(arguments[0]), Path(arguments[1])
    mails, faults = parse_blocks(source.read_text(encoding="utf-8"), source.stem)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    with target.open("w", encoding="utf-8") as out:
        for mail in mails:
            out.write(json.dumps(mail, ensure_ascii=False) + "\n")
    print(f"{target.name}: {len(mails)} mails")
    print("labels", dict(Counter(label for mail in mails for label in mail["labels"])))  # type: ignore[attr-defined]
    print("languages", dict(Counter(mail["language"] for mail in mails)))
    print("sorts", dict(Counter(mail["sort"] for mail in mails)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
