"""What the model sees of a mail: words, letters, meanings, and which meanings meet in one sentence.

One implementation serves training (an index that grows) and judging (an index that is fixed). Features come in
groups, named by the first letter of their names:

``w`` word · ``b`` two words in a row · ``g`` four or five letters in a row · ``c`` meaning · ``s`` meaning in the
subject · ``q`` meaning in quoted or closing words · ``n`` meaning shortly before another · ``p`` two meanings in
one sentence · ``a`` article of the regulation · ``z`` shape of the mail · ``r`` a whole wish (concepts ``ask_…``)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from inboxbot.reading.values import Segment, SegmentKind
from inboxbot.sorting.fold import fold
from inboxbot.sorting.language import best_language, language_scores, reading_languages
from inboxbot.sorting.vocabulary import Hit, Vocabulary
from inboxbot.sorting.words import Words, split_words

GROUPS = "wbgcsqnpazr"
NEAR = 4  # words between which two meanings count as one expression
FAR = 14  # words between which two meanings count as meeting
HEAD = 32_000  # letters of the new words that the model looks at: the first …
TAIL = 8_000  # … and the last
MAX_WORDS = 7_000  # 40,000 letters of one-letter words are no mail
_MAX_PAIRS = 24  # meanings a meaning is paired with, at most
_MEMO_LIMIT = 60_000

REPLY_MARKS = frozenset({"re", "sv", "aw", "vs", "antw", "ang", "svar", "rif", "odp", "res"})
FORWARD_MARKS = frozenset({"fw", "fwd", "vb", "wg", "vl", "tr", "rv", "enc", "vidarebefordrar", "i", "doorst"})
_POINTERS = frozenset(
    ["nedan", "nedanstaende", "below", "forwarding", "forwarded", "vidarebefordrar", "vidarebefordrat", "videresender",
     "nedenfor", "nedenstaende", "unten", "untenstehend", "weiterleiten", "leite", "fyi", "ohessa", "alla", "valitan"]
)  # fmt: skip
_NOTS = frozenset(
    ["inte", "int", "ej", "icke", "aldrig", "not", "don't", "dont", "never", "ikke", "ikkje", "aldri", "nicht", "nie",
     "alkaa", "ala", "eivat", "en", "ei", "pas", "ne", "no", "non", "nao", "niet", "nie", "neni", "nemojte", "mos",
     "doesn't", "didn't", "won't", "isn't", "wasn't", "cannot", "can't"]
) - frozenset(["en", "ne", "no", "ei"])  # fmt: skip
# Wishes that "not" turns into their opposite ("don't delete"); for "no newsletter" the "no" is part of the wish.
_RULED = frozenset(["erase", "remove", "forget", "close", "ask_erasure", "unsub", "ask_unsubscribe", "object", "complain"])
_ARTICLE_WORDS = frozenset(
    ["art", "article", "articles", "artikel", "artiklarna", "artikeln", "artiklar", "artikla", "artiklan", "artikler",
     "artikkel", "artikkelen", "artikels", "articolo", "articoli", "articulo", "articulos", "artigo", "artigos",
     "artykul", "artykulu", "clanek", "clanku", "cl", "clanak", "clanka", "clanok", "cikk", "cikke", "cikkelye",
     "αρθρο", "αρθρου", "αρθρα", "член", "чл", "straipsnis", "straipsnio", "str", "pants", "panta", "artikkli",
     "artikkel", "grein", "articolului", "articolul", "articolele", "arts", "artt", "artiklerne", "artiklene",
     "artikelen", "clen", "clena", "clenom", "clankom", "clanem", "artikeltext", "paragraph", "artiklene"]
)  # fmt: skip
_ARTICLES = frozenset(["7", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "32", "33", "34", "77",
                       "79", "82"])  # fmt: skip


class Growing(dict[str, int]):
    """Numbers every key it is asked for (training)."""

    def __missing__(self, key: str) -> int:
        number = self[key] = len(self)
        return number


class Fixed(dict[str, int]):
    """Knows the keys of the shipped model; -1 for any other."""

    def __missing__(self, key: str) -> int:
        return -1


@dataclass(slots=True)
class Index:
    """The numbers of features, by group. Numbers are unique within a group."""

    vocabulary: Vocabulary
    tables: Mapping[str, dict[str, int]]
    _words: dict[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    _near: dict[int, int] = field(default_factory=dict)
    _pairs: dict[int, int] = field(default_factory=dict)

    @classmethod
    def growing(cls, vocabulary: Vocabulary) -> Index:
        """An index that takes in every feature it sees."""
        return cls(vocabulary, {group: Growing() for group in GROUPS})

    @classmethod
    def fixed(cls, vocabulary: Vocabulary, names: Mapping[str, Sequence[str]]) -> Index:
        """An index of exactly these names, numbered by their place in their group."""
        return cls(
            vocabulary,
            {group: Fixed((name, place) for place, name in enumerate(names.get(group, ()))) for group in GROUPS},
        )

    def word(self, word: str) -> tuple[int, tuple[int, ...]]:
        """The numbers of a word and of its letter groups (remembered)."""
        known = self._words.get(word)
        if known is None:
            grams = self.tables["g"]
            edged = f"<{word[:24]}>"
            found = (
                [grams[edged[place : place + size]] for size in (4, 5) for place in range(len(edged) - size + 1)]
                if len(word) > 3
                else []
            )
            if len(self._words) >= _MEMO_LIMIT:
                self._words.clear()
            number = -1 if word.isdigit() else self.tables["w"][word]
            known = self._words[word] = (number, tuple(gram for gram in found if gram >= 0))
        return known

    def near(self, first: int, second: int) -> int:
        """The number of "this meaning shortly before that"."""
        key = first << 8 | second
        known = self._near.get(key)
        if known is None:
            names = self.vocabulary.concepts
            known = self._near[key] = self.tables["n"][f"{names[first]}>{names[second]}"]
        return known

    def pair(self, first: int, second: int) -> int:
        """The number of "these meanings in one sentence", whichever comes first."""
        key = first << 8 | second if first < second else second << 8 | first
        known = self._pairs.get(key)
        if known is None:
            names = self.vocabulary.concepts
            known = self._pairs[key] = self.tables["p"][f"{names[key >> 8]}&{names[key & 255]}"]
        return known


@dataclass(slots=True)
class Part:
    """A stretch of text that was read: its words, their meanings, and its role."""

    words: Words
    hits: list[Hit]
    role: str  # "subject" | "body" | "context"


@dataclass(slots=True)
class Reading:
    """A mail as the judge reads it."""

    parts: list[Part]
    shape: set[str]
    language: str
    languages: tuple[str, ...]
    skipped: list[tuple[int, int]]  # stretches of new words that the model did not look at
    nothing_new: bool
    new_words: int


def _cut(start: int, end: int, used: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Divide a stretch into what is read and what is skipped, ``used`` letters having been read before."""
    room = max(HEAD - used, 0)
    if end - start <= room + TAIL:
        return [(start, end)], []
    return [(start, start + room), (end - TAIL, end)], [(start + room, end - TAIL)]


