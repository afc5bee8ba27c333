"""The words that led to a verdict: which sentence speaks most for a kind, and which words in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inboxbot.sorting.features import Index, Part, Reading, article_hits, hit_pairs, sentence_spans
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.model import ANY, Model
from inboxbot.sorting.values import Evidence

_MOST = 2  # spans a kind is shown with, at most
_TOGETHER = 6  # words between two telling expressions that are shown as one span
_WIDE = 12  # words of a span, at most


@dataclass(slots=True)
class _Span:
    """Words ``first`` to ``last`` of a part, and what they speak for a kind."""

    first: int
    last: int
    worth: float


def _spans(part: Part, index: Index, model: Model, target: int) -> list[_Span]:
    """Every expression of a part with its weight for a target (pairs count half for each of their two)."""
    names = index.vocabulary.concepts
    table = index.tables

    def weight(group: str, number: int) -> float:
        return model.weight(group, number, target) if number >= 0 else 0.0

    wishes = index.vocabulary.wishes
    worth = [
        weight("c", table["c"][names[hit.concept]])
        + (weight("r", table["r"][names[hit.concept]]) if hit.concept in wishes else 0.0)
        for hit in part.hits
    ]
    spans = []
    place = 0
    for begin, end in sentence_spans(part.words):
        start = place
        while place < len(part.hits) and part.hits[place].first <= end:
            place += 1
        group = part.hits[start:place]
        number_of = {id(hit): start + number for number, hit in enumerate(group)}
        for first, second, close in hit_pairs(group):
            value = weight("p", index.pair(first.concept, second.concept)) / 4
            if close:
                value += weight("n", index.near(first.concept, second.concept)) / 4
            worth[number_of[id(first)]] += value
            worth[number_of[id(second)]] += value
        for name, one, two in article_hits(part.words.words[begin : end + 1]):
            spans.append(_Span(begin + one, begin + two, weight("a", table["a"][name])))
    spans += [_Span(hit.first, hit.last, value) for hit, value in zip(part.hits, worth, strict=True)]
    spans += [
        _Span(place, place, weight("w", index.word(word)[0]) * 0.4) for place, word in enumerate(part.words.words)
    ]
    return spans


def _best_of(part: Part, spans: Sequence[_Span]) -> list[_Span]:
    """The best span of each sentence, widened to the next best near it, with the worth of the whole sentence."""
    by_sentence: dict[int, list[_Span]] = {}
    for span in spans:
        if span.worth > 0:
            by_sentence.setdefault(part.words.sentences[span.first], []).append(span)
    found = []
    for group in by_sentence.values():
        group.sort(key=lambda span: (-span.worth, span.first))
        best = group[0]
        first, last = best.first, best.last
        for other in group[1:4]:
            wide = max(last, other.last) - min(first, other.first) < _WIDE
            if wide and other.worth > 0.3 * best.worth and max(first - other.last, other.first - last) <= _TOGETHER:
                first, last = min(first, other.first), max(last, other.last)
        found.append(_Span(first, last, sum(span.worth for span in group[:4])))
    return found


def find_evidence(
    reading: Reading, kinds: Sequence[Kind], index: Index, model: Model, subject: str, body: str
) -> tuple[Evidence, ...]:
    """Return the decisive words of each kind given; at least one span a kind when the mail has any word."""
    found: list[Evidence] = []
    for kind in kinds:
        target = RIGHTS.index(kind) if kind.is_right else ANY
        ranked: list[tuple[float, int, _Span]] = []
        for number, part in enumerate(reading.parts):
            if part.role == "context" or not part.words.words:
                continue
            spans = _spans(part, index, model, target)
            if not kind.is_right:
                for span in spans:
                    span.worth = -span.worth
            ranked += [(span.worth, number, span) for span in _best_of(part, spans)]
        ranked.sort(key=lambda item: (-item[0], item[1], item[2].first))
        chosen = [item for item in ranked[: _MOST if kind.is_right else 1] if item[0] >= 0.5 * ranked[0][0]]
        if not chosen:
            number = next((place for place, part in enumerate(reading.parts) if part.words.words), None)
            if number is None:
                continue
            last = min(len(reading.parts[number].words.words), _WIDE) - 1
            chosen = [(0.0, number, _Span(0, last, 0.0))]
        for _, number, span in chosen:
            part = reading.parts[number]
            start, end = part.words.starts[span.first], part.words.ends[span.last]
            given, where = (subject, "subject") if part.role == "subject" else (body, "body")
            found.append(Evidence(kind, where, given[start:end], start, end))
    return tuple(found)
