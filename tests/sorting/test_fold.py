"""Folded text, and the way back from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inboxbot.sorting.fold import fold
from inboxbot.sorting.words import plain_words, split_sentences, word_places


@pytest.mark.parametrize(
    ("given_text", "folded"),
    [
        ("Åsa ÄLSKAR öl", "asa alskar ol"),
        ("rade\u200bra m\u00adig", "radera mig"),
        ("Ｒadera", "radera"),
        ("“citat” – ‘x’", "\"citat\" - 'x'"),
        ("ΔΙΑΓΡΑΦΉ δεδομένων", "διαγραφη δεδομενων"),
        ("a\u030a", "a"),
        ("smørrebrød straße", "smorrebrod strase"),
    ],
)
def test_fold(given_text: str, folded: str) -> None:
    assert fold(given_text).text == folded


def test_places_lead_back_past_letters_that_cannot_be_seen() -> None:
    text = "Hej, rade\u200bra m\u200big!"
    folded = fold(text)
    sentences = split_sentences(folded.text)
    start, end = word_places(folded, sentences[0], 1, 2)

    assert plain_words(folded.text) == ["hej", "radera", "mig"]
    assert text[start:end] == "rade\u200bra m\u200big"


@given(st.text(max_size=200))
def test_every_word_is_found_again_where_it_stands(text: str) -> None:
    folded = fold(text)
    sentences = split_sentences(folded.text)
    for sentence in sentences:
        for place, word in enumerate(sentence.words):
            start, end = word_places(folded, sentence, place, place)
            assert 0 <= start < end <= len(text)
            assert fold(text[start:end]).text == word
