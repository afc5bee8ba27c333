"""The words that led to a verdict: which sentence speaks most for a kind, and which words in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inboxbot.sorting.features import Part, Reading, article_hits, hit_pairs
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
LOOKED = 500  # words of a sentence that are weighed: no person writes longer ones
PLAIN_WORD = 0.4  # of the weight of a single word: a meaning or a wish of the vocabulary says more to a reader


Span = tuple[float, int, int]  # what words of a sentence speak for a kind: so much; the first and the last of them
Spans = Callable[[Reading, Sentence, int], list[Span]]  # `weighing.Weigher.spans`


def find_spans(sentence: Sentence, index: Index, model: Model, target: int) -> list[Span]:
    """Return the expressions of a sentence that speak for a target, the weightiest first.

    What the sentence means was noted. The weight of a pair of meanings is shared by the two.
    """
    weight = model.weights(target)
    words = sentence.words[:LOOKED]
    hits = [hit for hit in sentence.hits if hit[2] < LOOKED]
    worth = [weight(index.concepts.get(hit[0])) + weight(index.wishes.get(hit[0])) for hit in hits]
    for one, two in hit_pairs(hits):
        first, second = hits[one][0], hits[two][0]
        row = index.pairs.get(first << 8 | second if first < second else second << 8 | first)
        if row is not None:
            value = weight(row) / 2
            worth[one] += value
            worth[two] += value
    spans = [(value, hit[1], hit[2]) for hit, value in zip(hits, worth, strict=True)]
    spans += [(weight(index.articles.get(name)), first, last) for name, first, last in article_hits(words)]
    spans += [(PLAIN_WORD * model.word_weight(word, target), place, place) for place, word in enumerate(words)]
    return sorted([span for span in spans if span[0] > 0], key=lambda span: (-span[0], span[1], span[2]))


def _telling(spans: Sequence[Span], count: int) -> tuple[int, int]:
    """Return the first and last word of what tells most in a sentence of ``count`` words.

    It is widened to what tells much close by.
    """
    if not spans:
        return 0, min(count, _WIDE) - 1
    most, first, last = spans[0]
    for worth, start, end in spans[1:4]:
        wide = max(last, end) - min(first, start) < _WIDE
        near = max(first - end, start - last) <= _TOGETHER
        if wide and near and worth > 0.3 * most:
            first, last = min(first, start), max(last, end)
    return _readable(first, last, spans, count)


def _readable(first: int, last: int, spans: Sequence[Span], count: int) -> tuple[int, int]:
    """Return a span of a sentence of ``count`` words; if it is too short to be read alone, a longer one."""
    length = min(_READABLE, count)
    if last - first + 1 >= length:
        return first, last

    def told(start: int) -> float:
        return sum([worth for worth, one, end in spans if start <= one and end < start + length])

    starts = range(max(0, last + 1 - length), min(first, count - length) + 1)
    start = max(starts, key=lambda one: (told(one), one))
    return start, start + length - 1


def find_evidence(
    reading: Reading,
    scores: Sequence[Sums | None],
    kinds: Sequence[Kind],
    spans: Spans,
    texts: tuple[str, str],
) -> tuple[Evidence, ...]:
    """Return the decisive words of each kind given: at least one span a kind when the mail has any word.

    ``scores`` are those of the sentences of `Reading.spoken`, ``spans`` finds what in a sentence speaks for a target,
    ``texts`` are the subject and the body.
    """
    spoken = reading.spoken
    scored = [(place, score) for place, score in enumerate(scores) if score is not None]
    found: list[Evidence] = []

    def show(kind: Kind, part: Part, sentence: Sentence, first: int, last: int) -> None:
        subject = part.role == "subject"
        text = texts[0] if subject else texts[1]
        start, end = word_places(part.folded, sentence, first, last)
        start, end = start + part.start, end + part.start
        found.append(Evidence(kind, "subject" if subject else "body", text[start:end], start, end))

    for kind in kinds:
        if not spoken:
            break
        target = RIGHTS.index(kind) if kind.is_right else ANY
        ranked = sorted(scored, key=lambda item: item[1][target], reverse=kind.is_right)
        for place, score in ranked[: _MOST if kind.is_right else 1]:
            part, sentence = spoken[place]
            if kind.is_right and score[target] < ranked[0][1][target] - _CLOSE:
                continue
            telling = spans(reading, sentence, target) if kind.is_right else ()
            show(kind, part, sentence, *_telling(telling, len(sentence.words)))
        if not ranked:
            part, sentence = spoken[0]
            show(kind, part, sentence, *_telling((), len(sentence.words)))
    return tuple(found)
