"""What the model sees of a mail: words, letters, meanings, and which meanings meet in one sentence.

One implementation serves training (an index that grows) and judging (an index that is fixed). Features come in
groups, named by the first letter of their names:

``w`` word · ``g`` four or five letters in a row (once for each word they are in) · ``c`` meaning · ``s`` meaning in the
subject · ``q`` meaning in quoted or closing words · ``p`` two meanings in
one sentence · ``a`` article of the regulation · ``z`` shape of the mail · ``r`` a whole wish (concepts ``ask_…``)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inboxbot.reading.values import Segment, SegmentKind
from inboxbot.sorting.fold import fold
from inboxbot.sorting.language import best_language, language_scores, reading_languages
from inboxbot.sorting.vocabulary import Vocabulary
from inboxbot.sorting.words import Hit, Sentence, plain_words, split_sentences

GROUPS = "wgcsqpazr"
FAR = 14  # words between which two meanings count as meeting
HEAD = 32_000  # letters of the new words that the model looks at: the first …
TAIL = 8_000  # … and the last
MAX_WORDS = 7_000  # 40,000 letters of one-letter words are no mail
_ENOUGH = 3  # new words that a reply's subject is not needed beside
_MAX_PAIRS = 24  # meanings a meaning is paired with, at most

REPLY_MARKS = frozenset({"re", "sv", "aw", "vs", "antw", "ang", "svar", "rif", "odp", "res"})
FORWARD_MARKS = frozenset({"fw", "fwd", "vb", "wg", "vl", "tr", "rv", "enc", "vidarebefordrar", "doorst"})
_POINTERS = frozenset(
    ["nedan", "nedanstaende", "below", "forwarding", "forwarded", "vidarebefordrar", "vidarebefordrat", "videresender",
     "nedenfor", "nedenstaende", "unten", "untenstehend", "weiterleiten", "leite", "fyi", "ohessa", "alla", "valitan"]
)  # fmt: skip
_NOTS = frozenset(
    ["inte", "int", "ej", "icke", "aldrig", "not", "don't", "dont", "never", "ikke", "ikkje", "aldri", "nicht", "nie",
     "alkaa", "ala", "eivat", "en", "ei", "pas", "ne", "no", "non", "nao", "niet", "nie", "neni", "nemojte", "mos",
     "doesn't", "didn't", "won't", "isn't", "wasn't", "cannot", "can't"]
) - frozenset(["en", "ne", "no", "ei"])  # fmt: skip
_ARTICLE_WORDS = frozenset(
    ["art", "article", "articles", "artikel", "artiklarna", "artikeln", "artiklar", "artikla", "artiklan", "artikler",
     "artikkel", "artikkelen", "artikels", "articolo", "articoli", "articulo", "articulos", "artigo", "artigos",
     "artykul", "artykulu", "clanek", "clanku", "cl", "clanak", "clanka", "clanok", "cikk", "cikke", "cikkelye",
     "αρθρο", "αρθρου", "αρθρα", "член", "чл", "straipsnis", "straipsnio", "str", "pants", "panta", "artikkli",
     "artikkel", "grein", "articolului", "articolul", "articolele", "arts", "artt", "artiklerne", "artiklene",
     "artikelen", "clen", "clena", "clenom", "clankom", "clanem", "artikeltext", "paragraph", "artiklene"]
)  # fmt: skip
_MARKETING = frozenset(["2", "3"])  # paragraphs of Article 21 that are on direct marketing
_ARTICLES = frozenset(["7", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "32", "33", "34", "77",
                       "79", "82"])  # fmt: skip


class Growing(dict[str, int]):
    """Numbers every key it is asked for (training)."""

    def __missing__(self, key: str) -> int:
        """Give the key the next number."""
        number = self[key] = len(self)
        return number


class Fixed(dict[str, int]):
    """Knows the keys of the shipped model; -1 for any other."""

    def __missing__(self, key: str) -> int:
        """Say that the model does not know the key."""
        return -1


class _Pairs(dict[int, int]):
    """The numbers of pairs of meanings, by ``first << 8 | second``; found by name the first time."""

    def __init__(self, table: dict[str, int], names: Sequence[str]) -> None:
        super().__init__()
        self._table = table
        self._names = names

    def __missing__(self, key: int) -> int:
        """Find the number by the names of the two meanings, whichever came first."""
        first, second = sorted((self._names[key >> 8], self._names[key & 255]))
        number = self[key] = self._table[f"{first}&{second}"]
        return number


class Index:
    """The numbers of features, by group. Numbers are unique within a group."""

    def __init__(self, vocabulary: Vocabulary, tables: Mapping[str, dict[str, int]]) -> None:
        self.vocabulary = vocabulary
        self.tables = tables
        names = vocabulary.concepts
        self.pairs = _Pairs(tables["p"], names)
        self.concepts = [tables["c"][name] for name in names]
        self.titles = [tables["s"][name] for name in names]
        self.context = [tables["q"][name] for name in names]
        self.wishes = {number: tables["r"][names[number]] for number in sorted(vocabulary.wishes)}

    @classmethod
    def growing(cls, vocabulary: Vocabulary) -> Index:
        """Make an index that takes in every feature it sees."""
        return cls(vocabulary, {group: Growing() for group in GROUPS})

    @classmethod
    def fixed(cls, vocabulary: Vocabulary, names: Mapping[str, Sequence[str]]) -> Index:
        """Make an index of exactly these names, numbered by their place in their group."""
        return cls(
            vocabulary,
            {group: Fixed((name, place) for place, name in enumerate(names.get(group, ()))) for group in GROUPS},
        )


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
    limit: int  # words and marks that were read


@dataclass(slots=True)
class Reading:
    """A mail as the judge reads it."""

    parts: list[Part]
    shape: set[str]
    language: str
    skipped: list[tuple[int, int]]  # stretches of new words that the model did not look at
    nothing_new: bool
    new_words: int

    def spoken(self) -> Iterator[tuple[Part, int, Sentence]]:
        """Each sentence of the subject and of the new words: its part, its number in the part, itself."""
        for part in self.parts:
            if part.role != "context":
                for number, sentence in enumerate(part.sentences):
                    yield part, number, sentence


def _cut(start: int, end: int, used: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Divide a stretch into what is read and what is skipped, ``used`` letters having been read before."""
    room = max(HEAD - used, 0)
    if end - start <= room + TAIL:
        return [(start, end)], []
    return [(start, start + room), (end - TAIL, end)], [(start + room, end - TAIL)]


