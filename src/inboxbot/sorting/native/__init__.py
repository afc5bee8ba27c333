"""The native core: `_core.pyx`, compiled when inboxbot was installed where a C++ compiler was. It is optional.

It weighs mails as `weighing.PlainWeigher` does, to the last bit, and many times as quickly. ``INBOXBOT_PURE=1`` in the
environment goes without it.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from importlib import resources
from types import ModuleType

from inboxbot.sorting.model import Model
from inboxbot.sorting.vocabulary import Vocabulary
from inboxbot.sorting.weighing import PlainWeigher, Weigher


def find_core() -> ModuleType | None:
    """Return the compiled module; None where it was not built, is not wanted, or was built from another source."""
    if os.environ.get("INBOXBOT_PURE", "") not in ("", "0"):
        return None
    try:
        core = importlib.import_module(f"{__name__}._core")
    except ImportError:  # it was not built
        return None
    return core if digest_of_source() == core.SOURCE else None


def digest_of_source() -> str:
    """SHA-256 of all that the core is compiled from (`hatch_build.py` reckons the same and compiles it in)."""
    entries = [entry for entry in resources.files(__name__).iterdir() if entry.name.endswith((".pyx", ".pxi"))]
    return hashlib.sha256(b"".join(one.read_bytes() for one in sorted(entries, key=lambda one: one.name))).hexdigest()


def find_weigher(vocabulary: Vocabulary, model: Model) -> Weigher:
    """Return the quickest way to weigh mails."""
    core = find_core()
    return PlainWeigher(vocabulary, model) if core is None else core.Core(vocabulary, model)
