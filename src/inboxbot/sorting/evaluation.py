"""How good the judge is: figures over mails with gold labels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from inboxbot.errors import UsageError
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.kinds import RIGHTS, Kind

_BINS = 10
_NONE = "-"  # in the confusion table: no kind stands against this one


@dataclass(frozen=True, slots=True)
class GoldMail:
    """A mail with the answer people gave; ``reminder`` is None where nobody said."""

    id: str
    subject: str
    body: str
    sender: str
    labels: frozenset[Kind]
    language: str = ""
    reminder: bool | None = None


@dataclass(slots=True)
class Tally:
    """Right and wrong answers of one kind."""

    hits: int = 0
    extra: int = 0
    missing: int = 0

    @property
    def precision(self) -> float | None:
        """The share of right ones among those given."""
        return self.hits / (self.hits + self.extra) if self.hits + self.extra else None

    @property
    def recall(self) -> float | None:
        """The share of those given among the right ones."""
        return self.hits / (self.hits + self.missing) if self.hits + self.missing else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both (None where the kind does not occur)."""
        total = 2 * self.hits + self.extra + self.missing
        return 2 * self.hits / total if total else None


@dataclass(slots=True)
class Group:
    """Counts of a group of mails (all, or one language)."""

    mails: int = 0
    exact: int = 0
    requests: int = 0
    missed: int = 0  # requests taken for ordinary mail, and not unsure
    ordinary: int = 0
    false_alarms: int = 0  # ordinary mails taken for a request
    unsure_requests: int = 0
    unsure_ordinary: int = 0

    def add(self, gold: frozenset[Kind], given: frozenset[Kind], *, unsure: bool) -> None:
        """Count one mail."""
        asks, asked = Kind.OTHER not in gold, Kind.OTHER not in given
        self.mails += 1
        self.exact += gold == given
        self.requests += asks
        self.ordinary += not asks
        self.missed += asks and not asked and not unsure
        self.false_alarms += asked and not asks
        self.unsure_requests += asks and unsure
        self.unsure_ordinary += not asks and unsure

    def shares(self) -> dict[str, float | int | None]:
        """Return the counts as shares."""
        return {
            "mails": self.mails,
            "exact": _share(self.exact, self.mails),
            "missed": _share(self.missed, self.requests),
            "false_alarms": _share(self.false_alarms, self.ordinary),
            "unsure_requests": _share(self.unsure_requests, self.requests),
            "unsure_ordinary": _share(self.unsure_ordinary, self.ordinary),
        }


@dataclass(slots=True)
class Figures(Group):
    """All figures of an evaluation."""

    kinds: dict[Kind, Tally] = field(default_factory=lambda: {kind: Tally() for kind in Kind})
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)  # (gold, given)
    languages: dict[str, Group] = field(default_factory=dict)
    calibration: list[tuple[float, bool]] = field(default_factory=list)  # confidence of a kind given, and was it right
    chances: list[tuple[float, bool]] = field(default_factory=list)  # the same for every kind of every mail
    reminders: Tally = field(default_factory=Tally)
    wrong: list[tuple[str, tuple[Kind, ...], tuple[Kind, ...], bool]] = field(default_factory=list)

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error of the kinds that were given (ten bins of equal width)."""
        return _calibration_error(self.calibration)

    def as_data(self) -> dict[str, Any]:
        """Return the figures as JSON values; shares are 0…1, None where there is nothing to divide by."""
        return {
            **self.shares(),
            "kinds": {
                kind.value: {
                    "precision": _rounded(tally.precision),
                    "recall": _rounded(tally.recall),
                    "f1": _rounded(tally.f1),
                    "gold": tally.hits + tally.missing,
                }
                for kind, tally in self.kinds.items()
            },
            "confusion": _nested(self.confusion),
            "languages": {code: group.shares() for code, group in sorted(self.languages.items())},
            "calibration_error": _rounded(self.calibration_error),
            "calibration_error_all_kinds": _rounded(_calibration_error(self.chances)),
            "reminder": {"precision": _rounded(self.reminders.precision), "recall": _rounded(self.reminders.recall)},
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _nested(pairs: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (gold, given), count in sorted(pairs.items()):
        table.setdefault(gold, {})[given] = count
    return table


def _calibration_error(answers: Sequence[tuple[float, bool]]) -> float | None:
    if not answers:
        return None
    bins: dict[int, list[tuple[float, bool]]] = {}
    for chance, right in answers:
        bins.setdefault(min(int(chance * _BINS), _BINS - 1), []).append((chance, right))
    gaps = (abs(sum(chance for chance, _ in group) - sum(right for _, right in group)) for group in bins.values())
    return sum(gaps) / len(answers)


def measure(judge: Judge, mails: Iterable[GoldMail]) -> Figures:
    """Judge all mails and count."""
    figures = Figures()
    for mail in mails:
        verdict = judge.judge_text(mail.subject, mail.body, mail.sender)
        given = frozenset(verdict.kinds)
        figures.add(mail.labels, given, unsure=verdict.unsure)
        figures.languages.setdefault(mail.language or verdict.language, Group()).add(
            mail.labels, given, unsure=verdict.unsure
        )
        for kind in Kind:
            tally = figures.kinds[kind]
            tally.hits += kind in given and kind in mail.labels
            tally.extra += kind in given and kind not in mail.labels
            tally.missing += kind in mail.labels and kind not in given
            figures.chances.append((verdict.confidence[kind], kind in mail.labels))
        figures.calibration += [(verdict.confidence[kind], kind in mail.labels) for kind in verdict.kinds]
        _confuse(figures.confusion, mail.labels, given)
        if mail.reminder is not None:
            figures.reminders.hits += mail.reminder and verdict.reminder
            figures.reminders.extra += verdict.reminder and not mail.reminder
            figures.reminders.missing += mail.reminder and not verdict.reminder
        if given != mail.labels:
            figures.wrong.append((mail.id, tuple(sorted(mail.labels)), verdict.kinds, verdict.unsure))
    return figures


def _confuse(table: Counter[tuple[str, str]], gold: frozenset[Kind], given: frozenset[Kind]) -> None:
    """Count a mail in the confusion table: what was missing stands against what was too much, or against nothing."""
    table.update((kind.value, kind.value) for kind in gold & given)
    missing, extra = gold - given, given - gold
    table.update((one.value, other.value) for one in missing for other in extra)
    if not extra:
        table.update((kind.value, _NONE) for kind in missing)
    if not missing:
        table.update((_NONE, kind.value) for kind in extra)


def read_gold(lines: Iterable[str], where: str) -> Iterator[GoldMail]:
    """Read JSON lines (``id, subject, from, body, labels``, perhaps ``language`` and ``reminder``).

    Raises `UsageError` with the number of the first line that is something else.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            labels = frozenset(Kind(label) for label in data["labels"])
            reminder = data.get("reminder")
            yield GoldMail(
                str(data.get("id", number)),
                str(data.get("subject") or ""),
                str(data.get("body") or ""),
                str(data.get("from") or ""),
                labels or frozenset({Kind.OTHER}),
                str(data.get("language") or ""),
                reminder if isinstance(reminder, bool) else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"line {number} is not a mail with labels", where=where, cure="see docs/sorting.md for the fields"
            ) from error