def _passed_on(new: Sequence[Segment], body: str, title: Sequence[str]) -> bool:
    """Whether the sender passes on someone else's words (then quoted words may carry the request)."""
    if title and title[0] in FORWARD_MARKS:
        return True
    if sum(item.end - item.start for item in new) > 400:
        return False
    words = [word for item in new for word in plain_words(fold(body[item.start : item.end]).text)]
    return len(words) < 40 and any(word in _POINTERS for word in words)


def read_mail(vocabulary: Vocabulary, subject: str, body: str, segments: Sequence[Segment]) -> Reading:
    """Read a subject and a body whose segments are known."""
    shape: set[str] = set()
    title = split_sentences(fold(subject[:1_000]).text)
    opening = title[0].words if title else []
    new = [item for item in segments if item.kind in (SegmentKind.NEW, SegmentKind.FORWARDED)]
    nothing_new = not any(body[item.start : item.end].strip() for item in new)
    if nothing_new:
        new = list(segments)
        if body.strip():
            shape.add("nothing-new")
    elif any(item.kind is SegmentKind.QUOTED for item in segments) and _passed_on(new, body, opening):
        shape.add("passed-on")
        new += [item for item in segments if item.kind is SegmentKind.QUOTED]
    replied = bool(opening) and opening[0] in REPLY_MARKS
    if replied:
        shape.add("reply")
    chosen = {item.start for item in new}
    parts = [Part(title, "subject", 0, len(subject[:1_000]), MAX_WORDS)]
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
            part = Part(split_sentences(fold(body[start:last]).text, room), role, start, last, room)
            parts.append(part)
            if role == "body":
                used += end - start
                count += sum(len(sentence.words) for sentence in part.sentences)
    if replied and count >= _ENOUGH:
        parts[0].role = "context"  # the subject of a reply is the words of an earlier mail
    sample = [word for part in parts if part.role != "context" for item in part.sentences[:40] for word in item.words]
    scores = language_scores(sample[:600], f"{subject[:300]}\n{body[:2_700]}")
    languages = reading_languages(scores)
    for part in parts:
        for sentence in part.sentences:
            hits = _negated(sentence, vocabulary.find(sentence.words, languages), vocabulary)
            sentence.hits = _threatened(hits, vocabulary)
    shape.add(f"len{min(count.bit_length(), 10)}")
    if "?" in body[:HEAD]:
        shape.add("question")
    return Reading(parts, shape, best_language(scores), skipped, nothing_new, count)


def _threatened(hits: list[Hit], vocabulary: Vocabulary) -> list[Hit]:
    """Put *threat* in the place of "complain" and the like in a sentence with "otherwise": the close of a letter."""
    otherwise = vocabulary.number("otherwise")
    if all(hit[0] != otherwise for hit in hits):
        return hits
    threat = vocabulary.number("threat")
    return [
        (threat, first, last) if concept in vocabulary.grim else (concept, first, last) for concept, first, last in hits
    ]


