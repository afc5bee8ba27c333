"""Whose words a text holds: new, quoted, forwarded, signature, footer.

A scanner that looks at each line once. There is no pattern that runs over line ends or backtracks, so that no
text can make it slow; texts of more than `MAX_LINES` lines are scanned that far, and the rest keeps the kind the
scan ended with. When in doubt a line is new: text taken for quoted is only context for the judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from inboxbot.reading import leadins
from inboxbot.reading.values import Address, ForwardedSender, Segment, SegmentKind

MAX_LINES = 6_000  # longer than any mail people write; keeps a mail of a million line ends cheap
_LINE_HEAD = 240  # letters of a line that are looked at
_ACCENTS = str.maketrans(
    "\u00a0åäöæøéèêëáàâãíìîïóòôõúùûüçñßłśęąźżćńăşţčďěňřšťůýžđ",
    " aaoaoeeeeaaaaiiiioooouuuucnslseazzcnastcdenrstuyzd",
)
_PAGE = bytes(  # the same for a whole code page at once, which is much quicker than letter by letter
    ord(bytes([code]).decode("cp1252", "replace").translate(_ACCENTS).replace("’", "'").encode("cp1252", "replace")[:1])
    for code in range(256)
)
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_BARE = str.maketrans(".,:;!()", "       ")
_RULE_LETTERS = frozenset("-_=*~— ")


def _openings(*marks: tuple[str, ...]) -> frozenset[str]:
    """Return the first two letters of all marks: most lines begin with no mark, and this says so soonest."""
    return frozenset(mark[:2] for group in marks for mark in group)


_MARK_OPENINGS = _openings(leadins.ORIGINAL_MARKS, leadins.FORWARD_MARKS)
_ATTRIBUTION_OPENINGS = _openings(leadins.ATTRIBUTION_STARTS)
_PHONE_OPENINGS = _openings(leadins.PHONE_SIGNATURES)
_FOOTER_OPENINGS = _openings(leadins.LIST_FOOTERS, leadins.FOOTER_STARTS)
_STEM_OPENINGS = _openings(leadins.NOTICE_STEMS)
NEW, QUOTED, FORWARDED = SegmentKind.NEW, SegmentKind.QUOTED, SegmentKind.FORWARDED
SIGNATURE, FOOTER = SegmentKind.SIGNATURE, SegmentKind.FOOTER


@dataclass(slots=True)
class _Line:
    """A line of the text: its place (line end included), its folded head without outer blanks, its kind."""

    start: int
    end: int
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
    _mark_quotes(lines)
    _mark_history(lines)
    _mark_endings(lines)
    _mark_footers(lines)
    _mark_notices(lines)
    lines[-1].end = len(text)
    return _join(lines)


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
    head = line[:_LINE_HEAD].strip().lower()
    if head.isascii():
        return head
    try:
        return head.encode("cp1252").translate(_PAGE).decode("cp1252")
    except UnicodeEncodeError:
        return head.translate(_ACCENTS).replace("’", "'")


def _split(text: str) -> list[_Line]:
    lines = []
    start = 0
    for _ in range(MAX_LINES):
        found = text.find("\n", start)
        end = len(text) if found < 0 else found + 1
        lines.append(_Line(start, end, _head(text[start : min(end, start + _LINE_HEAD + 40)])))
        start = end
        if start >= len(text):
            break
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
    if head[:2] not in _ATTRIBUTION_OPENINGS and not head[:1].isdigit():
        return 0
    if not head.startswith(leadins.ATTRIBUTION_STARTS) and not head[:1].isdigit():
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
        if line.kind is not NEW or not line.head:
            index += 1
            continue
        bare = line.bare if len(line.head) < 110 else ""
        kind: SegmentKind | None = None
        marked = bare[:2] in _MARK_OPENINGS
        original = (
            marked and len(bare) < 60 and bare.startswith(leadins.ORIGINAL_MARKS) and _stands_apart(line, lines, index)
        )
        if marked and bare.startswith(leadins.FORWARD_MARKS) and _stands_apart(line, lines, index):
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
        if line.head in ("--", "—-") and fresh:
            signing = True
        if signing:
            line.kind = SIGNATURE
            continue
        opening = line.head[:2]
        if len(line.head) < 90 and opening in _PHONE_OPENINGS and line.head.startswith(leadins.PHONE_SIGNATURES):
            line.kind = SIGNATURE
            continue
        if fresh and len(line.head) < 40 and line.head.rstrip(" ,.!/") in leadins.SIGN_OFFS:
            closing = True
            line.kind = SIGNATURE
            continue
        if closing:
            closing = bool(line.head) and len(line.head.split()) <= 7 and not line.head.endswith(("?", "!", "."))
            closing = closing and not line.head.startswith(("ps", "p.s"))
            if closing:
                line.kind = SIGNATURE
        fresh = fresh or bool(line.head)


def _mark_notices(lines: list[_Line]) -> None:
    """Mark later paragraphs that speak law and confidentiality without any "I": a company's notice, not a wish."""
    first = 0
    paragraphs = 0
    while first < len(lines):
        last = first
        while last < len(lines) and lines[last].head and lines[last].kind is lines[first].kind:
            last += 1
        kind = lines[first].kind
        if last > first and kind in (NEW, SIGNATURE):
            paragraphs += 1
            opening = " ".join([line.head for line in lines[first : min(last, first + 12)]])
            if paragraphs > 1 and _is_notice(opening):
                for line in lines[first:last]:
                    line.kind = FOOTER
        first = max(last, first + 1)


def _is_notice(text: str) -> bool:
    if "?" in text or not leadins.FIRST_PERSON.isdisjoint(text.translate(_BARE).split()):
        return False
    bare = [word.strip(".,:;!()") for word in text.split()]
    if len(bare) < 8:
        return False
    stems = [word for word in bare if word[:2] in _STEM_OPENINGS and word.startswith(leadins.NOTICE_STEMS)]
    return len(stems) >= 2 + len(bare) // 40


def _mark_footers(lines: list[_Line]) -> None:
    """Mark paragraphs that open like a disclaimer, and everything from a mailing's closing words to the quotes."""
    fresh = listing = footing = False
    after_empty = True
    for line in lines:
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
        if fresh and head[:2] in _FOOTER_OPENINGS:
            if head.startswith(leadins.LIST_FOOTERS):
                listing = True
            elif head.startswith(leadins.FOOTER_STARTS) and (after_empty or line.kind is SIGNATURE):
                footing = True
        if listing or footing:
            line.kind = FOOTER
        fresh, after_empty = True, False


def _join(lines: list[_Line]) -> tuple[Segment, ...]:
    """Join neighbours of one kind; empty lines go with what stands before them."""
    for before, line in pairwise(lines):
        if not line.head and line.kind in (NEW, SIGNATURE) and before.kind is not QUOTED:
            line.kind = before.kind
    parts: list[Segment] = []
    for line in lines:
        if parts and parts[-1].kind is line.kind:
            parts[-1] = Segment(line.kind, parts[-1].start, line.end)
        else:
            parts.append(Segment(line.kind, line.start, line.end))
    return tuple(parts)
