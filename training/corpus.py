"""Read what the judge is trained from: whole mails (`mails/*.jsonl`) and single wishes (`lines/*.txt`)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SORTING = HERE.parent / "src" / "inboxbot" / "sorting"
READING = SORTING.parent / "reading"
CODES = {
    "A": "access",
    "E": "erasure",
    "U": "unsubscribe",
    "C": "complaint",
    "R": "rectification",
    "P": "portability",
    "O": "objection",
    "F": "restriction",
    "-": "other",
}


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its gold labels; ``batch`` names the author batch that cross-validation leaves out as one."""

    id: str
    batch: str
    language: str
    subject: str
    body: str
    labels: frozenset[str]
    reminder: bool
    sort: str


def read_mails(folder: Path = HERE / "mails") -> list[Example]:
    """All whole mails, sorted by file and place."""
    examples = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            mail = json.loads(line)
            examples.append(
                Example(
                    mail["id"],
                    mail["batch"],
                    mail["language"],
                    mail["subject"],
                    mail["body"],
                    frozenset(mail["labels"]),
                    bool(mail["reminder"]),
                    mail["sort"],
                )
            )
    return examples


def read_lines(folder: Path = HERE / "lines") -> list[Example]:
    """All single wishes (``codes|text`` a line; ``!`` after the codes marks a reminder).

    They are only ever trained on, never measured on.
    """
    examples = []
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            codes, _, text = line.partition("|")
            labels = frozenset(CODES[code] for code in codes.rstrip("!"))
            examples.append(
                Example(
                    f"{path.stem}-{number}",
                    f"lines-{path.stem}",
                    path.stem[:2],
                    "",
                    text,
                    labels,
                    reminder=codes.endswith("!"),
                    sort="line",
                )
            )
    return examples


def digest_of_inputs() -> str:
    """SHA-256 over everything the model depends on: mails, wishes, vocabulary and the code that reads them."""
    digest = hashlib.sha256()
    paths = [
        *sorted((HERE / "mails").glob("*.jsonl")),
        *sorted((HERE / "lines").glob("*.txt")),
        *sorted((SORTING / "vocabulary").glob("*.toml")),
        *(
            SORTING / name
            for name in ("features.py", "fold.py", "index.py", "language.py", "vocabulary.py", "words.py")
        ),
        READING / "leadins.py",
        READING / "segments.py",
        HERE / "train.py",
        HERE / "fitting.py",
    ]
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
