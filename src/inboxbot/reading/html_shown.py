"""The HTML of a mail as it may be shown: rewritten from nothing but known tags, colours and lengths, then sanitised.

Nothing in it loads, runs, links or is sent: pictures become their words, links their text with the address beside it.
What styles say is kept where it is plain (colours, sizes, borders) and moved into one style sheet, which a policy can
name by its digest, so that no inline style has to be allowed. The frame it is shown in allows nothing anyway; this is
the other half (promises.md E40-E42).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from inboxbot.reading import bounds
from inboxbot.reading.body import is_page
from inboxbot.reading.charsets import clean_text, decode_text
from inboxbot.reading.headers import read_fields
from inboxbot.reading.html_text import how_to_read
from inboxbot.reading.mime import walk, words_start
from inboxbot.reading.transfer import decode_body
from inboxbot.reading.values import RawMail, UnreadableError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEPT: Final = _names(
    "abbr address b blockquote br caption center code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i ins"
    " li ol p pre s small span strike strong sub sup table tbody td tfoot th thead tr tt u ul"
)
_EMPTY: Final = _names("br col hr")
_AS_DIV: Final = _names("article aside figure footer form header main nav section")
_SILENT: Final = _names(
    "script style head title template noscript iframe frame frameset object embed svg math select textarea audio video"
    " canvas input button meta link base applet"
)
_COLOUR: Final = r"(?:#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20}|rgba?\([0-9 .,%]{5,40}\))"
_LENGTH: Final = r"(?:0|[0-9]{1,4}(?:\.[0-9]{1,3})?(?:px|pt|em|rem|%)?)"
_LENGTHS: Final = rf"(?:auto|{_LENGTH})(?:\s+(?:auto|{_LENGTH})){{0,3}}"
_SIZE: Final = (
    r"(?:(?:[6-9]|[1-5][0-9])(?:\.[0-9]{1,3})?(?:px|pt)|[0-3](?:\.[0-9]{1,3})?r?em|[0-9]{2,3}%"
    r"|(?:x+-)?(?:small|large)|medium|smaller|larger)"
)
_BORDER: Final = rf"(?:none|0|{_LENGTH}\s+(?:solid|dashed|dotted|double)(?:\s+{_COLOUR})?)"
_PROPERTIES: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for names, pattern in (
        ("color background-color background border-color", _COLOUR),
        ("font-weight", r"(?:bold|bolder|normal|lighter|[1-9]00)"),
        ("font-style", r"(?:italic|normal)"),
        ("font-size", _SIZE),
        ("font-family", r"[\w\s,'-]{1,120}"),
        ("line-height", r"[0-9](?:\.[0-9]{1,3})?|[0-9]{1,3}(?:px|pt|%)"),
        ("text-align vertical-align", r"(?:left|right|center|justify|top|middle|bottom|baseline)"),
        ("text-decoration", r"(?:underline|line-through|none)"),
        ("white-space", r"(?:normal|nowrap|pre|pre-wrap|pre-line)"),
        ("border-collapse", r"(?:collapse|separate)"),
        ("list-style-type", r"[a-z-]{3,20}"),
        ("display", r"none"),
        ("width max-width height", _LENGTH),
        ("padding padding-top padding-right padding-bottom padding-left", _LENGTHS),
        ("margin margin-top margin-right margin-bottom margin-left", _LENGTHS),
        ("border border-top border-right border-bottom border-left", _BORDER),
    )
    for name in names.split()
}  # fmt: skip
_ATTRIBUTES: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for names, pattern in (
        ("align valign", r"(?i:left|right|center|justify|top|middle|bottom|baseline)"),
        ("bgcolor color", r"(?:#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20})"),
        ("border cellpadding cellspacing", r"[0-9]{1,2}"),
        ("colspan rowspan", r"[1-9][0-9]?"),
        ("dir", r"(?i:ltr|rtl|auto)"),
        ("width height", r"[0-9]{1,4}%?"),
    )
    for name in names.split()
}
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN_TARGET: Final = re.compile(r"(?i:https?://|mailto:|tel:)[!-~]{1,500}")
_MOST_STYLES, _MOST_DECLARATIONS, _TARGET_LENGTH = 2_000, 40, 200
_TINY: Final = re.compile(r"0*[0-3](?:px)?")


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A mail's HTML as it may be shown: sanitised ``body``, the style sheet it refers to, what was left out as codes.

    ``left_out`` holds ``pictures``, ``links`` (they are shown as text) and ``cut`` (only the beginning was read).
    """

    body: str
    style: str
    left_out: frozenset[str]


