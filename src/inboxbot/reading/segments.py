"""Whose words a text holds: new, quoted, forwarded, signature, footer.

A scanner that looks at each line once. There is no pattern that runs over line ends or backtracks, so that no
text can make it slow; texts of more than `MAX_LINES` lines are scanned that far, and the rest keeps the kind the
scan ended with. When in doubt a line is new: text taken for quoted is only context for the judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inboxbot.reading import leadins
from inboxbot.reading.values import Address, ForwardedSender, Segment, SegmentKind

MAX_LINES = 6_000  # longer than any mail people write; keeps a mail of a million line ends cheap
_LINE_HEAD = 240  # letters of a line that are looked at
_PLAIN = dict(
    zip(
        "\u00a0’åäöæøéèêëáàâãíìîïóòôõúùûüçñßłśęąźżćńăşţčďěňřšťůýžđ",
        " 'aaoaoeeeeaaaaiiiioooouuuucnslseazzcnastcdenrstuyzd",
        strict=True,
    )
)


def _page(encoding: str) -> bytes:
    """Return what a whole code page folds to, which is much quicker than letter by letter."""
    letters = [bytes([code]).decode(encoding, "replace").lower() for code in range(256)]
    return b"".join(_PLAIN.get(letter, letter).encode(encoding, "replace") for letter in letters)


_PAGES = tuple((encoding, _page(encoding)) for encoding in ("latin-1", "cp1252"))
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_BARE = str.maketrans(".,:;!()", "       ")
_RULE_LETTERS = frozenset("-_=*~— ")
_BULLETS = frozenset("-–—•*·◦")
_AROUND = frozenset("-_=*~— :>|\t")  # may stand before a mark


def _by_opening(marks: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return marks by their first two letters: most lines begin with no mark, and this says so soonest."""
    table: dict[str, tuple[str, ...]] = {}
    for mark in marks:
        table[mark[:2]] = (*table.get(mark[:2], ()), mark)
    return table


def _begins(text: str, table: dict[str, tuple[str, ...]]) -> bool:
    """Whether a text begins with a mark of the table."""
    return text.startswith(table.get(text[:2], ()))


_ORIGINALS = _by_opening(leadins.ORIGINAL_MARKS)
_FORWARDS = _by_opening(leadins.FORWARD_MARKS)
_ATTRIBUTIONS = _by_opening(leadins.ATTRIBUTION_STARTS)
_PHONES = _by_opening(leadins.PHONE_SIGNATURES)
_LISTS = _by_opening(leadins.LIST_FOOTERS)
_NOTICES = _by_opening(leadins.FOOTER_STARTS)
_STEMS = _by_opening(leadins.NOTICE_STEMS)
_DASHES = ("--", "—-")
_HISTORY_OPENINGS = {*_ORIGINALS, *_FORWARDS, *_ATTRIBUTIONS, *_by_opening(leadins.FROM_NAMES)}
_FOOTER_OPENINGS = {*_LISTS, *_NOTICES}
_ENDING_OPENINGS = {*_DASHES, *_PHONES, *_by_opening(leadins.SIGN_OFFS)}
NEW, QUOTED, FORWARDED = SegmentKind.NEW, SegmentKind.QUOTED, SegmentKind.FORWARDED
SIGNATURE, FOOTER = SegmentKind.SIGNATURE, SegmentKind.FOOTER


@dataclass(slots=True)
class _Line:
    """A line of the text: where it begins, its folded head without outer blanks, its kind."""

    start: int
    head: str
    kind: SegmentKind = NEW

    @property
    def name(self) -> str:
        """The header name when the line looks like ``Name: value`` (bold marks and bars taken off), or ``""``."""
        if ":" not in self.head:
            return ""
        before, colon, _ = self.head.lstrip("*_| \t").partition(":")
        return before.strip(" *_") if colon and len(before) < 24 else ""

    @property
    def bare(self) -> str:
        """The line without the rules around it."""
        return self.head.strip("-_=*~— :>|")


def segment(text: str) -> tuple[Segment, ...]:
    """Split a text into segments, in order, that cover all of it (none for an empty text).

    Offsets are code points of ``text``. Time is linear to its length.
    """
    if not text:
        return ()
    lines = _split(text)
    if ">" in text or "&" in text:
        _mark_quotes(lines)
    _mark_history(lines)
    _mark_endings(lines)
    _mark_footers(lines)
    _mark_notices(lines)
    return _join(lines, len(text))


def inner_sender(text: str, segments: tuple[Segment, ...]) -> ForwardedSender | None:
    """Return who the first forwarded stretch says it is from, or None."""
    for part in segments:
        if part.kind is not FORWARDED:
            continue
        for row in text[part.start : min(part.end, part.start + 4_000)].split("\n"):
            line = row[:400].strip()
            head = _head(line)
            if head.lstrip("*_|> \t").partition(":")[0].strip(" *_") not in leadins.FROM_NAMES:
                continue
            found = _ADDRESS.search(line.lower())
            if found is None:
                continue
            value = line.partition(":")[2].replace("*", "")
            name = re.split(r"[<\[(]|mailto:", value, maxsplit=1)[0].strip().strip("\"'").strip()
            return ForwardedSender(Address(found.group(), "" if "@" in name else name), line)
    return None


