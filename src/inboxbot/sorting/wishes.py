"""Mails of a few words, for which `kinds` has a rule of its own."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_BARE = 12  # words
_POLITE = frozenset(
    ["hej", "hejsan", "tack", "tackar", "snalla", "mvh", "vanligen", "halsningar", "nu", "genast", "omgaende", "please",
     "pls", "plz", "hi", "hello", "thanks", "thank", "you", "tak", "takk", "hei", "bitte", "danke", "hallo", "kiitos",
     "moi", "re", "sv", "vs", "aw", "venligst", "vennligst", "kan", "ni", "could", "can", "jeg", "er", "da", "med",
     "vanliga", "regards", "kind", "best", "vanlig", "halsning"]
)  # fmt: skip
_REMOVALS = frozenset(
    {"ta bort mig", "tag bort mig", "plocka bort mig", "ta bort mej", "tabort mig", "remove me", "take me off",
     "fjern mig", "fjern meg", "ta meg bort", "ta bort meg", "tag mig af", "poistakaa minut", "poista minut",
     "entfernen sie mich", "entfernt mich", "ta bort oss", "remove us", "stryk mig", "bort med mig"}
)  # fmt: skip
_STOPS = frozenset(
    {"stopp", "stop", "avregistrera", "avregistrera mig", "avregistrering", "avprenumerera", "avanmalan", "avanmal",
     "avanmal mig", "unsubscribe", "unsubscribe me", "unsub", "optout", "opt out", "afmeld", "afmeld mig", "frameld",
     "meld meg av", "avmeld", "avmeld meg", "abmelden", "abmeldung", "abbestellen", "peruuta", "stopp stopp",
     "avregga mig", "sluta mejla", "sluta maila", "avsluta utskick", "desabonner", "baja", "disiscrivimi"}
)  # fmt: skip


def _bare(words: Sequence[str]) -> str:
    """Return the words without courtesies and repetition, when they are few (else an empty text)."""
    if len(words) > LONGEST_BARE:
        return ""
    kept = [word for word in words if word not in _POLITE and not word.isdigit()]
    half = len(kept) // 2
    if half and kept[:half] == kept[half:]:  # the subject repeated in the body
        kept = kept[:half]
    return " ".join(kept)


def is_bare_removal(words: Sequence[str]) -> bool:
    """Whether a mail says "remove me" and nothing else: erasure or unsubscribe, a person must see."""
    return _bare(words) in _REMOVALS


def is_bare_stop(words: Sequence[str]) -> bool:
    """Whether a mail says only "STOPP" or "avregistrera": mailings shall end."""
    return _bare(words) in _STOPS
