"""The judge: which rights a mail asks for, how sure that is, and which words say so."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from inboxbot.reading.segments import segment
from inboxbot.reading.values import Mail, Segment
from inboxbot.sorting.evidence import find_evidence
from inboxbot.sorting.features import Reading, read_mail
from inboxbot.sorting.fold import fold
from inboxbot.sorting.kinds import RIGHTS, Kind
from inboxbot.sorting.language import UNKNOWN
from inboxbot.sorting.model import ANY, REMINDER, Model
from inboxbot.sorting.native import find_weigher
from inboxbot.sorting.robots import Traits, find_robot, looks_like_autoreply
from inboxbot.sorting.skim import Skimmer
from inboxbot.sorting.values import Verdict
from inboxbot.sorting.vocabulary import Vocabulary
from inboxbot.sorting.weighing import Weighed, Weigher
from inboxbot.sorting.wishes import LONGEST_BARE, calls_itself_reminder, is_bare_removal, is_bare_stop

if TYPE_CHECKING:
    from inboxbot.sorting.learning import LocalLayer

_SHORT = 50  # new words of a mail that may be too vague to be called ordinary


class Judge:
    """Judges mails; made once (`Judge.load`), used for all. Pure and deterministic.

    ``weigher`` says how mails are weighed; without it the quickest way there is is taken.
    """

    def __init__(self, vocabulary: Vocabulary, model: Model, weigher: Weigher | None = None) -> None:
        self.vocabulary = vocabulary
        self.model = model
        self.local: LocalLayer | None = None
        self._weigher = weigher or find_weigher(vocabulary, model)
        self._skimmer = Skimmer(vocabulary)

    @classmethod
    def load(cls) -> Judge:
        """Return the judge of the shipped vocabulary and model (read once a process)."""
        return _shipped()

    def with_local(self, layer: LocalLayer | None) -> Judge:
        """Return a judge that adds what this installation learned (`learning`)."""
        judge = copy.copy(self)
        judge.local = layer
        return judge

    def judge(self, mail: Mail) -> Verdict:
        """Judge a mail that was read; evidence points into ``mail.subject`` and ``mail.text``."""
        address = mail.sender.address if mail.sender else ""
        segments = mail.segments or segment(mail.text)
        return self._judge(mail.subject, mail.text, segments, address, mail.headers, mail.return_path)

    def judge_text(self, subject: str, body: str, sender: str = "", headers: Sequence[tuple[str, str]] = ()) -> Verdict:
        """Judge a subject and a body; evidence points into exactly these strings.

        ``sender`` is a From value or a bare address; ``headers`` are (lower-case name, decoded value).
        """
        address = sender.rstrip().rstrip(">").rpartition("<")[2].strip().lower()
        path = next((value.strip().strip("<>").lower() for name, value in headers if name == "return-path"), None)
        return self._judge(subject, body, segment(body), address, headers, path)

    def _judge(
        self,
        subject: str,
        body: str,
        segments: Sequence[Segment],
        sender: str,
        headers: Sequence[tuple[str, str]],
        return_path: str | None,
    ) -> Verdict:
        reading = read_mail(subject, body, segments, self._weigher.split, self._weigher.rank)
        weighed = self._weigher.weigh(reading)
        scores = weighed.scores
        if self.local is not None:
            scores = self.local.apply(scores, weighed.known)
        found = self._weigher.chances(scores)
        chances = dict(zip(RIGHTS, found, strict=False)) | {Kind.OTHER: 1.0 - found[ANY]}
        kinds, unsure = self.model.decide(found)
        reasons: list[str] = []
        kinds, unsure = self._overrule(reading, weighed, body, kinds, unsure, chances, reasons)
        kinds = self._only_marketing(kinds, weighed, chances)
        title = fold(subject[:500]).text.strip()
        robot = find_robot(Traits(headers, title, sender, return_path))
        flags = self._flags(reading, kinds, weighed)
        if robot is None and looks_like_autoreply(title, fold(body[:800]).text):
            flags.add("probable_autoreply")
        return Verdict(
            kinds=kinds,
            confidence={kind: round(chance, 4) for kind, chance in chances.items()},
            unsure=unsure,
            reminder=kinds != (Kind.OTHER,) and self._reminds(reading, found[REMINDER]),
            language=reading.language,
            robot=robot[0] if robot else None,
            evidence=find_evidence(reading, weighed.sentences, kinds, self._weigher.spans, (subject, body)),
            flags=frozenset(flags),
            reasons=tuple(reasons),
            robot_rule=robot[1] if robot else None,
            features=weighed.known,
            scores=weighed.kept,
        )

    def _overrule(
        self,
        reading: Reading,
        weighed: Weighed,
        body: str,
        kinds: tuple[Kind, ...],
        unsure: bool,
        chances: dict[Kind, float],
        reasons: list[str],
    ) -> tuple[tuple[Kind, ...], bool]:
        """Apply the fine points of `kinds` that need no weighing; changes ``chances`` along with the verdict."""
        words = list(islice(_words(reading), LONGEST_BARE + 1))
        if not words:
            reasons.append("no_words")
            return (Kind.OTHER,), True
        if is_bare_removal(words):
            reasons.append("bare_removal")
            _raise(chances, {Kind.ERASURE: 0.6, Kind.UNSUBSCRIBE: 0.6})
            return (Kind.ERASURE, Kind.UNSUBSCRIBE), True
        if is_bare_stop(words):
            reasons.append("bare_stop")
            _raise(chances, {Kind.UNSUBSCRIBE: 0.95})
            return (Kind.UNSUBSCRIBE,), False
        asks = kinds != (Kind.OTHER,)
        if reading.nothing_new and asks:
            reasons.append("nothing_new")
            unsure = True
        if reading.skipped and self._skimmer.finds(body, reading.skipped):
            reasons.append("words_beyond_limit")
            unsure = True
        if reading.language == UNKNOWN and not asks and reading.new_words > 8:
            reasons.append("unknown_language")
            unsure = True
        if self._vague(reading, weighed.meant, asks=asks):
            reasons.append("vague")
            unsure = True
        if unsure and not reasons:
            reasons.append("close_call")
        return kinds, unsure

    def _reminds(self, reading: Reading, chance: float) -> bool:
        """Whether a request is a reminder of an earlier one."""
        return chance >= self.model.rules.reminder or calls_itself_reminder(_words(reading), reading.language)

    def _vague(self, reading: Reading, meant: frozenset[int], *, asks: bool) -> bool:
        """Whether a short mail wants something about a "thing" of the sender's, and names nothing it could be about."""
        if reading.new_words > _SHORT:
            return False
        number = self.vocabulary.number
        own = {number("me"), number("thing")} <= meant
        wants = number("want") in meant or any(sentence.asks for _, sentence in reading.spoken)
        return own and wants and (self.vocabulary.named if asks else self.vocabulary.topics).isdisjoint(meant)

    def _only_marketing(
        self, kinds: tuple[Kind, ...], weighed: Weighed, chances: Mapping[Kind, float]
    ) -> tuple[Kind, ...]:
        """Drop a weaker objection beside an unsubscribe that cites Article 21(2) or (3): those are on marketing."""
        if Kind.UNSUBSCRIBE not in kinds or Kind.OBJECTION not in kinds:
            return kinds
        if "21m" in weighed.cited and chances[Kind.OBJECTION] < chances[Kind.UNSUBSCRIBE]:
            return tuple(kind for kind in kinds if kind is not Kind.OBJECTION)
        return kinds

    def _flags(self, reading: Reading, kinds: Sequence[Kind], weighed: Weighed) -> set[str]:
        """Codes for what staff should know beside the kinds."""
        meant, number = weighed.meant, self.vocabulary.number
        flags = set()
        if Kind.COMPLAINT in kinds and number("leak") in meant:
            flags.add("breach")
        if any(kind.is_right for kind in kinds):
            flags |= {
                flag
                for flag, concept in (("deceased", "deceased"), ("representative", "proxy"))
                if number(concept) in meant
            }
            if number("minor") in meant:
                flags.add("other_person")
            if weighed.cited and {number("gdpr"), number("otherwise")} <= meant:
                flags.add("generator")
        if {"passed-on", "forwarded", "forward"} & reading.shape:
            flags.add("forwarded")
        if reading.nothing_new:
            flags.add("nothing_new")
        return flags


def _words(reading: Reading) -> Iterator[str]:
    """Return the words that the sender says, the subject's first."""
    return (word for _, sentence in reading.spoken for word in sentence.words)


def _raise(chances: dict[Kind, float], least: Mapping[Kind, float]) -> None:
    """Lift probabilities to what a rule knows, and lower ``other`` to match."""
    for kind, chance in least.items():
        chances[kind] = max(chances[kind], chance)
    chances[Kind.OTHER] = min(chances[Kind.OTHER], 1.0 - max(chances[kind] for kind in RIGHTS))


@functools.cache
def _shipped() -> Judge:
    return Judge(Vocabulary.load(), Model.load())
