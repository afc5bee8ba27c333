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
_GRIM = frozenset(["complain", "report", "authority", "ask_complaint"])  # what a closing threat threatens with
_MEMO_LIMIT = 60_000  # words remembered; a text of a million strange words must not fill the memory


@dataclass(slots=True)
class _Node:
    """A place in the tree of phrases: what ends here, and which words may follow."""

    concepts: tuple[int, ...] = ()
    following: dict[int, _Node] = field(default_factory=dict)
    gap: _Node | None = None


# What a single word means: its concepts, the phrases it begins, and the phrase words it can stand for.
Sense = tuple[tuple[int, ...], tuple[_Node, ...], tuple[int, ...]]


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
        self._atoms: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self.wishes = frozenset(number for number, name in enumerate(self.concepts) if name.startswith("ask_"))
        self.ruled = frozenset(number for number, name in enumerate(self.concepts) if name in _RULED)
        self.grim = frozenset(number for number, name in enumerate(self.concepts) if name in _GRIM)
        self._languages = languages
        self._roots = {code: _Node() for code in languages}
        self._memos: dict[tuple[str, ...], dict[str, Sense]] = {}
        for code, table in languages.items():
            for name, phrases in table.items():
                for phrase in phrases.replace("\n", " ").split(","):
                    for variant in sorted(_variants(phrase.strip())):
                        self._add(self._roots[code], variant, self._index[name])
        self._longest = max((len(prefix) for prefix in self._prefixes), default=0)

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

    def _add(self, root: _Node, phrase: str, concept: int) -> None:
        node = root
        for piece in phrase.split():
            if piece == _GAP:
                node.gap = node.gap or _Node()
                node = node.gap
                continue
            parts = plain_words(fold(piece.strip("*")).text)
            for place, part in enumerate(parts):
                table = self._atoms
                if piece.endswith("*") and place == len(parts) - 1 and len(part) > 1:
                    table = self._prefixes
                elif piece.startswith("*"):
                    table = self._suffixes
                atom = table.setdefault(part, len(self._atoms) + len(self._prefixes) + len(self._suffixes))
                node = node.following.setdefault(atom, _Node())
        if node is not root and concept not in node.concepts:
            node.concepts = (*node.concepts, concept)

    def _atoms_of(self, word: str) -> list[int]:
        """Return the phrase words that a word can stand for: itself, its stems, its endings."""
        found = [self._atoms.get(word)]
        found += [self._prefixes.get(word[:length]) for length in range(2, min(len(word), self._longest) + 1)]
        found += [self._suffixes.get(word[-length:]) for length in range(4, min(len(word), 12))]
        return [atom for atom in found if atom is not None]

    def _sense(self, word: str, languages: tuple[str, ...], memo: dict[str, Sense]) -> Sense:
        """Return what a folded word means in these languages (remembered in ``memo``)."""
        atoms = self._atoms_of(word)
        if "'" in word:  # "l'accès", "dell'account": the word behind the elided article
            atoms += self._atoms_of(word.partition("'")[2])
        first = [
            following[atom]
            for following in (self._roots[code].following for code in languages if code in self._roots)
            for atom in atoms
            if atom in following
        ]
        concepts = tuple(dict.fromkeys(concept for node in first for concept in node.concepts))
        nodes = tuple(node for node in first if node.following or node.gap)
        if len(memo) >= _MEMO_LIMIT:
            memo.clear()
        value = memo[word] = (concepts, nodes, tuple(atoms))
        return value

    def find(self, words: Sequence[str], languages: tuple[str, ...]) -> list[Hit]:
        """All meanings in the words of a sentence, in order of their first word."""
        memo = self._memos.setdefault(languages, {})
        senses = [memo.get(word) or self._sense(word, languages, memo) for word in words]
        hits: list[Hit] = []
        for first, (concepts, nodes, _) in enumerate(senses):
            hits += [(concept, first, first) for concept in concepts]
            for node in nodes:
                self._walk(node, first, first + 1, senses, hits)
        return hits

    def _walk(self, node: _Node, first: int, place: int, senses: Sequence[Sense], hits: list[Hit]) -> None:
        """Follow a phrase from the word ``place`` on."""
        if place >= len(senses):
            return
        self._step(node, first, place, senses, hits)
        if node.gap is not None:
            for later in range(place, min(place + 3, len(senses))):
                self._step(node.gap, first, later, senses, hits)

    def _step(self, node: _Node, first: int, place: int, senses: Sequence[Sense], hits: list[Hit]) -> None:
        following = node.following
        for atom in senses[place][2]:
            child = following.get(atom)
            if child is None:
                continue
            hits += [(concept, first, place) for concept in child.concepts]
            if child.following or child.gap:
                self._walk(child, first, place + 1, senses, hits)