def _passed_on(new: Sequence[Segment], body: str, title: Sequence[str]) -> bool:
    """Whether the sender passes on someone else's words (then quoted words may carry the request)."""
    if title and title[0] in FORWARD_MARKS - {"i"}:
        return True
    texts = [body[item.start : min(item.end, item.start + 600)] for item in new]
    words = [word for text in texts for word in split_words(fold(text)).words]
    return len(words) < 40 and any(word in _POINTERS for word in words)


def read_mail(vocabulary: Vocabulary, subject: str, body: str, segments: Sequence[Segment]) -> Reading:
    """Read a subject and a body whose segments are known."""
    shape: set[str] = set()
    title = split_words(fold(subject[:1_000]))
    replied = bool(title.words) and title.words[0] in REPLY_MARKS
    new = [item for item in segments if item.kind in (SegmentKind.NEW, SegmentKind.FORWARDED)]
    nothing_new = not any(body[item.start : item.end].strip() for item in new)
    if nothing_new:
        new = list(segments)
        if body.strip():
            shape.add("nothing-new")
    elif _passed_on(new, body, title.words):
        shape.add("passed-on")
        new += [item for item in segments if item.kind is SegmentKind.QUOTED]
    chosen = {(item.start, item.end) for item in new}
    if replied:
        shape.add("reply")
    stretches: list[tuple[Words, str]] = []
    skipped: list[tuple[int, int]] = []
    used = count = sentence = 0
    for item in segments:
        role = "body" if (item.start, item.end) in chosen else "context"
        shape.add(item.kind.value)
        read, left = _cut(item.start, item.end, used) if role == "body" else ([(item.start, item.start + 6_000)], [])
        skipped += left
        for start, end in read:
            if count > MAX_WORDS:
                continue
            words = split_words(fold(body[start : min(end, item.end)]), start, MAX_WORDS - count + 1, sentence)
            sentence = words.sentences[-1] + 1 if words.sentences else sentence
            used += end - start if role == "body" else 0
            count += len(words.words) if role == "body" else 0
            stretches.append((words, role))
    sample = [*title.words, *(word for words, role in stretches if role == "body" for word in words.words[:600])]
    scores = language_scores(sample, f"{subject[:300]}\n{body[:2_700]}")
    languages = reading_languages(scores)
    parts = [
        Part(words, _negated(words, vocabulary.find(words.words, words.sentences, languages), vocabulary), role)
        for words, role in [(title, "subject"), *stretches]
    ]
    shape.add(f"len{min(count.bit_length(), 10)}")
    if "?" in body[:HEAD]:
        shape.add("question")
    return Reading(parts, shape, best_language(scores), languages, skipped, nothing_new, count)


