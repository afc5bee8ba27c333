"""What the commands about cases share: the words they take, and who does it."""

from __future__ import annotations

import click

STATES = ("held", "open", "waiting", "closed", "dismissed")
KINDS = (
    "access",
    "erasure",
    "unsubscribe",
    "complaint",
    "rectification",
    "portability",
    "objection",
    "restriction",
    "other",
)
OUTCOMES = ("granted", "partly_granted", "refused", "withdrawn", "not_a_request")
GROUNDS = ("bookkeeping", "commitment", "legal_claim", "legal_duty")
ANSWERS = (
    "found",
    "nothing",
    "withheld",
    "corrected",
    "unchanged",
    "erased",
    "kept",
    "stopped",
    "continues",
    "restricted",
    "told",
    "not_told",
)
by_option = click.option("--by", "by", metavar="NAME", help="Who does this; the signed-in user if left out.")


def texts_of(given: tuple[str, ...]) -> dict[str, str]:
    """Return NAME=WORDS options as a mapping. Raises a usage error for one without ``=``."""
    pairs = [one.partition("=") for one in given]
    if not all(equals for _, equals, _ in pairs):
        raise click.UsageError("--text takes NAME=WORDS")
    return {name.strip(): words for name, _, words in pairs}