def show_page(raw: RawMail) -> ShownPage | None:
    """Return what was fetched of a mail as a page, or None when it has no HTML.

    Raises UnreadableError when it is nested or littered as no mail of a person is, or packed too deep.
    """
    if raw.whole is None:
        leaves = raw.parts[: bounds.PARTS]
    else:
        leaves = walk(raw.whole, read_fields(raw.header), words_start(raw.whole)).leaves
    writer = _Writer()
    sources = []
    for part in leaves:
        if is_page(part):
            data = decode_body(part)
            if part.cut or len(data) > bounds.HTML_BYTES:
                writer.left_out.add("cut")
            sources.append(decode_text(data[: bounds.HTML_BYTES], part.charset))
    if not sources:
        return None
    for source in sources:
        if how_to_read(source) != "parse":
            raise UnreadableError("html_too_complex")
        body = LexborHTMLParser(source).body
        if body is not None:
            writer.walk(body)
    return ShownPage(_sanitised("".join(writer.pieces)), writer.sheet(), frozenset(writer.left_out))


def _sanitised(source: str) -> str:
    """Let a sanitiser of repute look at what was written, should the writer ever be mistaken."""
    return nh3.clean(
        source,
        tags=set(_KEPT),
        attributes={"*": {"class", *_ATTRIBUTES}},
        url_schemes=set(),
        link_rel=None,
        strip_comments=True,
    )


class _Writer:
    """Writes a tree of nodes anew, visiting each once without recursion."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.styles: dict[str, int] = {}
        self.left_out: set[str] = set()

    def sheet(self) -> str:
        """Return the style sheet of the classes that were given."""
        return "".join(f".s{number}{{{style}}}" for style, number in self.styles.items())

    def walk(self, top: LexborNode) -> None:
        stack: list[LexborNode | str] = [top]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                self.pieces.append(node)
                continue
            tag = node.tag or ""
            if tag == "-text":
                self.pieces.append(_text(node.text_content or ""))
                continue
            if tag.startswith(("-", "_", "!")) or tag in _SILENT:
                continue
            if tag == "img":
                self.picture(node)
                continue
            after = self.open(node, tag)
            if after:
                stack.append(after)
            children: list[LexborNode] = []
            child = node.child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))

    def open(self, node: LexborNode, tag: str) -> str:
        """Write the beginning of an element and return its end; of an unknown one only what it holds stays."""
        if tag == "a":
            self.pieces.append('<span class="link">')
            return f"</span>{self.target(node)}"
        name = "div" if tag in _AS_DIV or tag == "body" else tag
        if name not in _KEPT:
            return ""
        self.pieces.append(f"<{name}{self.attributes(node)}>")
        return "" if name in _EMPTY else f"</{name}>"

    def attributes(self, node: LexborNode) -> str:
        given = node.attributes
        if not given:
            return ""
        found = [
            f' {name}="{html.escape(value)}"'
            for name, value in given.items()
            if value and (known := _ATTRIBUTES.get(name)) and known.fullmatch(value.strip())
        ]
        style = _plain_style(given.get("style") or "")
        if style and (style in self.styles or len(self.styles) < _MOST_STYLES):
            number = self.styles.setdefault(style, len(self.styles))
            found.append(f' class="s{number}"')
        return "".join(found)

    def picture(self, node: LexborNode) -> None:
        """Write the words of a picture; one that nobody can see (it counts readers) leaves no trace."""
        self.left_out.add("pictures")
        given = node.attributes
        if any(_TINY.fullmatch((given.get(side) or "").strip()) for side in ("width", "height")):
            return
        words = " ".join((given.get("alt") or "").split())[:_TARGET_LENGTH]
        self.pieces.append(f'<span class="picture">[{_text(words) or "…"}]</span>')

    def target(self, node: LexborNode) -> str:
        """Return where a link would lead, to be read and not followed."""
        where = (node.attributes.get("href") or "").strip()
        if not where:
            return ""
        self.left_out.add("links")
        if not _SHOWN_TARGET.fullmatch(where):
            return ""
        text = " ".join((node.text(deep=True) or "").split())
        if text.rstrip("/") in (where.rstrip("/"), where.partition(":")[2].strip("/")):
            return ""
        shown = where if len(where) <= _TARGET_LENGTH else where[:_TARGET_LENGTH] + "…"
        return f' <span class="target">‹{_text(shown)}›</span>'


def _text(text: str) -> str:
    """Return words as they may stand in a page: escaped, without characters that turn the line around."""
    return html.escape(_TURNING.sub("", clean_text(text)), quote=False)


def _plain_style(style: str) -> str:
    """Return those declarations of a style attribute that are known and plain."""
    found: dict[str, str] = {}
    for one in style[:4_000].split(";")[:_MOST_DECLARATIONS]:
        name, _, value = one.partition(":")
        name = name.strip().lower()
        value = value.strip().removesuffix("!important").strip().replace('"', "'")
        known = _PROPERTIES.get(name)
        if known and known.fullmatch(value) and value.count("'") % 2 == 0:
            found[name] = value
    return ";".join(f"{name}:{value}" for name, value in found.items())
