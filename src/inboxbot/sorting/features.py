"""What the model sees of a mail: words, word pairs, meanings, and which meanings meet in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inboxbot.reading.segments import segment
from inboxbot.reading.values import Segment, SegmentKind
from inboxbot.sorting.fold import fold
from inboxbot.sorting.vocabulary import Hit, Vocabulary
from inboxbot.sorting.words import Words, split_words

_REPLY_MARKS = frozenset({"re", "sv", "aw", "vs", "antw", "ang", "svar", "rif", "odp", "res"})
_FORWARD_MARKS = frozenset({"fw", "fwd", "vb", "wg", "vl", "tr", "rv", "doorst", "enc", "vidarebefordrar"})
NEAR = 4  # words between which two meanings count as one expression
FAR = 14
_ARTICLE_WORDS = frozenset(
    "art article articles artikel artiklarna artikeln artiklar artikla artiklan artikler artikkel artikkelen artikels "
    "articolo articoli articulo articulos artigo artigos artykul artykulu art. clanek clanku cl clanak clanka clanok "
    "clanku cikk cikke cikkelye αρθρο αρθρου αρθρα член straipsnis straipsnio pants panta artikkli artikkel grein "
    "articolului articolul articolele arts artt artiklerne artiklene artikelen artikelens clen clena clenom".split()
)
_ARTICLES = frozenset("7 12 13 14 15 16 17 18 19 20 21 22 33 34 77 79 82".split())


@dataclass(slots=True)
class Part:
    """A stretch of text that was read: its words, their meanings, and whether it is the subject or only context."""

    words: Words
    hits: list[Hit]
    role: str  # "subject" | "body" | "context"


def article_hits(words: Words) -> list[tuple[str, int, int]]:
    """Articles of the regulation that are cited: (number, first word, last word); "21m" is 21(2) and (3)."""
    found: list[tuple[str, int, int]] = []
    tokens = words.words
    for place, word in enumerate(tokens):
        if word not in _ARTICLE_WORDS:
            continue
        following = tokens[place + 1 : place + 8]
        for step, number in enumerate(following, 1):
            if number in _ARTICLES:
                marketing = number == "21" and step < len(following) and following[step] in ("2", "3")
                found.append(("21m" if marketing else number, place, place + step))
            elif not number.isdigit() and len(number) > 3:
                break
        if place and tokens[place - 1] in _ARTICLES:
            found.append((tokens[place - 1], place - 1, place))
    return found


def pair_features(words: Words, hits: Sequence[Hit], names: Sequence[str]) -> Iterable[tuple[str, int, int]]:
    """Meanings that meet in a sentence: (feature, first word, last word)."""
    sentences = words.sentences
    for place, hit in enumerate(hits):
        sentence = sentences[hit.first]
        for other in hits[place + 1 : place + 24]:
            distance = other.first - hit.last
            if distance > FAR or sentences[other.first] != sentence:
                break
            if other.concept == hit.concept:
                continue
            if distance <= NEAR:
                yield f"n={names[hit.concept]}>{names[other.concept]}", hit.first, other.last
            low, high = sorted((hit.concept, other.concept))
            yield f"p={names[low]}&{names[high]}", hit.first, other.last


def part_features(part: Part, names: Sequence[str]) -> Iterable[tuple[str, int, int]]:
    """All features of a stretch with the words (first, last) they stand on."""
    words = part.words.words
    if part.role == "context":
        for hit in part.hits:
            yield f"q={names[hit.concept]}", hit.first, hit.last
        return
    for place, word in enumerate(words):
        if not word.isdigit():
            yield f"w={word}", place, place
    sentences = part.words.sentences
    for place in range(len(words) - 1):
        if sentences[place] == sentences[place + 1]:
            yield f"b={words[place]} {words[place + 1]}", place, place + 1
    mark = "s" if part.role == "subject" else "c"
    for hit in part.hits:
        yield f"c={names[hit.concept]}", hit.first, hit.last
        if mark == "s":
            yield f"s={names[hit.concept]}", hit.first, hit.last
    for number, first, last in article_hits(part.words):
        yield f"a={number}", first, last
    yield from pair_features(part.words, part.hits, names)


def read_parts(
    vocabulary: Vocabulary, subject: str, body: str, segments: Sequence[Segment] | None = None
) -> tuple[list[Part], set[str]]:
    """Read a mail: its stretches and a few features of its shape."""
    shape: set[str] = set()
    parts: list[Part] = []
    title = split_words(fold(subject))
    marks = set(title.words[:2])
    replied = bool(marks & _REPLY_MARKS)
    if replied:
        shape.add("z=reply")
    if marks & _FORWARD_MARKS:
        shape.add("z=forward")
    if segments is None:
        segments = segment(body)
    new = [item for item in segments if item.kind in (SegmentKind.NEW, SegmentKind.FORWARDED)]
    if not any(body[item.start : item.end].strip() for item in new):
        new = list(segments)
        if not title.words or replied:
            shape.add("z=nothing-new")
    chosen = {(item.start, item.end) for item in new}
    parts.append(Part(title, vocabulary.find(title.words, title.sentences), "subject"))
    count = 0
    for item in segments:
        role = "body" if (item.start, item.end) in chosen else "context"
        words = split_words(fold(body[item.start : item.end]), item.start, 6_000)
        parts.append(Part(words, vocabulary.find(words.words, words.sentences), role))
        if role == "body":
            count += len(words.words)
        shape.add(f"z={item.kind.value}")
    shape.add(f"z=len{min(count.bit_length(), 10)}")
    if "?" in body:
        shape.add("z=question")
    return parts, shape


def names_of(parts: Sequence[Part], shape: set[str], names: Sequence[str]) -> set[str]:
    """The names of all features of a mail."""
    found = set(shape)
    for part in parts:
        found.update(name for name, _, _ in part_features(part, names))
    return found
