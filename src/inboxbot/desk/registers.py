"""Looking a person up where the settings say: in a CSV file or by a command of the company's own.

What the person wrote is a search key and nothing more: it is compared with cells, or given to the command on standard
input as JSON, never as an argument. Whatever goes wrong becomes a `Result`; nothing here raises for what it finds.
"""

from __future__ import annotations

import csv
import json
import os
import select
import shutil
import signal
import subprocess
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, TypeVar

from inboxbot.cases.identity import folded, resembles
from inboxbot.config.addresses import checked_address
from inboxbot.config.model import System
from inboxbot.logs import get_logger
from inboxbot.reading.charsets import clean_line

log = get_logger()
T = TypeVar("T")
MOST_ANSWER_BYTES: Final = 64 * 1024
MOST_NAME: Final = 200
MOST_SOURCE: Final = 100
# Headings without case, blanks, dots, hyphens and underlines.
_ADDRESS: Final = ("epost", "epostadress", "email", "emailaddress", "mail", "mailadress", "mejl", "mejladress")
_NAME: Final = ("namn", "name", "fullname", "kundnamn", "customername", "kontaktperson")
_GIVEN: Final = ("förnamn", "firstname", "givenname")
_FAMILY: Final = ("efternamn", "lastname", "surname", "familyname")
_ENCODINGS: Final = ("utf-8-sig", "utf-16", "windows-1252")
_LONGEST_HEADING: Final = 65_536
_DELIMITERS: Final = (";", ",", "\t", "|")
_HARMLESS: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
_LOOK_EVERY_S: Final = 0.1
_ROWS_BETWEEN_LOOKS: Final = 1000


class Result(StrEnum):
    """What one system answered. Only `FOUND` carries an address."""

    FOUND = "found"
    NOTHING = "nothing"
    SEVERAL = "several"  # the address belongs to people of different names, or several answers came
    LOOKALIKE = "lookalike"  # not this address, but one that can be taken for it
    SAME_NAME = "same_name"  # not this address, but somebody of this name
    DIFFERS = "differs"  # another address than another system found, or than staff recorded
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    NO_ADDRESS_COLUMN = "no_address_column"
    NO_NAME_COLUMN = "no_name_column"
    COMMAND_MISSING = "command_missing"
    COMMAND_FAILED = "command_failed"
    ANSWER_TOO_LONG = "answer_too_long"
    ANSWER_NOT_UNDERSTOOD = "answer_not_understood"
    TOOK_TOO_LONG = "took_too_long"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to look for: the address and name of the mail, and the company that was written to."""

    address: str
    name: str
    company: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system answered, with the address it has on file and where exactly it stands."""

    system: str
    result: Result
    address: str | None = None
    found_in: str | None = None


class _Unfit(Exception):  # noqa: N818  (it carries an answer, it is no error of ours)
    def __init__(self, result: Result) -> None:
        self.result = result


def search(system: System, person: Person, folder: Path, *, stop: Callable[[], bool] = lambda: False) -> Answer:
    """Look for a person in one system. ``folder`` is where commands start; ``stop`` ends the search early."""
    limit = _Limit(time.monotonic() + system.lookup_timeout_s, stop)
    try:
        if system.lookup_csv is not None:
            found = _in_some_encoding(system, lambda encoding: _in_rows(system, person, encoding, limit))
        else:
            found = _by_command(system, system.lookup_command or [], person, folder, limit)
    except _Unfit as unfit:
        return Answer(system.name, unfit.result)
    except Exception as error:  # noqa: BLE001  (a file or a program of others may be anything)
        log.error("lookup_failed", error=error)
        return Answer(system.name, Result.FAILED)
    if found.address is not None and resembles(person.address, found.address):
        return Answer(system.name, Result.LOOKALIKE)
    return found


def unfitness(system: System, folder: Path) -> Result | None:
    """Return why nothing could be found in a system as things stand, or None; nobody is looked for."""
    try:
        if system.lookup_csv is not None:
            _in_some_encoding(system, lambda encoding: next(_rows(system, encoding), None))
        elif system.lookup_command is not None:
            _program(system.lookup_command[0], folder)
    except _Unfit as unfit:
        return unfit.result
    return None


