"""What the model sees of a mail: words, letters, meanings, and which meanings and words meet in one sentence.

One implementation serves training and judging (`index` numbers what is found).

What a feature counts for is divided by a power of the number of words
(``w``, ``g``, ``b``) or of meanings (the others) of the mail or sentence it is in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from typing import cast

from inboxbot.reading.values import Segment, SegmentKind
from inboxbot.sorting.fold import Folded, fold
from inboxbot.sorting.index import Index
from inboxbot.sorting.language import best_language, rank_languages, reading_languages
from inboxbot.sorting.vocabulary import Vocabulary, find_meanings
from inboxbot.sorting.words import Hit, Sentence, split_sentences

FAR = 8  # words between which two meanings count as meeting
CLOSE = 4  # words behind a meaning that belong to it, or in which another follows it closely
BEFORE = 3  # words before a meaning that belong to it
HEAD = 32_000  # letters of the new words that the model looks at: the first …
TAIL = 8_000  # … and the last
MAX_WORDS = 7_000  # 40,000 letters of one-letter words are no mail
_ENOUGH = 3  # new words that a reply's subject is not needed beside
MAX_PAIRS = 6  # meanings a meaning is paired with, at most
MOST_HITS = 800  # meanings of one sentence whose neighbours are looked at: what has more is no sentence

REPLY_MARKS = frozenset({"re", "sv", "aw", "vs", "antw", "ang", "svar", "rif", "odp", "res"})
FORWARD_MARKS = frozenset({"fw", "fwd", "vb", "wg", "vl", "tr", "rv", "enc", "vidarebefordrar", "doorst"})
_POINTERS = frozenset(
    ["nedan", "nedanstaende", "below", "forwarding", "forwarded", "vidarebefordrar", "vidarebefordrat", "videresender",
     "nedenfor", "nedenstaende", "unten", "untenstehend", "weiterleiten", "leite", "fyi", "ohessa", "alla", "valitan"]
)  # fmt: skip
NOTS = frozenset(
    ["inte", "int", "ej", "icke", "aldrig", "not", "don't", "dont", "never", "ikke", "ikkje", "aldri", "nicht", "nie",
     "alkaa", "ala", "eivat", "en", "ei", "pas", "ne", "no", "non", "nao", "niet", "nie", "neni", "nemojte", "mos",
     "doesn't", "didn't", "won't", "isn't", "wasn't", "cannot", "can't"]
) - frozenset(["en", "ne", "no", "ei"])  # fmt: skip
ARTICLE_WORDS = frozenset(
    ["art", "article", "articles", "artikel", "artiklarna", "artikeln", "artiklar", "artikla", "artiklan", "artikler",
     "artikkel", "artikkelen", "artikels", "articolo", "articoli", "articulo", "articulos", "artigo", "artigos",
     "artykul", "artykulu", "clanek", "clanku", "cl", "clanak", "clanka", "clanok", "cikk", "cikke", "cikkelye",
     "αρθρο", "αρθρου", "αρθρα", "член", "чл", "straipsnis", "straipsnio", "str", "pants", "panta", "artikkli",
     "artikkel", "grein", "articolului", "articolul", "articolele", "arts", "artt", "artiklerne", "artiklene",
     "artikelen", "clen", "clena", "clenom", "clankom", "clanem", "artikeltext", "paragraph", "artiklene"]
)  # fmt: skip
MARKETING = frozenset(["2", "3"])  # paragraphs of Article 21 that are on direct marketing
ARTICLES = frozenset(["7", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "32", "33", "34", "77",
                       "79", "82"])  # fmt: skip


def letter_groups(word: str) -> set[str]:
    """Return the groups of four and five letters in a word, with its edges marked."""
    if len(word) < 4:
        return set()
    edged = f"<{word[:24]}>"
    return {edged[place : place + size] for size in (4, 5) for place in range(len(edged) - size + 1)}


@dataclass(slots=True)
class Part:
    """A stretch of text that was read: its sentences, its role, and where it stands (``start``, ``end``)."""

    sentences: list[Sentence]
    role: str  # "subject" | "body" | "context"
    start: int
    end: int
    folded: Folded


@dataclass(slots=True)
class Reading:
    """A mail as the judge reads it."""

    parts: list[Part]
    shape: set[str]
    language: str
    languages: tuple[str, ...]  # those it is read with
    skipped: list[tuple[int, int]]  # stretches of new words that the model did not look at
    nothing_new: bool
    new_words: int
    spoken: list[tuple[Part, Sentence]] = field(init=False)  # each sentence of the subject and of the new words

    def __post_init__(self) -> None:
        """List what is spoken."""
        self.spoken = [(part, sentence) for part in self.parts if part.role != "context" for sentence in part.sentences]


def _cut(start: int, end: int, used: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Divide a stretch into what is read and what is skipped, ``used`` letters having been read before."""
    room = max(HEAD - used, 0)
    if end - start <= room + TAIL:
        return [(start, end)], []
    return [(start, start + room), (end - TAIL, end)], [(start + room, end - TAIL)]


