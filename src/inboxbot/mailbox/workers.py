"""Reading and judging in child processes that can be killed: no mail stalls or fells the daemon (promises.md 0.1, F5).

Many mails travel in one parcel. A parcel whose child died or ran out of time is taken apart and each mail is tried
alone, so that only the one to blame is held.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from inboxbot.reading.html_shown import ShownPage, show_page
from inboxbot.reading.read import read_headers, read_mail
from inboxbot.reading.values import Mail, RawMail, UnreadableError
from inboxbot.sorting.judge import Judge
from inboxbot.sorting.learning import LocalLayer
from inboxbot.sorting.values import Verdict

Key = TypeVar("Key")
JudgeMail = Callable[[Mail], Verdict]

_PARCEL_MAILS: Final = 50
_PARCEL_BYTES: Final = 2 * 1024 * 1024
_HEAVY_WORK: Final = 128 * 1024
_TAG_WORK: Final = 20
_PART_WORK: Final = 100
_ASIDE_BYTES: Final = 16 * 1024 * 1024
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """What one mail may cost: seconds of wall time, and bytes of address space of the child that reads it."""

    wall_s: float = 20.0
    memory_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Read:
    """A mail that was read and judged."""

    mail: Mail
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Held:
    """A mail that could not be read or judged: the reason's code, and what its headers tell (None if not even that)."""

    code: str
    mail: Mail | None = None


Outcome = Read | Held


def shipped_judge() -> JudgeMail:
    """Load the judge that is shipped with the package."""
    return Judge.load().judge


def local_judge(layer: str | None) -> JudgeMail:
    """Load the shipped judge with what this installation learned (`LocalLayer` as JSON).

    A layer that belongs to another model than the shipped one is left out: its feature numbers mean nothing here.
    """
    judge = Judge.load()
    if layer is None:
        return judge.judge
    learned = LocalLayer.from_json(layer)
    return (judge.with_local(learned) if learned.model == judge.model.inputs else judge).judge