@dataclass(frozen=True, slots=True)
class _Limit:
    """The monotonic moment at which a search ends, and whoever may end it before."""

    until: float
    stop: Callable[[], bool]

    def left(self) -> float:
        """Return the seconds that are left. Raises `_Unfit` when there are none."""
        left = self.until - time.monotonic()
        if left <= 0 or self.stop():
            raise _Unfit(Result.TOOK_TOO_LONG)
        return left


# --- a file -------------------------------------------------------------------------------------------------------


def _in_some_encoding(system: System, read: Callable[[str], T]) -> T:
    """Read a file in the encoding that is set, or in the first one that its bytes fit."""
    for encoding in [system.lookup_encoding] if system.lookup_encoding else _ENCODINGS:
        try:
            return read(encoding)
        except (UnicodeError, csv.Error):
            continue
    raise _Unfit(Result.FILE_UNREADABLE)


def _opened(system: System, encoding: str) -> IO[str]:
    """Open a file to read its rows. UTF-16 is guessed only where the file says so itself; the last guess fits all."""
    file, guessed = system.lookup_csv or Path(), system.lookup_encoding is None
    try:
        if encoding == "utf-16" and guessed:
            with file.open("rb") as beginning:
                if beginning.read(2) not in (b"\xff\xfe", b"\xfe\xff"):
                    raise UnicodeError(encoding)
        fits_all = guessed and encoding == _ENCODINGS[-1]
        return file.open(encoding=encoding, newline="", errors="replace" if fits_all else "strict")
    except FileNotFoundError:
        raise _Unfit(Result.FILE_MISSING) from None
    except OSError:
        raise _Unfit(Result.FILE_UNREADABLE) from None


def _rows(system: System, encoding: str) -> Iterator[tuple[str, str]]:
    """Yield the address and the name of each row."""
    with _opened(system, encoding) as opened:
        heading, delimiter = _heading(system, opened)
        address, names = _columns(system, heading)
        for row in csv.reader(opened, delimiter=delimiter):
            if len(row) > address:
                yield row[address].strip().lower(), " ".join(row[at] for at in names if at < len(row))


def _heading(system: System, file: IO[str]) -> tuple[list[str], str]:
    """Return the headings and what stands between them; a first line such as ``sep=;`` is passed over."""
    line = file.readline(_LONGEST_HEADING)
    chosen = system.lookup_delimiter
    if line.lower().startswith("sep=") and len(line.strip()) == len("sep=;"):
        chosen = chosen or line[len("sep=")]
        line = file.readline(_LONGEST_HEADING)
    split = {one: next(csv.reader([line], delimiter=one), []) for one in ([chosen] if chosen else _DELIMITERS)}
    delimiter = max(split, key=lambda one: len(split[one]))
    return split[delimiter], delimiter