def article_hits(tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Articles of the regulation that are cited: (number, first word, last word); "21m" is 21(2) and (3)."""
    for place, word in enumerate(tokens):
        if word not in _ARTICLE_WORDS:
            continue
        following = tokens[place + 1 : place + 8]
        for step, number in enumerate(following, 1):
            if number in _ARTICLES:
                marketing = number == "21" and step < len(following) and following[step] in ("2", "3")
                yield ("21m" if marketing else number), place, place + step
            elif not number.isdigit() and len(number) > 3:
                break
        if place and tokens[place - 1] in _ARTICLES:
            yield tokens[place - 1], place - 1, place


def hit_pairs(hits: Sequence[Hit]) -> Iterator[tuple[Hit, Hit, bool]]:
    """Meanings of one sentence that meet: (first, second, whether they are near)."""
    for place, hit in enumerate(hits):
        last = hit.last
        concept = hit.concept
        for other in hits[place + 1 : place + _MAX_PAIRS]:
            distance = other.first - last
            if distance > FAR:
                break
            if other.concept != concept:
                yield hit, other, distance <= NEAR


def _negated(words: Words, hits: list[Hit], vocabulary: Vocabulary) -> list[Hit]:
    """Take "delete" and the like out of the hits where a "not" rules over them, and mark the place as *spare*."""
    tokens, clauses = words.words, words.clauses
    nots = [place for place, word in enumerate(tokens) if word in _NOTS]
    if not nots:
        return hits
    kept: list[Hit] = []
    for hit in hits:
        ruled = vocabulary.concepts[hit.concept] in _RULED and any(
            (hit.first - 3 <= place <= hit.last or place == hit.last + 1) and clauses[place] == clauses[hit.first]
            for place in nots
        )
        kept.append(Hit(vocabulary.number("spare"), hit.first, hit.last) if ruled else hit)
    return kept


Features = dict[str, set[int]]


def _sentence_features(words: Sequence[str], first: int, hits: Sequence[Hit], index: Index, title: bool) -> Features:
    """The features of one sentence, whose words begin at the number ``first`` of its part."""
    found: Features = {group: set() for group in GROUPS}
    tables = index.tables
    names = index.vocabulary.concepts
    single, grams, near, both = found["w"], found["g"], found["n"], found["p"]
    for word in words:
        number, letters = index.word(word)
        single.add(number)
        grams.update(letters)
    table = tables["b"]
    found["b"].update(table[f"{one} {two}"] for one, two in pairwise(words))
    wishes = index.vocabulary.wishes
    found["c"].update(tables["c"][names[hit.concept]] for hit in hits)
    found["r"].update(tables["r"][names[hit.concept]] for hit in hits if hit.concept in wishes)
    if title:
        found["s"].update(tables["s"][names[hit.concept]] for hit in hits)
    found["a"].update(tables["a"][number] for number, _, _ in article_hits(words))
    for one, two, close in hit_pairs(hits):
        if close:
            near.add(index.near(one.concept, two.concept))
        both.add(index.pair(one.concept, two.concept))
    for numbers in found.values():
        numbers.discard(-1)
    return found


def features_of(reading: Reading, index: Index) -> tuple[Features, list[Features]]:
    """The numbers of a mail's features by group: of the whole mail, and of each sentence of the new words alone."""
    whole: Features = {group: set() for group in GROUPS}
    sentences: list[Features] = []
    names = index.vocabulary.concepts
    for part in reading.parts:
        if part.role == "context":
            table = index.tables["q"]
            whole["q"].update(table[names[number]] for number in {hit.concept for hit in part.hits})
            continue
        place = 0
        for first, last in sentence_spans(part.words):
            start = place
            while place < len(part.hits) and part.hits[place].first <= last:
                place += 1
            words = part.words.words[first : last + 1]
            found = _sentence_features(words, first, part.hits[start:place], index, part.role == "subject")
            sentences.append(found)
            for group, numbers in found.items():
                whole[group] |= numbers
    whole["z"].update(index.tables["z"][name] for name in reading.shape)
    for group in "qz":
        whole[group].discard(-1)
    return whole, sentences


def sentence_spans(words: Words) -> Iterator[tuple[int, int]]:
    """The first and last word of each sentence."""
    start = 0
    numbers = words.sentences
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[start]:
            yield start, place - 1
            start = place