def _head(line: str) -> str:
    return _folded(line[:_LINE_HEAD].strip())


def _folded(text: str) -> str:
    """Return a text in lower case, most of its letters without accents."""
    if text.isascii():
        return text.lower()
    for encoding, page in _PAGES:
        try:
            return text.encode(encoding).translate(page).decode(encoding)
        except UnicodeEncodeError:
            continue
    lower = text.lower()
    for letter, plain in _PLAIN.items():
        lower = lower.replace(letter, plain)
    return lower


def _split(text: str) -> list[_Line]:
    rows = text.split("\n", MAX_LINES)
    if not rows[-1]:
        rows.pop()  # behind the last line end is no line
    del rows[MAX_LINES:]
    heads = _folded("\n".join([row[:_LINE_HEAD].strip() for row in rows])).split("\n")  # all at once: half the time
    lines = []
    start = 0
    for row, head in zip(rows, heads, strict=True):
        lines.append(_Line(start, head))
        start += len(row) + 1
    return lines


def _mark_quotes(lines: list[_Line]) -> None:
    """Mark lines that begin with a quoting mark, the empty lines between them, and the line that leads them in."""
    last = -1
    for index, line in enumerate(lines):
        if line.head.startswith((">", "&gt;")):
            line.kind = QUOTED
            if last >= 0 and all(not between.head for between in lines[last + 1 : index]):
                for between in lines[last + 1 : index]:
                    between.kind = QUOTED
            else:
                _mark_lead_in(lines, index)
            last = index
        elif line.head:
            last = -1


def _mark_lead_in(lines: list[_Line], index: int) -> None:
    """Mark "X skrev:" right above a quoted line (at most one empty line between, at most three lines long)."""
    above = index - 1
    if above >= 0 and not lines[above].head:
        above -= 1
    if above < 0 or not lines[above].head.endswith(":") or lines[above].kind is not NEW:
        return
    joined = ""
    for first in range(above, max(above - 3, -1), -1):
        if not lines[first].head:
            return
        joined = f"{lines[first].head} {joined}".strip()
        if _tells_writing(f" {joined}") and (first == above or joined.startswith(leadins.ATTRIBUTION_STARTS)):
            for line in lines[first:index]:
                line.kind = QUOTED
            return


def _tells_writing(head: str) -> bool:
    return len(head) < 400 and any(verb in head for verb in leadins.WRITE_VERBS)


def _attribution(lines: list[_Line], index: int) -> int:
    """How many lines from ``index`` on are a dated "On … X wrote:" (0 when none)."""
    head = lines[index].head
    if not _begins(head, _ATTRIBUTIONS) and not head[:1].isdigit():
        return 0
    joined = ""
    for count, line in enumerate(lines[index : index + 3], 1):
        if not line.head or line.head.startswith(">"):
            return 0
        joined = f"{joined} {line.head}".strip()
        if not line.head.endswith(":"):
            continue
        dated = sum(letter.isdigit() for letter in joined) >= 3 and (
            ":" in joined[:-1] or "@" in joined or "20" in joined
        )
        return count if dated and _tells_writing(f" {joined}") else 0
    return 0


def _is_header_block(lines: list[_Line], index: int) -> bool:
    """Whether Outlook's "From / Sent / To / Subject" begins here."""
    if lines[index].name not in leadins.FROM_NAMES:
        return False
    names = {line.name for line in lines[index + 1 : index + 9]}
    return sum(bool(names & known) for known in (leadins.SENT_NAMES, leadins.TO_NAMES, leadins.SUBJECT_NAMES)) >= 2


def _mark_history(lines: list[_Line]) -> None:
    """Mark forwards and open quotes: from their mark on, everything to the end (no sign says where they stop)."""
    fresh = False  # whether anything new came before
    index = 0
    while index < len(lines):
        line = lines[index]
        head = line.head
        if line.kind is not NEW or not head:
            index += 1
            continue
        if head[:2] not in _HISTORY_OPENINGS and head[0] not in _AROUND and not head[0].isdigit():
            fresh = True  # the most lines: none of the following can be
            index += 1
            continue
        bare = line.bare if len(line.head) < 110 else ""
        kind: SegmentKind | None = None
        original = len(bare) < 60 and _begins(bare, _ORIGINALS) and _stands_apart(line, lines, index)
        if _begins(bare, _FORWARDS) and _stands_apart(line, lines, index):
            kind = FORWARDED
        elif original or _is_header_block(lines, index):
            kind = QUOTED if fresh else FORWARDED
        elif count := _attribution(lines, index):
            following = next((later for later in lines[index + count : index + count + 4] if later.head), None)
            if following is not None and following.kind is QUOTED:
                for later in lines[index : index + count]:
                    later.kind = QUOTED
                index += count
                continue
            kind = QUOTED if fresh else FORWARDED
        if kind is not None:
            first = index
            while first > 0 and (not lines[first - 1].head or set(lines[first - 1].head) <= _RULE_LETTERS):
                first -= 1
            for later in lines[first if fresh else index :]:
                later.kind = kind
            return
        fresh = fresh or not set(line.head) <= _RULE_LETTERS
        index += 1


