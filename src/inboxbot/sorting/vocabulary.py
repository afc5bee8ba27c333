"""The vocabulary: words and phrases of many languages, sorted by meaning (`vocabulary/<lang>.toml`).

A meaning ("concept") is the same in every language: *erase* holds ``radera``, ``delete``, ``löschen``. What the
judge learns of Swedish and English mail therefore also holds for languages in which it saw little mail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources

from inboxbot.sorting.fold import fold
from inboxbot.sorting.words import Hit, plain_words

_GAP = "_"  # in a phrase: at most two words between
# Wishes that "not" turns into their opposite ("don't delete"); in "no newsletter" the "no" is part of the wish.
_RULED = frozenset(
    ["erase", "remove", "forget", "close", "ask_erasure", "unsub", "ask_unsubscribe", "object", "complain"]
)
# Meanings that nearly every sentence has: one that has no other is never the sentence that asks.
_COMMON = frozenset(["me", "want", "neg", "thanks", "all", "get", "date", "again", "know", "otherwise", "thing"])
_BLAND = frozenset(["me", "thanks", "all", "date", "again"])  # words next to these tell nothing
# Meanings that say nothing of what a mail is about.
_PALE = _COMMON | {"asked", "change", "contactv", "done", "hold", "reminder", "see", "send", "stay", "waiting"}
# Meanings that name what an ordinary mail is about.
_TOPICS = frozenset(
    ["auto", "booking", "cancel", "done", "format", "general", "invoice", "job", "keepit", "law", "login", "mailing",
     "nevermind", "order", "otherauthority", "phish", "post", "sales", "start", "subscription", "unsub", "warranty"]
)  # fmt: skip
_GRIM = frozenset(["complain", "report", "authority", "ask_complaint"])  # what a closing threat threatens with
_MEMO_LIMIT = 50_000  # words remembered; a text of a million strange words must not fill the memory
LONGEST = 40  # letters of a word that is remembered
_MOST_MEMOS = 30  # choices of languages


@dataclass(slots=True)
class Node:
    """A place in the tree of phrases: what ends here, and which words may follow."""

    concepts: tuple[int, ...] = ()
    following: dict[int, Node] = field(default_factory=dict)
    gap: Node | None = None


_Lead = tuple[tuple[int, ...], Mapping[int, tuple[Node, ...]], tuple[Node, ...]]


@dataclass(frozen=True, slots=True)
class _Sense:
    """What a single word means: the phrase words it can stand for, and what begins with it.

    ``lead`` holds its concepts, what may follow it in phrases (by the next word), and the phrases in which up to two
    words may come first; None for a word that begins nothing.
    """

    atoms: tuple[int, ...]
    lead: _Lead | None


class Memo(dict[str, _Sense]):
    """The senses of words in some languages, each worked out the first time it is met."""

    def __init__(self, vocabulary: Vocabulary, languages: tuple[str, ...]) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._languages = languages

    def __missing__(self, word: str) -> _Sense:
        """Work out a word that was not met before."""
        value = self._vocabulary.sense(word, self._languages)
        if len(word) <= LONGEST:
            self._vocabulary.make_room()
            self[word] = value
        return value


def _variants(phrase: str) -> set[str]:
    """Return the ways a phrase is written: as it is, and with ae/oe/ue/aa/ss for letters that some keyboards lack."""
    lower = phrase.lower()
    digraphs = lower
    for letter, pair in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("æ", "ae"), ("ø", "oe"), ("å", "aa")):
        digraphs = digraphs.replace(letter, pair)
    return {lower, digraphs}


class Vocabulary:
    """All phrases, ready to be found in a list of folded words in one pass."""

    def __init__(self, languages: Mapping[str, Mapping[str, str]]) -> None:
        names = {name for table in languages.values() for name in table}
        self.concepts: tuple[str, ...] = tuple(sorted({*names, "spare", "threat"}))
        self._index = {name: number for number, name in enumerate(self.concepts)}
        self.atoms: dict[str, int] = {}
        self.prefixes: dict[str, int] = {}
        self.suffixes: dict[str, int] = {}
        self.wishes = frozenset(number for number, name in enumerate(self.concepts) if name.startswith("ask_"))
        self.ruled = frozenset(number for number, name in enumerate(self.concepts) if name in _RULED)
        self.grim = frozenset(number for number, name in enumerate(self.concepts) if name in _GRIM)
        self._languages = languages
        self.telling = frozenset(number for number, name in enumerate(self.concepts) if name not in _COMMON)
        self.bland = frozenset(number for number, name in enumerate(self.concepts) if name in _BLAND)
        self.named = frozenset(number for number, name in enumerate(self.concepts) if name not in _PALE)
        self.topics = frozenset(number for number, name in enumerate(self.concepts) if name in _TOPICS)
        self.roots = {code: Node() for code in languages}
        self._memos: dict[tuple[str, ...], Memo] = {}
        self._remembered = 0
        for code, table in languages.items():
            for name, phrases in table.items():
                for phrase in phrases.replace("\n", " ").split(","):
                    for variant in sorted(_variants(phrase.strip())):
                        self._add(self.roots[code], variant, self._index[name])
        self._stems: dict[str, list[int]] = {}  # by their first two letters: how long the stems are
        for prefix in sorted(self.prefixes, key=len):
            lengths = self._stems.setdefault(prefix[:2], [])
            if len(prefix) not in lengths:
                lengths.append(len(prefix))
        self._ends = {suffix[-4:] for suffix in self.suffixes}
        self.otherwise, self.threat, self.spare = map(self.number, ("otherwise", "threat", "spare"))

    @classmethod
    def load(cls) -> Vocabulary:
        """Read the tables that are shipped with the package."""
        folder = resources.files("inboxbot.sorting").joinpath("vocabulary")
        tables = {
            entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text(encoding="utf-8"))["concepts"]
            for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
            if entry.name.endswith(".toml")
        }
        return cls(tables)

    def number(self, name: str) -> int:
        """Return the number of a concept."""
        return self._index[name]

    def phrases(self, name: str) -> list[str]:
        """Return the phrases of a concept in all languages, as they are written in the tables."""
        tables = self._languages.values()
        return [phrase.strip() for table in tables for phrase in table.get(name, "").replace("\n", " ").split(",")]

    def _add(self, root: Node, phrase: str, concept: int) -> None:
        node = root
        for piece in phrase.split():
            if piece == _GAP:
                node.gap = node.gap or Node()
                node = node.gap
                continue
            parts = plain_words(fold(piece.strip("*")).text)
            for place, part in enumerate(parts):
                table = self.atoms
                if piece.endswith("*") and place == len(parts) - 1 and len(part) > 1:
                    table = self.prefixes
                elif piece.startswith("*"):
                    table = self.suffixes
                atom = table.setdefault(part, len(self.atoms) + len(self.prefixes) + len(self.suffixes))
                node = node.following.setdefault(atom, Node())
        if node is not root and concept not in node.concepts:
            node.concepts = (*node.concepts, concept)

    def _atoms_of(self, word: str) -> list[int]:
        """Return the phrase words that a word can stand for: itself, its stems, its endings."""
        found = [self.atoms.get(word)]
        found += [self.prefixes.get(word[:length]) for length in self._stems.get(word[:2], ()) if length <= len(word)]
        if word[-4:] in self._ends:
            found += [self.suffixes.get(word[-length:]) for length in range(4, min(len(word), 12))]
        return [atom for atom in found if atom is not None]

    def sense(self, word: str, languages: tuple[str, ...]) -> _Sense:
        """Return what a folded word means in these languages."""
        atoms = self._atoms_of(word)
        if "'" in word:  # "l'accès", "dell'account": the word behind the elided article
            atoms += self._atoms_of(word.partition("'")[2])
        if not atoms:
            return _Sense((), None)
        nodes = [
            following[atom]
            for following in (self.roots[code].following for code in languages if code in self.roots)
            for atom in atoms
            if atom in following
        ]
        following: dict[int, tuple[Node, ...]] = {}
        for node in nodes:
            for atom, child in node.following.items():
                following[atom] = (*following.get(atom, ()), child)
        concepts = tuple(dict.fromkeys([concept for node in nodes for concept in node.concepts]))
        gaps = tuple([node.gap for node in nodes if node.gap is not None])
        lead = (concepts, following, gaps) if concepts or following or gaps else None
        return _Sense(tuple(atoms), lead)

    def make_room(self) -> None:
        """Count one more word that is remembered; of too many all are forgotten."""
        self._remembered += 1
        if self._remembered > _MEMO_LIMIT:
            self._remembered = 1
            for memo in self._memos.values():
                memo.clear()

    def reader(self, languages: tuple[str, ...]) -> Memo:
        """Return the senses of words in these languages, to be looked up by word."""
        memo = self._memos.get(languages)
        if memo is None:
            if len(self._memos) >= _MOST_MEMOS:
                self._memos.clear()
                self._remembered = 0
            memo = self._memos[languages] = Memo(self, languages)
        return memo


def find_meanings(senses: Sequence[_Sense]) -> list[Hit]:
    """All meanings in the words of a sentence, in order of their first word."""
    hits: list[Hit] = []
    last = len(senses) - 1
    for first, sense in enumerate(senses):
        if sense.lead is None:
            continue
        concepts, following, gaps = sense.lead
        if concepts:
            hits += [(concept, first, first) for concept in concepts]
        if following and first < last:
            for atom in senses[first + 1].atoms:
                if atom in following:
                    for child in following[atom]:
                        _enter(child, first, first + 1, senses, hits)
        for gap in gaps:
            for later in range(first + 1, min(first + 4, last + 1)):
                _step(gap, first, later, senses, hits)
    return hits


def _step(node: Node, first: int, place: int, senses: Sequence[_Sense], hits: list[Hit]) -> None:
    """Follow a phrase that began with the word ``first`` to the word ``place``."""
    following = node.following
    for atom in senses[place].atoms:
        child = following.get(atom)
        if child is not None:
            _enter(child, first, place, senses, hits)


def _enter(child: Node, first: int, place: int, senses: Sequence[_Sense], hits: list[Hit]) -> None:
    """Note what ends with the word ``place``, and follow what goes on."""
    hits += [(concept, first, place) for concept in child.concepts]
    if place + 1 < len(senses):
        if child.following:
            _step(child, first, place + 1, senses, hits)
        if child.gap is not None:
            for later in range(place + 1, min(place + 4, len(senses))):
                _step(child.gap, first, later, senses, hits)
