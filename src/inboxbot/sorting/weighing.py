"""What the sums of a mail are made from: the reference, in plain Python, of what the native core does (`native`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from inboxbot.sorting.evidence import Span, find_spans
from inboxbot.sorting.features import Reading, features_of, note_meanings
from inboxbot.sorting.index import Index
from inboxbot.sorting.language import rank_languages
from inboxbot.sorting.model import Model, Scores, Sums
from inboxbot.sorting.vocabulary import Vocabulary
from inboxbot.sorting.words import Sentence, split_sentences

KEPT = 3


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the model makes of a mail that was read."""

    scores: Scores
    kept: tuple[float, ...]  # the same, rounded to `KEPT` decimals: what a verdict keeps of them
    sentences: list[Sums | None]  # of each of `Reading.spoken`; None: it has no telling meaning
    meant: frozenset[int]  # the meanings of all that is spoken
    cited: frozenset[str]  # articles that it cites, of those the model knows
    known: tuple[int, ...]  # numbers of its words that the model knows, sorted


class Weigher(Protocol):
    """Splits texts into sentences and weighs mails; both ways to do it give the same, to the last bit."""

    def split(self, text: str, limit: int) -> list[Sentence]:
        """Do what `split_sentences` does."""
        ...

    def rank(self, words: list[str], text: str) -> list[tuple[str, float]]:
        """Do what `rank_languages` does."""
        ...

    def weigh(self, reading: Reading) -> Weighed:
        """Return what a mail weighs."""
        ...

    def spans(self, reading: Reading, sentence: Sentence, target: int) -> list[Span]:
        """Do what `find_spans` does, for a sentence of a mail that was weighed."""
        ...

    def chances(self, scores: Scores) -> list[float]:
        """Do what `Model.chances` does."""
        ...


class PlainWeigher:
    """The way through `features_of` and `Model`, which training goes as well."""

    def __init__(self, vocabulary: Vocabulary, model: Model) -> None:
        self._vocabulary = vocabulary
        self._model = model
        self._index = Index.fixed(vocabulary, model.names)

    def split(self, text: str, limit: int) -> list[Sentence]:
        """Split folded text into sentences."""
        return split_sentences(text, limit)

    def rank(self, words: list[str], text: str) -> list[tuple[str, float]]:
        """Score languages, the likeliest first."""
        return rank_languages(words, text)

    def weigh(self, reading: Reading) -> Weighed:
        """Weigh a mail; what its sentences mean stays noted in them."""
        note_meanings(reading, self._vocabulary)
        whole, parts, meant = features_of(reading, self._index)
        single = [None if part is None else self._model.score(part) for part in parts]
        cited = frozenset(name for name, number in self._index.articles.items() if number in whole.meant)
        scores = self._model.scores(whole, single)
        kept = tuple(round(score, KEPT) for score in scores.flat())
        return Weighed(scores, kept, single, meant, cited, self._model.flat(whole))

    def spans(self, reading: Reading, sentence: Sentence, target: int) -> list[Span]:  # noqa: ARG002  already noted
        """Return what in a sentence speaks for a target."""
        return find_spans(sentence, self._index, self._model, target)

    def chances(self, scores: Scores) -> list[float]:
        """Return the calibrated probability of each target."""
        return self._model.chances(scores)
