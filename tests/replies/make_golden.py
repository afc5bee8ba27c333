"""Write the golden letters anew: `.venv/bin/python -m tests.replies.make_golden`, then read what changed."""

from __future__ import annotations

from pathlib import Path

from inboxbot.replies.facts import LANGUAGES
from inboxbot.replies.samples import Sample, sample_letter, samples

GOLDEN = Path(__file__).parent / "golden"


def golden_path(sample: Sample) -> Path:
    return GOLDEN / sample.facts.language / f"{sample.template}-{sample.label}.txt"


def golden_text(sample: Sample) -> str:
    letter = sample_letter(sample)
    return f"Subject: {letter.subject}\n\n{letter.body}"


def main() -> None:
    wanted = {golden_path(sample): golden_text(sample) for language in LANGUAGES for sample in samples(language)}
    for path in GOLDEN.rglob("*.txt"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