def _negated(sentence: Sentence, hits: list[Hit], vocabulary: Vocabulary) -> list[Hit]:
    """Put *spare* in the place of "delete" and the like where a "not" rules over it (not beyond a comma)."""
    ruled, spare = vocabulary.ruled, vocabulary.number("spare")
    words, pauses = sentence.words, sentence.pauses
    if _NOTS.isdisjoint(words):
        return hits
    nots = [place for place, word in enumerate(words) if word in _NOTS]
    kept: list[Hit] = []
    for concept, first, last in hits:
        if concept in ruled and any(
            first - 3 <= place <= last + 1
            and not any(min(place, first) < pause <= max(place, last) for pause in pauses)
            for place in nots
        ):
            concept = spare  # noqa: PLW2901  the same words, another meaning
        kept.append((concept, first, last))
    return kept


def article_hits(tokens: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield articles of the regulation that are cited: (number, first word, last word); "21m" is 21(2) and (3)."""
    for place, word in enumerate(tokens):
        if word not in _ARTICLE_WORDS:
            continue
        following = tokens[place + 1 : place + 8]
        for step, number in enumerate(following, 1):
            if number in _ARTICLES:
                marketing = number == "21" and not _MARKETING.isdisjoint(following[step : step + 2])
                yield ("21m" if marketing else number), place, place + step
            elif not number.isdigit() and len(number) > 3:
                break
        if place and tokens[place - 1] in _ARTICLES:
            yield tokens[place - 1], place - 1, place


def hit_pairs(hits: Sequence[Hit]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of two hits of one sentence whose meanings differ and that are not far apart."""
    for place, (concept, _, last) in enumerate(hits):
        for other in range(place + 1, min(place + _MAX_PAIRS, len(hits))):
            if hits[other][1] - last > FAR:
                break
            if hits[other][0] != concept:
                yield place, other


@dataclass(slots=True)
class Features:
    """The numbers of features by group (groups without any are left out), and the words for their letters."""

    groups: dict[str, set[int]]
    words: set[str]


def sentence_features(sentence: Sentence, index: Index, *, title: bool) -> Features:
    """Return the features of a sentence that has meanings."""
    words, hits = sentence.words, sentence.hits
    tables = index.tables
    distinct = set(words)
    table = tables["w"]
    meant = {hit[0] for hit in hits}
    concepts, pairs, wishes = index.concepts, index.pairs, index.wishes
    keys: set[int] = set()
    for place, (concept, _, last) in enumerate(hits):
        limit = last + FAR
        for other, first, _ in hits[place + 1 : place + _MAX_PAIRS]:
            if first > limit:
                break
            if other != concept:
                keys.add(concept << 8 | other)
    found = {
        "w": {table[word] for word in distinct},
        "c": {concepts[number] for number in meant},
        "p": {pairs[key] for key in keys},
    }
    if title:
        found["s"] = {index.titles[number] for number in meant}
    if not wishes.keys().isdisjoint(meant):
        found["r"] = {wishes[number] for number in meant if number in wishes}
    if not _ARTICLE_WORDS.isdisjoint(distinct):
        found["a"] = {tables["a"][number] for number, _, _ in article_hits(words)}
    for numbers in found.values():
        numbers.discard(-1)
    return Features(found, distinct)


def features_of(reading: Reading, index: Index) -> tuple[Features, list[Features | None]]:
    """Return the features of a mail: of the whole, and of each sentence of `Reading.spoken` alone.

    A sentence without any meaning (and not the only one) has no features of its own.
    """
    whole: dict[str, set[int]] = {group: set() for group in GROUPS if group != "g"}
    words: set[str] = set()
    parts: list[Features | None] = []
    for part, _, sentence in reading.spoken():
        if not sentence.hits:
            words.update(sentence.words)
            parts.append(None)
            continue
        found = sentence_features(sentence, index, title=part.role == "subject")
        parts.append(found)
        words |= found.words
        for group, numbers in found.groups.items():
            whole[group] |= numbers
    table = index.tables["w"]
    whole["w"] = {table[word] for word in words}
    for part in reading.parts:
        if part.role == "context":
            whole["q"].update(index.context[hit[0]] for sentence in part.sentences for hit in sentence.hits)
    whole["z"].update(index.tables["z"][name] for name in reading.shape)
    for group in "wqz":
        whole[group].discard(-1)
    return Features({group: numbers for group, numbers in whole.items() if numbers}, words), parts
