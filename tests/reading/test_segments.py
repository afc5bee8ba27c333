"""Whose words a text holds: every sort of history, forward, signature and footer that mail programs write."""

from __future__ import annotations

import multiprocessing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.reading.segments import inner_sender, segment
from inboxbot.reading.values import SegmentKind

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "replies"
NEW, QUOTED, FORWARDED = SegmentKind.NEW, SegmentKind.QUOTED, SegmentKind.FORWARDED
SIGNATURE, FOOTER = SegmentKind.SIGNATURE, SegmentKind.FOOTER


def words(text: str, kind: SegmentKind) -> str:
    return " ".join(
        " ".join(text[part.start : part.end].split()) for part in segment(text) if part.kind is kind
    ).strip()


def assert_covers(text: str) -> None:
    parts = segment(text)
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(one.end == other.start and one.kind is not other.kind for one, other in pairwise(parts))


HISTORIES = {
    "gmail sv": (
        "Den tis 3 mars 2026 kl 10:00 skrev Kontakt <kontakt@example.se>:\n> Hej Anna!\n> Avregistrera dig här"
    ),
    "gmail sv, wrapped": (
        "Den tis 3 mars 2026 kl 10:00 skrev Exempel AB Kundtjänst <\nkontakt@example.se>:\n\n> Hej Anna"
    ),
    "gmail en": "On Tue, Mar 3, 2026 at 10:00 AM Support <support@example.com> wrote:\n\n> Dear Anna",
    "apple sv, not marked": (
        "3 mars 2026 kl. 10:00 skrev Kontakt <kontakt@example.se>:\n\nHej Anna!\nAvregistrera dig här"
    ),
    "outlook sv": (
        "Från: Kontakt <kontakt@example.se>\nSkickat: den 3 mars 2026 10:00\nTill: Anna\nÄmne: Nyheter\n\nHej Anna!"
    ),
    "outlook sv, ruled and bold": (
        "________________________________\n*Från:* Kontakt\n*Skickat:* den 3 mars\n*Till:* Anna\n*Ämne:* Nytt\n\nHej!"
    ),
    "outlook en": "From: Support\nSent: Tuesday, March 3, 2026 10:00 AM\nTo: Anna\nSubject: News\n\nDear Anna",
    "original sv": "-----Ursprungligt meddelande-----\nFrån: Kontakt\nSkickat: den 3 mars\n\nHej Anna!",
    "original en, spaced": "----- Original Message -----\nFrom: Support\n\nDear Anna",
    "thunderbird sv": "Den 2026-03-03 kl. 10:00, skrev Kontakt:\n> Hej Anna!",
    "yahoo sv": "Den tisdag 3 mars 2026 10:00:00 CET, Kontakt <kontakt@example.se> skrev:\n\n Hej Anna!",
    "danish": "Den tirs. 3. mar. 2026 kl. 10.00 skrev Kontakt <kontakt@example.dk>:\n\n> Hej Anna",
    "norwegian": "tir. 3. mar. 2026 kl. 10:00 skrev Kontakt <kontakt@example.no>:\n\n> Hei Anna",
    "norwegian outlook": "Fra: Kontakt\nSendt: tirsdag 3. mars 2026 10:00\nTil: Anna\nEmne: Nyheter\n\nHei Anna",
    "german": "Am 03.03.2026 um 10:00 schrieb Kontakt:\n> Hallo Anna",
    "german outlook": "Von: Kontakt\nGesendet: Dienstag, 3. März 2026 10:00\nAn: Anna\nBetreff: Neues\n\nHallo Anna",
    "finnish": "ti 3. maaliskuuta 2026 klo 10.00 Kontakt (kontakt@example.fi) kirjoitti:\n\n> Hei Anna",
    "french": "Le mar. 3 mars 2026 à 10:00, Contact <contact@example.com> a écrit :\n\n> Bonjour Anna",
    "spanish": "El mar, 3 mar 2026 a las 10:00, Contacto (<c@example.com>) escribió:\n\n> Hola Anna",
    "italian": "Il giorno mar 3 mar 2026 alle ore 10:00 Contatto <c@example.com> ha scritto:\n\n> Ciao Anna",
    "dutch": "Op di 3 mrt 2026 om 10:00 schreef Contact <c@example.com>:\n\n> Hallo Anna",
    "polish": "W dniu 3.03.2026 o 10:00, Kontakt pisze:\n> Witaj Anna",
    "portuguese": "Em ter., 3 de mar. de 2026 às 10:00, Contacto <c@example.com> escreveu:\n\n> Olá Anna",
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_history_below_the_answer_is_quoted(history: str) -> None:
    """C50, C51."""
    text = f"Ta bort mig från listan.\n\nAnna\n\n{history}\n"

    assert_covers(text)
    assert words(text, NEW).startswith("Ta bort mig från listan.")
    quoted = words(text, QUOTED)
    assert any(name in quoted for name in ("Anna", "Hej!")), quoted
    assert "Avregistrera" not in words(text, NEW)


def test_answers_between_and_below_quotes_stay_new() -> None:
    text = "> Vill du ha vårt nyhetsbrev?\nNej tack.\n> Får vi spara dina uppgifter?\nNej, radera dem.\n"

    assert words(text, NEW) == "Nej tack. Nej, radera dem."
    assert "nyhetsbrev" in words(text, QUOTED)


FORWARDS = {
    "gmail sv": (
        "---------- Vidarebefordrat meddelande ---------\nFrån: Kalle Ek <kalle@example.org>\nÄmne: x\n\nRadera mig."
    ),
    "apple sv": "Vidarebefordrat brev:\n\nFrån: Kalle Ek <kalle@example.org>\nÄmne: Radera\n\nRadera mig.",
    "gmail en": "---------- Forwarded message ---------\nFrom: Kalle Ek <kalle@example.org>\nSubject: x\n\nRadera mig.",
    "apple en": "Begin forwarded message:\n\nFrom: Kalle Ek <kalle@example.org>\nSubject: x\n\nRadera mig.",
    "thunderbird de": "-------- Weitergeleitete Nachricht --------\nVon: Kalle Ek <kalle@example.org>\n\nRadera mig.",
    "gmail da": "---------- Videresendt besked ---------\nFra: Kalle Ek <kalle@example.org>\n\nRadera mig.",
    "gmail no": "---------- Forwarded message ---------\nFra: Kalle Ek <kalle@example.org>\n\nRadera mig.",
    "finnish": "---------- Välitetty viesti ---------\nLähettäjä: Kalle Ek <kalle@example.org>\n\nRadera mig.",
}


@pytest.mark.parametrize("forward", FORWARDS.values(), ids=FORWARDS)
def test_a_forward_keeps_its_words_and_names_its_sender(forward: str) -> None:
    """C37."""
    text = f"För kännedom, kan du ta den här?\n\n{forward}\n"

    assert_covers(text)
    assert "Radera mig." in words(text, FORWARDED)
    assert words(text, NEW) == "För kännedom, kan du ta den här?"
    found = inner_sender(text, segment(text))
    assert found is not None
    assert (found.address.address, found.address.name) == ("kalle@example.org", "Kalle Ek")
    assert found.source in text


def test_history_with_nothing_new_before_it_is_a_forward() -> None:
    text = "Från: Kalle <kalle@example.org>\nSkickat: den 3 mars\nTill: oss\nÄmne: x\n\nRadera mig."

    assert "Radera mig." in words(text, FORWARDED)


def test_a_web_form_is_not_history() -> None:
    text = "Namn: Anna Ek\nE-post: anna@example.se\nMeddelande: Radera mitt konto."

    assert words(text, NEW) == "Namn: Anna Ek E-post: anna@example.se Meddelande: Radera mitt konto."


@pytest.mark.parametrize(
    "ending",
    ["-- \nAnna Ek\nExempel AB", "Skickat från min iPhone", "Sent from my iPhone", "Mvh\nAnna Ek\n070-000 00 00"],
)
def test_signatures(ending: str) -> None:
    text = f"Radera mitt konto.\n\n{ending}\n"

    assert words(text, NEW) == "Radera mitt konto."
    assert words(text, SIGNATURE).split() == ending.split()


def test_words_after_a_leave_taking_are_new() -> None:
    text = "Var är mitt paket?\n\nMvh\nAnna\n\nPS. Ta bort mig från nyhetsbrevet också."

    assert "Ta bort mig från nyhetsbrevet" in words(text, NEW)


@pytest.mark.parametrize(
    "footer",
    [
        "Detta meddelande kan innehålla konfidentiell information. Är du inte rätt mottagare, radera det.",
        "This e-mail and any attachments are confidential. If you are not the intended recipient, delete it.",
        "Du får detta mejl för att du är kund hos oss. Avregistrera dig här.",
        "Kommunen behandlar personuppgifter enligt dataskyddslagen. Enligt artikel 15 har du rätt till registerutdrag.",
    ],
)
def test_footers(footer: str) -> None:
    """C52."""
    text = f"Vad kostar en kurs?\n\nMvh\nAnna Ek\n\n{footer}\n"

    assert words(text, NEW) == "Vad kostar en kurs?"
    assert words(text, FOOTER) == footer


def test_a_wish_that_speaks_law_is_not_a_footer() -> None:
    text = "Hej.\n\nJag begär registerutdrag enligt artikel 15 i dataskyddsförordningen. Behandlar ni personuppgifter?"

    assert words(text, FOOTER) == ""


@pytest.mark.parametrize(
    "wish",
    [
        "Hun ønsker bekreftelse på om dere behandler personopplysninger om henne, jf. personvernforordningen art. 15.",
        "Step 1. Send him a copy of the personal data you process about him, with the information of Article 15 GDPR.",
        "• bekräftelse på om personuppgifter behandlas,\n• kopia av dem,\n• mottagare enligt artikel 15, lagringstid.",
        "Med stöd av artikel 17 i dataskyddsförordningen ska alla personuppgifter raderas och mottagare underrättas.",
        "This e-mail is confidential and sent for our client, who wants all personal data about him to be deleted.",
        "Du får det här mejlet för att Fabian Östling vill få bort sina uppgifter. Vi har hans fullmakt.",
    ],
)
def test_what_is_asked_for_somebody_else_is_not_a_footer(wish: str) -> None:
    """C58."""
    text = f"Hello,\n\nWe write for a user of ours.\n\n{wish}\n\nThe requests desk"

    assert words(text, FOOTER) == ""


def test_an_empty_text_has_no_segments() -> None:
    assert segment("") == ()


@given(st.text(alphabet=st.sampled_from("ab>\n -:*_@.Frånskev123"), max_size=300))
def test_segments_always_cover_the_text(text: str) -> None:
    assert_covers(text)


HOSTILE = {
    "line ends": "\n" * 1_000_000,
    "quote marks": ">" * 1_000_000,
    "quoted lines": ">\n" * 500_000,
    "lead-ins": "Den 3 mars skrev a b c\n" * 43_000,
    "dated lead-ins": "Am 3.3.2026 um 10:00 schrieb x y:\n" * 30_000,
    "headers": "Från: x\n" * 125_000,
    "rules": "-----\n" * 160_000,
    "blanks": " " * 1_000_000,
    "dashes": "-- \n" * 250_000,
}


def _segment_all(texts: list[str]) -> None:
    for text in texts:
        segment(text)


def test_no_text_makes_the_scanner_slow() -> None:
    """C54."""
    worker = multiprocessing.get_context("spawn").Process(target=_segment_all, args=(list(HOSTILE.values()),))
    worker.start()
    worker.join(60)  # a linear scanner needs about a second for all; a quadratic one never ends
    try:
        assert worker.exitcode == 0
    finally:
        worker.kill()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of replies of other projects is not here")
def test_replies_of_other_projects() -> None:
    for path in sorted(CORPUS.glob("*.txt")):
        assert_covers(path.read_text(encoding="utf-8", errors="replace"))
    expected = {
        "email_german_outlook.txt": "original message content",
        "email_finnish.txt": "Thanks!",
        "email_fr_multiline.txt": "Etiam non sagittis",
        "email_msn.txt": "Kevin",
        "email_danish_dash_separator.txt": "Oprindelig besked",
        "email_original_message_2.txt": "revisit the proposal",
        "email_outlook_split_line_from.txt": "A new message from applicant",
    }
    for name, sentence in expected.items():
        text = (CORPUS / name).read_text(encoding="utf-8", errors="replace")
        assert sentence in words(text, QUOTED), name
        assert sentence not in words(text, NEW), name
