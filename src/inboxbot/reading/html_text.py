"""HTML to the text a person sees, with the words that are hidden from them kept apart.

A linear guard goes first: parsers of HTML are quadratic on deep nesting (promises.md 0.2, libraries.md 5).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from inboxbot.reading import bounds
from inboxbot.reading.charsets import clean_text
from inboxbot.reading.values import UnreadableError

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_ANY_TAG: Final = re.compile(r"<[^<>]*>")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FLAT: Final = _names(
    "area base br col embed hr img input link meta source track wbr p li td th tr option dd dt thead tbody tfoot"
)
_SILENT: Final = _names("script style head title template noscript iframe object svg math select textarea audio video")
_BLOCKS: Final = _names(
    "address article aside blockquote center dd details div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header"
    " hr li main nav ol p pre section table tr ul summary caption legend"
)
_SPACED: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"})
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])"
    r"|max-height\s*:\s*0(?![.\d]*[1-9])|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_WHITE: Final = re.compile(
    r"(?<![-\w])color\s*:\s*(?:#fff(?:fff)?\b|white\b|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\))", re.IGNORECASE
)
_GROUND: Final = re.compile(r"background", re.IGNORECASE)
_QUOTED: Final = re.compile(r"quote|cite", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[ \t\n\r\f\u00a0]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """The visible text of an HTML document, the hidden one, and whether only the crude way could read it.

    ``ahead`` is the part of the hidden text that stands before everything visible, where newsletters and shops put the
    line that mail programs preview.
    """

    text: str
    hidden: str
    crude: bool = False
    ahead: str = ""


def html_to_text(source: str) -> Shown:
    """Return what a reader sees of ``source``; quoted blocks get ``"> "`` before their lines.

    Raises UnreadableError ``html_too_complex`` when it is nested or littered as no mail of a person is.
    """
    way = how_to_read(source)
    if way == "refuse":
        raise UnreadableError("html_too_complex")
    if way == "crude":
        return Shown(_crude(source), "", crude=True)
    parser = LexborHTMLParser(source)
    if parser.body is None:
        return Shown(_crude(source), "", crude=True)
    writer = _Writer()
    writer.walk(parser.body)
    ahead = "".join(writer.hidden[: writer.ahead])
    return Shown(writer.text(), " ".join("".join(writer.hidden).split()), ahead=" ".join(ahead.split()))


def how_to_read(source: str) -> str:
    """Say how ``source`` may be read: parse, crude (tags cut out), or refuse. Linear."""
    if source.count("<") > bounds.HTML_ANGLES:
        return "refuse"
    if any(_crowded(piece) for piece in source.split("<")):
        return "refuse"
    depth = deepest = tags = 0
    for found in _TAG.finditer(source):
        tags += 1
        if found[2].lower() in _FLAT:
            continue
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    if deepest > bounds.HTML_DEPTH:
        return "refuse"
    return "crude" if tags > bounds.HTML_TAGS else "parse"


def _crowded(piece: str) -> bool:
    """Whether what follows a "<" looks like one tag with thousands of attributes (parsers compare each with all)."""
    if len(piece) < 2 * bounds.HTML_ATTRIBUTES:
        return False
    return piece.count("=") > bounds.HTML_ATTRIBUTES or len(piece.partition(">")[0].split()) > bounds.HTML_ATTRIBUTES


def _crude(source: str) -> str:
    lines = html.unescape(_ANY_TAG.sub(" ", source)).split("\n")
    return clean_text("\n".join(line for line in (_BLANKS.sub(" ", line).strip() for line in lines) if line))


class _Writer:
    """Writes the text of a tree of nodes, visiting each once without recursion."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.pre = 0
        self.hidden: list[str] = []
        self.ahead = 0  # so many of the hidden pieces stand before everything visible

    def walk(self, top: LexborNode) -> None:
        stack: list[tuple[LexborNode, bool]] = [(top, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self.leave(node)
                continue
            tag = node.tag or ""
            if tag == "-text":
                self.write(node.text_content or "")
                continue
            if tag.startswith(("-", "_", "!")) or tag in _SILENT:
                continue
            if tag != "body" and self.hides(node):
                self.hidden.append(" " + node.text(deep=True, separator=" ")[:2000])
                if not self.lines and not "".join(self.line).strip():
                    self.ahead = len(self.hidden)
                continue
            self.arrive(node, tag)
            stack.append((node, True))
            children: list[tuple[LexborNode, bool]] = []
            child = node.child
            while child is not None:
                children.append((child, False))
                child = child.next
            stack.extend(reversed(children))

    def arrive(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self.break_line()
        elif tag in _BLOCKS:
            self.end_line()
            if tag in _SPACED:
                self.gap()
            if tag == "blockquote" and _is_quote(node):
                self.quotes += 1
            if tag == "li":
                self.line.append("- ")
            if tag == "pre":
                self.pre += 1
            if tag == "hr":
                self.line.append("_" * 32)
                self.end_line()
        elif tag in ("td", "th") and self.line:
            self.line.append(" ")
        if tag == "div" and "gmail_signature" in (node.attributes.get("class") or ""):
            self.line.append("-- ")
            self.end_line()

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag not in _BLOCKS:
            return
        self.end_line()
        if tag == "blockquote" and _is_quote(node):
            self.quotes -= 1
        if tag == "pre":
            self.pre -= 1
        if tag in _SPACED:
            self.gap()

    def write(self, text: str) -> None:
        if self.pre:
            first, *rest = text.split("\n")
            self.line.append(first)
            for line in rest:
                self.break_line()
                self.line.append(line)
            return
        text = _BLANKS.sub(" ", text)
        if text == " " and (not self.line or self.line[-1].endswith(" ")):
            return
        self.line.append(text)

    def break_line(self) -> None:
        if not self.line:
            self.lines.append(("> " * self.quotes).rstrip())
        self.end_line()

    def end_line(self) -> None:
        if self.line:
            text = "".join(self.line)
            text = text.rstrip("\n") if self.pre or text == "-- " else text.strip()
            if text:
                self.lines.append("> " * self.quotes + text)
            self.line = []

    def gap(self) -> None:
        blank = ("> " * self.quotes).rstrip()
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(blank)
        elif self.lines and len(self.lines[-1]) > len(blank):
            self.lines[-1] = blank  # the gap after a quotation is not part of it

    def text(self) -> str:
        self.end_line()
        return clean_text("\n".join(self.lines)).strip("\n")

    @staticmethod
    def hides(node: LexborNode) -> bool:
        attributes = node.attributes
        if not attributes:
            return False
        if "hidden" in attributes:
            return True
        style = attributes.get("style") or ""
        if not style:
            return False
        return bool(_HIDING.search(style)) or (bool(_WHITE.search(style)) and not _on_colour(node))


def _on_colour(node: LexborNode) -> bool:
    """Whether the element or one around it sets a background, so that white letters may be seen."""
    here: LexborNode | None = node
    for _ in range(40):
        if here is None:
            return False
        attributes = here.attributes
        if "bgcolor" in attributes or "background" in attributes or _GROUND.search(attributes.get("style") or ""):
            return True
        here = here.parent
    return False


def _is_quote(node: LexborNode) -> bool:
    """Whether a blockquote quotes a mail (programs also use it to indent)."""
    attributes = node.attributes
    if "cite" in attributes or (attributes.get("type") or "").lower() == "cite":
        return True
    return bool(_QUOTED.search(attributes.get("class") or "")) or "border-left" in (attributes.get("style") or "")
