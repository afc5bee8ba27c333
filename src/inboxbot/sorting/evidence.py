"""The words that led to a verdict: which sentence speaks most for a kind, and which words in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from inboxbot.sorting.features import Part, Reading, article_hits, hit_pairs
from inboxbot.sorting.fold import Folded, fold
from inboxbot.sorting.index import Index
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.model import ANY, Model, Sums
from inboxbot.sorting.values import Evidence
from inboxbot.sorting.words import Sentence, word_places

_MOST = 2  # sentences a kind is shown with, at most
_CLOSE = 1.0  # log odds by which the second sentence may be worse than the best
_TOGETHER = 6  # words between two telling expressions that are shown as one span
_WIDE = 12  # words of a span, at most
_READABLE = 5  # words of a span, at least, where the sentence has them: "me" alone tells a reader nothing
_LOOKED = 500  # words of a sentence that are weighed: no person writes longer ones
_PLAIN_WORD = 0.4  # of the weight of a single word: a meaning or a wish of the vocabulary says more to a reader


class _Span(NamedTuple):
    """Words ``first`` to ``last`` of a sentence, and what they speak for a kind."""

    first: int
    last: int
    worth: float


def _spans(sentence: Sentence, index: Index, model: Model, target: int) -> list[_Span]:
    """Return the expressions of a sentence that speak for a target, with weights; pairs are shared by their two."""
    weight = model.weights(target)
    words = sentence.words[:_LOOKED]
    hits = [hit for hit in sentence.hits if hit[2] < _LOOKED]
    worth = [weight(index.concepts.get(hit[0])) + weight(index.wishes.get(hit[0])) for hit in hits]
    for one, two in hit_pairs(hits):
        first, second = hits[one][0], hits[two][0]
        row = index.pairs.get(first << 8 | second if first < second else second << 8 | first)
        if row is not None:
            value = weight(row) / 2
            worth[one] += value
            worth[two] += value
    spans = [_Span(hit[1], hit[2], value) for hit, value in zip(hits, worth, strict=True) if value > 0]
    cited = [(first, last, weight(index.articles.get(name))) for name, first, last in article_hits(words)]
    spans += [_Span(*span) for span in cited if span[2] > 0]
    known = [(place, model.word_weight(word, target)) for place, word in enumerate(words)]
    spans += [_Span(place, place, _PLAIN_WORD * value) for place, value in known if value > 0]
    return spans


def _telling(sentence: Sentence, index: Index, model: Model, target: int) -> tuple[int, int]:
    """Return the first and last word of what tells most in a sentence, widened to what tells much close by."""
    spans = sorted(_spans(sentence, index, model, target), key=lambda span: (-span.worth, span.first, span.last))
    if not spans:
        return 0, min(len(sentence.words), _WIDE) - 1
    first, last = spans[0].first, spans[0].last
    for span in spans[1:4]:
        wide = max(last, span.last) - min(first, span.first) < _WIDE
        near = max(first - span.last, span.first - last) <= _TOGETHER
        if wide and near and span.worth > 0.3 * spans[0].worth:
            first, last = min(first, span.first), max(last, span.last)
    return _readable(first, last, spans, len(sentence.words))


def _readable(first: int, last: int, spans: Sequence[_Span], count: int) -> tuple[int, int]:
    """Return a span of a sentence of ``count`` words; if it is too short to be read alone, a longer one."""
    length = min(_READABLE, count)
    if last - first + 1 >= length:
        return first, last

    def told(start: int) -> float:
        return sum(one.worth for one in spans if start <= one.first and one.last < start + length)

    starts = range(max(0, last + 1 - length), min(first, count - length) + 1)
    start = max(starts, key=lambda one: (told(one), one))
    return start, start + length - 1


def find_evidence(
    reading: Reading,
    scores: Sequence[Sums | None],
    kinds: Sequence[Kind],
    index: Index,
    model: Model,
    texts: tuple[str, str],
) -> tuple[Evidence, ...]:
    """Return the decisive words of each kind given: at least one span a kind when the mail has any word.

    ``scores`` are those of the sentences of `Reading.spoken`; ``texts`` are the subject and the body.
    """
    spoken = reading.spoken
    scored = [(place, score) for place, score in enumerate(scores) if score is not None]
    found: list[Evidence] = []
    folded: dict[int, Folded] = {}

    def show(kind: Kind, part: Part, number: int, first: int, last: int) -> None:
        subject = part.role == "subject"
        text = texts[0] if subject else texts[1]
        if id(part) not in folded:
            folded[id(part)] = fold(text[part.start : part.end])
        start, end = word_places(folded[id(part)], part.sentences, number, first, last)
        start, end = start + part.start, end + part.start
        found.append(Evidence(kind, "subject" if subject else "body", text[start:end], start, end))

    for kind in kinds:
        if not spoken:
            break
        target = RIGHTS.index(kind) if kind.is_right else ANY
        ranked = sorted(scored, key=lambda item: item[1][target], reverse=kind.is_right)
        for place, score in ranked[: _MOST if kind.is_right else 1]:
            part, number, sentence = spoken[place]
            if kind.is_right and score[target] < ranked[0][1][target] - _CLOSE:
                continue
            telling = kind.is_right and _telling(sentence, index, model, target)
            show(kind, part, number, *(telling or (0, min(len(sentence.words), _WIDE) - 1)))
        if not ranked:
            part, number, sentence = spoken[0]
            show(kind, part, number, 0, min(len(sentence.words), _WIDE) - 1)
    return tuple(found)