def shipped_mails() -> list[GoldMail]:
    """Return the evaluation set that comes with the package (never trained on)."""
    folder = resources.files("inboxbot.sorting").joinpath("evaluation")
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".jsonl")), key=lambda entry: entry.name)
    return [mail for entry in files for mail in read_gold(entry.read_text(encoding="utf-8").splitlines(), entry.name)]


def render(figures: Figures) -> str:
    """Return the figures as a text of about forty lines."""

    def percent(value: float | int | None) -> str:
        return "    –" if value is None else f"{value * 100:5.1f}"

    shares = figures.shares()
    lines = [
        f"{figures.mails} mails: {figures.requests} requests, {figures.ordinary} ordinary",
        f"exact set of kinds        {percent(shares['exact'])} %",
        f"requests missed           {percent(shares['missed'])} %  (taken for ordinary, not unsure)",
        f"false alarms              {percent(shares['false_alarms'])} %  (ordinary mail taken for a request)",
        f"unsure, requests          {percent(shares['unsure_requests'])} %",
        f"unsure, ordinary          {percent(shares['unsure_ordinary'])} %",
        f"calibration error         {percent(figures.calibration_error)} %",
        f"reminders: precision {percent(figures.reminders.precision)} %, recall {percent(figures.reminders.recall)} %",
        "",
        f"{'kind':<15}{'gold':>6}{'precision':>11}{'recall':>8}{'F1':>8}",
    ]
    for kind, tally in figures.kinds.items():
        gold = tally.hits + tally.missing
        lines.append(
            f"{kind.value:<15}{gold:>6}{percent(tally.precision):>11}{percent(tally.recall):>8}{percent(tally.f1):>8}"
        )
    names = [*(kind.value for kind in RIGHTS), Kind.OTHER.value, _NONE]
    lines += ["", "gold ↓ given →  " + "".join(f"{name[:6]:>7}" for name in names)]
    for gold_name in names:
        row = [figures.confusion.get((gold_name, name), 0) for name in names]
        lines.append(f"{gold_name:<16}" + "".join(f"{count or '·':>7}" for count in row))
    lines += ["", f"{'language':<10}{'mails':>6}{'exact':>8}{'missed':>8}{'false':>8}"]
    for code, group in sorted(figures.languages.items(), key=lambda item: (-item[1].mails, item[0])):
        share = group.shares()
        lines.append(
            f"{code:<10}{group.mails:>6}{percent(share['exact']):>8}{percent(share['missed']):>8}"
            f"{percent(share['false_alarms']):>8}"
        )
    return "\n".join(lines)
