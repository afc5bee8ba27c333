"""What needs no weighing: mails of a few words, which have a rule of their own, and letters called reminders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

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
# Languages with so few training mails that a letter which calls itself a reminder would not always be taken for one:
# what such a letter is called in them, without accents.
_REMINDERS = {
    "bg": ("напомн",), "cs": ("upominka", "pripominka", "urgence"), "el": ("υπενθυμ",), "es": ("recordatorio",),
    "et": ("meeldetuletus",), "fr": ("rappel", "relance"), "hr": ("podsjetnik", "pozurnica"), "hu": ("emlekezteto",),
    "is": ("aminning", "itrekun"), "it": ("sollecito", "promemoria"), "lt": ("priminim",), "lv": ("atgadinajum",),
    "nl": ("herinnering",), "pl": ("przypomnien", "ponaglen", "monit"), "pt": ("lembrete", "insistencia"),
    "ro": ("reamintir", "revenire"), "sk": ("upomienka", "pripomienka", "urgencia"), "sl": ("opomnik", "opomin"),
}  # fmt: skip
_OPENING = 30  # words in which a letter says what it is, its subject among them


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


def calls_itself_reminder(words: Iterable[str], language: str) -> bool:
    """Whether the first words of a mail name it a reminder, in a language where the model has seen few of them."""
    names = _REMINDERS.get(language)
    return names is not None and any(word.startswith(names) for word in islice(words, _OPENING))
