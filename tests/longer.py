"""How long the searching tests search: ``INBOXBOT_TEST_MORE`` multiplies their examples (`make fuzz`)."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import settings

MORE: Final = max(1, int(os.environ.get("INBOXBOT_TEST_MORE", "1")))


def more(examples: int) -> int:
    """Return how many examples to try instead of so many."""
    return examples * MORE


if MORE > 1:
    settings.register_profile("more", max_examples=more(100), deadline=None)
    settings.load_profile("more")