Split = Callable[[str, int], list[Sentence]]  # `split_sentences`, or what does the same quicker
Rank = Callable[[list[str], str], list[tuple[str, float]]]  # `rank_languages`, or the same quicker


def _passed_on(new: Sequence[Segment], body: str, title: Sequence[str], split: Split) -> bool:
    """Whether the sender passes on someone else's words (then quoted words may carry the request)."""
    if title and title[0] in FORWARD_MARKS:
        return True
    if sum(item.end - item.start for item in new) > 400:
        return False
    texts = [fold(body[item.start : item.end]).text for item in new]
    words = [word for text in texts for sentence in split(text, MAX_WORDS) for word in sentence.words]
    return len(words) < 40 and any(word in _POINTERS for word in words)


def read_mail(
    subject: str,
    body: str,
    segments: Sequence[Segment],
    split: Split = split_sentences,
    rank: Rank = rank_languages,
) -> Reading:
    """Read a subject and a body whose segments are known."""
    shape: set[str] = set()
    folded = fold(subject[:1_000])
    title = split(folded.text, MAX_WORDS)
    opening = title[0].words if title else []
    new = [item for item in segments if item.kind in (SegmentKind.NEW, SegmentKind.FORWARDED)]
    nothing_new = not any(body[item.start : item.end].strip() for item in new)
    if nothing_new:
        new = list(segments)
        if body.strip():
            shape.add("nothing-new")
    elif any(item.kind is SegmentKind.QUOTED for item in segments) and _passed_on(new, body, opening, split):
        shape.add("passed-on")
        new += [item for item in segments if item.kind is SegmentKind.QUOTED]
    replied = bool(opening) and opening[0] in REPLY_MARKS
    if replied:
        shape.add("reply")
    chosen = {item.start for item in new}
    parts = [Part(title, "subject", 0, len(subject[:1_000]), folded)]
    skipped: list[tuple[int, int]] = []
    used = count = 0
    for item in segments:
        role = "body" if item.start in chosen else "context"
        shape.add(item.kind.value)
        read, left = _cut(item.start, item.end, used) if role == "body" else ([(item.start, item.start + 6_000)], [])
        skipped += left
        for start, end in read:
            last = min(end, item.end)
            room = MAX_WORDS - count
            if room <= 0:
                continue
            folded = fold(body[start:last])
            part = Part(split(folded.text, room), role, start, last, folded)
            parts.append(part)
            if role == "body":
                used += end - start
                count += sum(len(sentence.words) for sentence in part.sentences)
    if replied and count >= _ENOUGH:
        parts[0].role = "context"  # the subject of a reply is the words of an earlier mail
    sample = list(
        islice(
            chain.from_iterable(
                [item.words for part in parts if part.role != "context" for item in part.sentences[:30]]
            ),
            300,
        )
    )
    ranked = rank(sample, f"{subject[:300]}\n{body[:1_500]}")
    shape.add(f"len{min(count.bit_length(), 10)}")
    if "?" in body[:HEAD]:
        shape.add("question")
    return Reading(parts, shape, best_language(ranked), reading_languages(ranked), skipped, nothing_new, count)


def note_meanings(reading: Reading, vocabulary: Vocabulary) -> None:
    """Note in each sentence of a mail what its words mean."""
    sense = vocabulary.reader(reading.languages).__getitem__
    otherwise = vocabulary.otherwise
    for part in reading.parts:
        for sentence in part.sentences:
            hits = find_meanings(list(map(sense, sentence.words)))
            if hits and not NOTS.isdisjoint(sentence.words):
                hits = _negated(sentence, hits, vocabulary)
            meant = {hit[0] for hit in hits}
            if otherwise in meant and not vocabulary.grim.isdisjoint(meant):
                hits = _threatened(hits, vocabulary)
            sentence.hits = hits


def _threatened(hits: list[Hit], vocabulary: Vocabulary) -> list[Hit]:
    """Put *threat* in the place of "complain" and the like (in a sentence with "otherwise"): the close of a letter."""
    grim, threat = vocabulary.grim, vocabulary.threat
    return [(threat if concept in grim else concept, first, last) for concept, first, last in hits]


def _negated(sentence: Sentence, hits: list[Hit], vocabulary: Vocabulary) -> list[Hit]:
    """Put *spare* in the place of "delete" and the like where a "not" rules over it (not beyond a comma)."""
    words, pauses = sentence.words, sentence.pauses
    ruled, spare = vocabulary.ruled, vocabulary.spare
    nots = [place for place, word in enumerate(words) if word in NOTS]

    def denied(first: int, last: int) -> bool:
        near = nots[bisect_left(nots, first - 3) : bisect_right(nots, last + 1)]
        return any(bisect_right(pauses, min(place, first)) == bisect_right(pauses, max(place, last)) for place in near)

    return [
        (spare if concept in ruled and denied(first, last) else concept, first, last) for concept, first, last in hits
    ]