def _columns(system: System, heading: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Return where the address and the pieces of the name stand."""
    plain = [_plain(one) for one in heading]
    address = _place(plain, (_plain(system.lookup_address_column),) if system.lookup_address_column else _ADDRESS)
    if address is None:
        raise _Unfit(Result.NO_ADDRESS_COLUMN)
    if system.lookup_name_column is not None:
        name = _place(plain, (_plain(system.lookup_name_column),))
        if name is None:
            raise _Unfit(Result.NO_NAME_COLUMN)
        return address, (name,)
    whole = _place(plain, _NAME)
    pieces = (whole,) if whole is not None else (_place(plain, _GIVEN), _place(plain, _FAMILY))
    return address, tuple(at for at in pieces if at is not None)


def _place(heading: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((heading.index(one) for one in wanted if one in heading), None)


def _plain(heading: str) -> str:
    text = unicodedata.normalize("NFC", heading).casefold()
    return "".join(letter for letter in text if letter not in " .-_\ufeff")


def _in_rows(system: System, person: Person, encoding: str, limit: _Limit) -> Answer:
    """Look for the very address first; only where it is not, for look-alikes and for people of the same name."""
    wanted = person.address.lower()
    owners: set[tuple[str, ...]] = set()
    here = False
    for address, name in _in_time(_rows(system, encoding), limit):
        if address == wanted:
            here = True
            owners.add(_words(name))
    if here:
        if len(owners - {()}) > 1:
            return Answer(system.name, Result.SEVERAL)
        return Answer(system.name, Result.FOUND, wanted, system.name)
    words = _words(person.name)
    longest = max(words, key=len, default="")
    face, half = folded(wanted), max(1, len(wanted) // 2 - 1)
    begin, end = wanted[:half], wanted[-half:]
    namesake = False
    for address, name in _in_time(_rows(system, encoding), limit):
        # One step apart leaves the beginning or the end as it was; the rest need not be compared letter by letter.
        near = address.startswith(begin) or address.endswith(end) or folded(address) == face
        if near and resembles(address, wanted):
            return Answer(system.name, Result.LOOKALIKE)
        namesake = namesake or (len(words) > 1 and longest in name.casefold() and _words(name) == words)
    return Answer(system.name, Result.SAME_NAME if namesake else Result.NOTHING)


def _in_time(rows: Iterator[tuple[str, str]], limit: _Limit) -> Iterator[tuple[str, str]]:
    for number, row in enumerate(rows):
        if number % _ROWS_BETWEEN_LOOKS == 0:
            limit.left()
        yield row


def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name in one order, so that "Berg, Anna" is Anna Berg."""
    return tuple(sorted(unicodedata.normalize("NFC", name).casefold().replace(",", " ").split()))


# --- a command ----------------------------------------------------------------------------------------------------


def _by_command(system: System, command: Sequence[str], person: Person, folder: Path, limit: _Limit) -> Answer:
    program = _program(command[0], folder)
    asked = {"address": person.address, "name": person.name[:MOST_NAME]}
    asked |= {"system": system.name, "company": person.company}
    given = _ask([program, *command[1:]], json.dumps(asked).encode() + b"\n", folder, limit)
    return replace(_understood(given, system.name), system=system.name)


def _program(name: str, folder: Path) -> str:
    """Return the path of a program: as it stands, from the settings' folder, or a bare name as the shell finds it."""
    path = shutil.which(str(folder / name)) if os.sep in name else shutil.which(name)
    if path is None:
        raise _Unfit(Result.COMMAND_MISSING)
    return path


def _ask(command: Sequence[str], words: bytes, folder: Path, limit: _Limit) -> bytes:
    """Run a program without a shell and without our secrets, and return what it says; it and its children are ended."""
    try:
        process = subprocess.Popen(  # noqa: S603  (the company's own settings name it)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={name: os.environ[name] for name in _HARMLESS if name in os.environ},
            start_new_session=True,
        )
    except OSError:
        raise _Unfit(Result.COMMAND_MISSING) from None
    try:
        answer = _talk(process, words, limit)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
    return answer


def _talk(process: subprocess.Popen[bytes], words: bytes, limit: _Limit) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise _Unfit(Result.FAILED)
    with suppress(BrokenPipeError):
        process.stdin.write(words)  # far less than a pipe holds
        process.stdin.close()
    answer = b""
    poller = select.poll()
    poller.register(process.stdout, select.POLLIN)
    while True:
        left = limit.left()
        if not poller.poll(min(left, _LOOK_EVERY_S) * 1000):
            continue
        piece = os.read(process.stdout.fileno(), MOST_ANSWER_BYTES)
        if not piece:
            break
        answer += piece
        if len(answer) > MOST_ANSWER_BYTES:
            raise _Unfit(Result.ANSWER_TOO_LONG)
    while True:
        try:
            code = process.wait(min(limit.left(), _LOOK_EVERY_S))
        except subprocess.TimeoutExpired:
            continue
        if code:
            raise _Unfit(Result.COMMAND_FAILED)
        return answer


def _understood(answer: bytes, system: str) -> Answer:
    """Return what a command answered: an object with an address, several of them, or nothing."""
    try:
        given = json.loads(answer) if answer.strip() else None
        if isinstance(given, list) and len(given) > 1:
            return Answer(system, Result.SEVERAL)
        if not given or (isinstance(given, dict) and not given.get("address")):
            return Answer(system, Result.NOTHING)
        if not isinstance(given, dict) or not isinstance(given["address"], str):
            return Answer(system, Result.ANSWER_NOT_UNDERSTOOD)
        source = given.get("found_in")
        named = clean_line(source)[:MOST_SOURCE] if isinstance(source, str) else ""
        return Answer(system, Result.FOUND, checked_address(given["address"]), named or system)
    except (ValueError, RecursionError):
        return Answer(system, Result.ANSWER_NOT_UNDERSTOOD)