class ReadingPool:
    """Child processes that read and judge. They start with the first mail and die with this process.

    Several threads may use one pool at the same time.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        load_judge: Callable[[], JudgeMail] = shipped_judge,
        limits: WorkLimits | None = None,
    ) -> None:
        """``load_judge`` runs in each child: a function of a module, or a partial of one."""
        self._workers = max(1, workers)
        self._load_judge = load_judge
        self._limits = limits or WorkLimits()
        self._pool: ProcessPool | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the children."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # Pebble is half typed
            pool.join()

    def warm(self) -> None:
        """Start the children now, so that the first mail does not wait for them."""
        for future in [self._submit([]) for _ in range(self._workers)]:
            future.result()

    def judge_all(
        self, items: Iterable[tuple[Key, RawMail]], *, later: list[Key] | None = None
    ) -> Iterator[tuple[Key, Outcome]]:
        """Read and judge mails; yields each key once, while later ones are still being brought.

        Ordinary mails come in order; those that are much work wait until the others are done, so that a flood of them
        does not hold up people's mail. Of those that memory should not hold meanwhile only the key is put into
        ``later``, for the caller to bring them again; without that list they are judged in their turn.
        """
        heavy: list[tuple[Key, RawMail]] = []
        yield from self._judge_in_order(_light_first(items, heavy, later))
        yield from self._judge_in_order(heavy)

    def _judge_in_order(self, items: Iterable[tuple[Key, RawMail]]) -> Iterator[tuple[Key, Outcome]]:
        waiting: deque[tuple[list[tuple[Key, RawMail]], ProcessFuture[list[Outcome]]]] = deque()
        for parcel in _parcels(items):
            waiting.append((parcel, self._submit([raw for _, raw in parcel])))
            while len(waiting) > self._workers or (waiting and waiting[0][1].done()):
                yield from self._open(*waiting.popleft())
        while waiting:
            yield from self._open(*waiting.popleft())

    def _open(
        self, parcel: list[tuple[Key, RawMail]], future: ProcessFuture[list[Outcome]]
    ) -> Iterator[tuple[Key, Outcome]]:
        try:
            outcomes: list[Outcome] = future.result()
        except (LateError, ProcessExpired) as error:
            if len(parcel) == 1:
                yield parcel[0][0], _blamed(parcel[0][1], error)
                return
            for item in parcel:
                yield from self._open([item], self._submit([item[1]]))
            return
        for (key, _), outcome in zip(parcel, outcomes, strict=True):
            yield key, outcome

    def show(self, raw: RawMail) -> ShownPage | None:
        """Return the HTML of a mail as it may be shown, None when it has none.

        Raises UnreadableError when it cannot be; also when a child died of it or ran out of time.
        """
        try:
            shown: ShownPage | None = self._schedule(show_page, raw).result()
        except LateError:
            raise UnreadableError("too_slow") from None
        except ProcessExpired:
            raise UnreadableError("reader_died") from None
        return shown

    def _submit(self, raws: list[RawMail]) -> ProcessFuture[list[Outcome]]:
        return self._schedule(_work, raws)

    def _schedule(self, work: Callable[..., Any], *given: Any) -> ProcessFuture[Any]:
        with self._lock:
            if self._pool is None or not self._pool.active:
                self.close()
                self._pool = ProcessPool(
                    max_workers=self._workers,
                    max_tasks=2_000,
                    initializer=_begin,
                    initargs=(self._limits.memory_bytes, self._load_judge),
                    context=_context(),
                )
            return self._pool.schedule(work, args=given, timeout=self._limits.wall_s)


def _blamed(raw: RawMail, error: Exception) -> Held:
    """Hold a mail that was alone when its child failed. Its headers are read here, under their caps."""
    code = "too_slow" if isinstance(error, LateError) else "reader_died"
    return Held(code, read_headers(raw))


def _weight(raw: RawMail) -> int:
    """Return the count of bytes of a mail that will be read."""
    return sum(map(len, _texts(raw)))


def _is_heavy(raw: RawMail) -> bool:
    """Return whether a mail will be much work, as bytes of plain text: tags and parts cost more than words."""
    work = 0
    for text in _texts(raw):
        work += len(text)
        if work <= _HEAVY_WORK:  # else it is known already, and counting in a megabyte takes its time
            work += _TAG_WORK * text.count(b"<") + _PART_WORK * text.count(b"\n--")
        if work > _HEAVY_WORK:
            return True
    return False


def _texts(raw: RawMail) -> Iterator[bytes]:
    yield raw.header if raw.whole is None else raw.whole
    yield from (part.body for part in raw.parts if part.body)


def _light_first(
    items: Iterable[tuple[Key, RawMail]], heavy: list[tuple[Key, RawMail]], later: list[Key] | None
) -> Iterator[tuple[Key, RawMail]]:
    """Pass ordinary mails on and put the heavy ones aside, as many as memory should hold."""
    aside = 0
    for key, raw in items:
        if not _is_heavy(raw):
            yield key, raw
        elif aside < _ASIDE_BYTES:
            aside += _weight(raw)
            heavy.append((key, raw))
        elif later is not None:
            later.append(key)
        else:
            yield key, raw


def _parcels(items: Iterable[tuple[Key, RawMail]]) -> Iterator[list[tuple[Key, RawMail]]]:
    parcel: list[tuple[Key, RawMail]] = []
    size = 0
    for key, raw in items:
        parcel.append((key, raw))
        size += _weight(raw)
        if len(parcel) >= _PARCEL_MAILS or size >= _PARCEL_BYTES:
            yield parcel
            parcel, size = [], 0
    if parcel:
        yield parcel


def _context() -> BaseContext:
    """Return how children are made: never by forking this process, which has threads."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["inboxbot.mailbox.nursery"])
    return context


# What follows runs in the children.

_judge: JudgeMail | None = None
_load: Callable[[], JudgeMail] = shipped_judge


def _begin(memory_bytes: int, load_judge: Callable[[], JudgeMail]) -> None:
    """Set the child's limits and tie its life to its parent's."""
    global _load  # noqa: PLW0603  # one child, one judge
    _load = load_judge
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == 1:
            os._exit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _work(raws: list[RawMail]) -> list[Outcome]:
    """Read and judge a parcel; what goes wrong with one mail is told for that mail."""
    global _judge  # noqa: PLW0603  # one child, one judge
    if _judge is None:
        _judge = _load()
    return [_one(raw, _judge) for raw in raws]


def _one(raw: RawMail, judge: JudgeMail) -> Outcome:
    try:
        mail = read_mail(raw)
    except UnreadableError as error:
        return Held(error.code, read_headers(raw))
    except MemoryError:
        return Held("out_of_memory", read_headers(raw))
    except Exception:  # noqa: BLE001  # whatever a mail does to us, it is held and the next one is taken
        return Held("reader_failed", read_headers(raw))
    try:
        return Read(mail, judge(mail))
    except MemoryError:
        return Held("out_of_memory", mail)
    except Exception:  # noqa: BLE001
        return Held("judge_failed", mail)