def _stands_apart(line: _Line, lines: list[_Line], index: int) -> bool:
    """Whether a mark is a line of its own: in rules, ending in a colon, or followed by a header or an empty line."""
    if line.head[:1] in "-_=*~" or line.head.endswith((":", "--")):
        return True
    following = next((later for later in lines[index + 1 : index + 3] if later.head), None)
    return (
        len(line.head) < 50
        and following is not None
        and following.name in (leadins.FROM_NAMES | leadins.SENT_NAMES | leadins.TO_NAMES | leadins.SUBJECT_NAMES)
    )


def _mark_endings(lines: list[_Line]) -> None:
    """Mark "-- " and what follows, lines of phone programs, and a leave-taking with the short lines under it."""
    signing = closing = False
    fresh = False
    for line in lines:
        if line.kind is not NEW:
            signing = closing = False
            continue
        head = line.head
        if not signing and head[:2] in _ENDING_OPENINGS:
            if len(head) < 90 and _begins(head, _PHONES):
                line.kind = SIGNATURE
                continue
            if fresh and len(head) < 40 and head.rstrip(" ,.!/") in leadins.SIGN_OFFS:
                closing = True
                line.kind = SIGNATURE
                continue
            signing = fresh and head in _DASHES
        if signing:
            line.kind = SIGNATURE
            continue
        if closing:
            closing = bool(head) and len(head.split()) <= 7 and not head.endswith(("?", "!", "."))
            closing = closing and not head.startswith(("ps", "p.s"))
            if closing:
                line.kind = SIGNATURE
        fresh = fresh or bool(head)


def _mark_notices(lines: list[_Line]) -> None:
    """Mark later paragraphs that speak law and confidentiality without any "I": a company's notice, not a wish."""
    later = False
    for paragraph in _paragraphs(lines):
        if paragraph[0].kind not in (NEW, SIGNATURE):
            continue
        if later and _is_notice(" ".join([line.head for line in paragraph[:12]])):
            for line in paragraph:
                line.kind = FOOTER
        later = True


def _paragraphs(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Yield the lines of one kind between empty ones."""
    found: list[_Line] = []
    for line in lines:
        if found and (not line.head or line.kind is not found[0].kind):
            yield found
            found = []
        if line.head:
            found.append(line)
    if found:
        yield found


def _is_notice(text: str) -> bool:
    if "?" in text:
        return False
    words = text.split()
    if len(words) < 8 or _is_item(words[0]) or not leadins.WISHING.isdisjoint(words):
        return False
    bare = [word.lstrip(".,:;!()") for word in words]
    stems = sum([word.startswith(_STEMS.get(word[:2], ())) for word in bare])
    return (
        stems >= 2 + len(words) // 40
        and any(phrase in text for phrase in leadins.NOTICE_PHRASES)
        and leadins.WISHING.isdisjoint(text.translate(_BARE).split())
    )


def _is_item(word: str) -> bool:
    """Whether a word is what a point of a list begins with: "-", "•", "2.", "a)", "(iv)"."""
    return word in _BULLETS or (len(word) <= 5 and (word[-1] == ")" or (word[-1] == "." and word[:-1].isdigit())))


def _mark_footers(lines: list[_Line]) -> None:
    """Mark paragraphs that open like a disclaimer, and everything from a mailing's closing words to the quotes."""
    fresh = listing = footing = False
    after_empty = True
    for index, line in enumerate(lines):
        if line.kind not in (NEW, SIGNATURE):
            listing = footing = False
            fresh = True
            continue
        if not line.head:
            footing = False
            after_empty = True
            if listing:
                line.kind = FOOTER
            continue
        head = line.head.lstrip("*_-=| \t")
        if fresh and head[:2] in _FOOTER_OPENINGS and not (listing and footing):
            if _begins(head, _LISTS):
                listing = listing or not _speaks_for_another(lines, index)
            elif _begins(head, _NOTICES) and (after_empty or line.kind is SIGNATURE):
                footing = footing or not _speaks_for_another(lines, index)
        if listing or footing:
            line.kind = FOOTER
        fresh, after_empty = True, False


def _speaks_for_another(lines: list[_Line], index: int) -> bool:
    """Whether the paragraph from ``index`` on speaks of somebody who has a wish made: "this mail is sent for her"."""
    for line in lines[index : index + 12]:
        if not line.head:
            break
        if not leadins.ABSENT.isdisjoint(line.head.translate(_BARE).split()):
            return True
    return False


def _join(lines: list[_Line], end: int) -> tuple[Segment, ...]:
    """Join neighbours of one kind; empty lines go with what stands before them."""
    parts: list[Segment] = []
    start, kind = 0, lines[0].kind
    for line in lines:
        if line.kind is kind or (not line.head and line.kind in (NEW, SIGNATURE) and kind is not QUOTED):
            continue
        parts.append(Segment(kind, start, line.start))
        start, kind = line.start, line.kind
    parts.append(Segment(kind, start, end))
    return tuple(parts)