def article_hits(tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield articles of the regulation that are cited: (number, first word, last word); "21m" is 21(2) and (3)."""
    for place, word in enumerate(tokens):
        if word not in ARTICLE_WORDS:
            continue
        following = tokens[place + 1 : place + 8]
        for step, number in enumerate(following, 1):
            if number in ARTICLES:
                marketing = number == "21" and not MARKETING.isdisjoint(following[step : step + 2])
                yield ("21m" if marketing else number), place, place + step
            elif not number.isdigit() and len(number) > 3:
                break
        if place and tokens[place - 1] in ARTICLES:
            yield tokens[place - 1], place - 1, place


def hit_pairs(hits: Sequence[Hit]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of two hits of one sentence whose meanings differ and that are not far apart."""
    for place, (concept, _, last) in enumerate(hits):
        for other in range(place + 1, min(place + MAX_PAIRS, len(hits))):
            if hits[other][1] - last > FAR:
                break
            if hits[other][0] != concept:
                yield place, other


@dataclass(slots=True)
class Features:
    """The words of a mail or a sentence, and its features: two words in a row, and all about meanings.

    Features are what the index knows them by. ``meanings`` is how many different meanings there are.
    """

    words: set[str]
    bigrams: set[int]
    meant: set[int]
    meanings: int


def _known(features: Iterable[int | None]) -> set[int]:
    """Return features without those the index does not know."""
    found = set(features)
    found.discard(None)
    return cast("set[int]", found)


def _meant(sentence: Sentence, meant: frozenset[int], index: Index, *, title: bool) -> list[int | None]:
    """Return the features of what a sentence means (of some that the index does not know, None)."""
    hits = sentence.hits
    found = _met(sentence, index)
    found += map(index.concepts.get, meant)
    if title:
        found += map(index.titles.get, meant)
    if not index.vocabulary.wishes.isdisjoint(meant):
        found += map(index.wishes.get, meant & index.vocabulary.wishes)
    if sentence.asks:
        found += map(index.asked.get, meant)
    if hits[0][1] == 0:
        found.append(index.opening.get(hits[0][0]))
    if not ARTICLE_WORDS.isdisjoint(sentence.words):
        found += [index.articles.get(number) for number, _, _ in article_hits(sentence.words)]
    return found


def _met(sentence: Sentence, index: Index) -> list[int | None]:
    """Return what stands next to each meaning of a sentence: words, and other meanings."""
    words, hits, pauses = sentence.words, sentence.hits[:MOST_HITS], frozenset(sentence.pauses)
    found: list[int | None] = []
    keys: list[int] = []
    close: list[int] = []
    bland, before, behind = index.vocabulary.bland, index.before, index.behind
    final = hits[-1][1]
    for place, (concept, first, last) in enumerate(hits, 1):
        if concept not in bland:
            table = before[concept]
            if first == 0:
                found.append(table.get("^"))
            else:
                if first in pauses:
                    found.append(table.get(","))
                found += map(table.get, words[first - BEFORE if first > BEFORE else 0 : first])
            found += map(behind[concept].get, words[last + 1 : last + 1 + CLOSE])
        others = hits[place : place + MAX_PAIRS]
        if final > last + FAR:
            others = [hit for hit in others if hit[1] <= last + FAR]
        for other, start, _ in others:
            if other != concept:
                keys.append(concept << 8 | other if concept < other else other << 8 | concept)
            if last < start <= last + CLOSE:
                close.append(concept << 8 | other)
    found += map(index.pairs.get, keys)
    found += map(index.followed.get, close)
    return found


def features_of(reading: Reading, index: Index) -> tuple[Features, list[Features | None], frozenset[int]]:
    """Return the features of a mail: of the whole, of each sentence of `Reading.spoken` alone, and all these mean.

    A sentence without any telling meaning has no features of its own.
    """
    words: set[str] = set()
    bigrams: set[int | None] = set()
    features: set[int | None] = set()
    parts: list[Features | None] = []
    spoken: set[int] = set()
    telling, bigram = index.vocabulary.telling, index.bigrams.get
    for part, sentence in reading.spoken:
        said = sentence.words
        pairs = map(bigram, pairwise(("^", *said, "$")))
        meant = frozenset([hit[0] for hit in sentence.hits])
        found = _meant(sentence, meant, index, title=part.role == "subject") if meant else []
        spoken |= meant
        if telling.isdisjoint(meant):
            words.update(said)
            bigrams.update(pairs)
            features.update(found)
            parts.append(None)
            continue
        own = Features(set(said), _known(pairs), _known(found), len(meant))
        words |= own.words
        bigrams |= own.bigrams
        features |= own.meant
        parts.append(own)
    others = [sentence for part in reading.parts if part.role == "context" for sentence in part.sentences]
    features.update(map(index.context.get, {hit[0] for sentence in others for hit in sentence.hits}))
    features.update(map(index.shape.get, sorted(reading.shape)))
    return Features(words, _known(bigrams), _known(features), len(spoken)), parts, frozenset(spoken)
