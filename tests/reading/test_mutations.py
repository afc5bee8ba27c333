"""The odd mails of `tests/mails`, cut, doubled, swapped and mixed: they are read and judged, or refused with a code."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.longer import more
from tests.reading.test_fuzz import PIECES, mail_or_code, sound

from inboxbot.mailbox.workers import shipped_judge
from inboxbot.reading.addresses import parse_addresses, strict_address
from inboxbot.reading.html_text import html_to_text
from inboxbot.reading.read import raw_of, read_headers
from inboxbot.reading.values import Mail

SEEDS = [file.read_bytes() for file in sorted((Path(__file__).parents[1] / "mails").glob("*.eml"))]
JUDGE = shipped_judge()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail of the folder after a few accidents."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 200)))
        piece = data[start:end]
        data = draw(
            st.sampled_from(
                [
                    data[:start] + data[end:],
                    data[:end] + piece * draw(st.integers(1, 40)) + data[end:],
                    data[:start] + piece[::-1] + data[end:],
                    data[:start] + draw(PIECES) + data[end:],
                    data[:start] + draw(st.binary(max_size=20)) + data[start:],
                    data[:start] + draw(st.sampled_from(SEEDS))[start:],
                    data.replace(b"\r\n", draw(st.sampled_from([b"\n", b"\r", b"\r\r\n", b" \r\n"]))),
                ]
            )
        )
    return data[:200_000]


@given(mutated())
@settings(max_examples=more(250), deadline=None)
def test_mutated_mails_are_read_and_judged_or_refused(data: bytes) -> None:
    """C, general rule; E19."""
    sound(read_headers(raw_of(data)))
    mail = mail_or_code(raw_of(data))
    if isinstance(mail, Mail):
        sound(mail)
        verdict = JUDGE(mail)
        assert verdict.kinds
        for span in verdict.evidence:
            span.text.encode("utf-8")


TAGS = st.sampled_from(
    [
        *("<p>", "</p>", "<b>", "</i>", "<table><tr><td>", "</table>", "<!--", "-->", "<style>", "</style>", "<br>"),
        *(
            "<script>alert(1)</script>",
            "<a href='x'>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<",
            "</",
        ),
        *("&lt;", "&#0;", "&#xD800;", "&#1114112;", "<div style='display:none'>", "</div>", "<![CDATA[", "]]>"),
        *("<title>", "<textarea>", "<plaintext>", "<option>", "<template>", "<noscript>", "<math><mi>", "<a", "</"),
    ]
)


@given(st.lists(TAGS | st.text(max_size=20), max_size=80).map("".join))
@settings(max_examples=more(300), deadline=None)
def test_any_html_becomes_storable_words_without_tags_of_scripts(text: str) -> None:
    shown = html_to_text(text).text
    shown.encode("utf-8")
    assert "\x00" not in shown
    # a reader of the mail sees tags as words after &lt; and after <plaintext>, and so do we
    assert "alert(1)</script>" not in shown or "&lt;" in text or "<plaintext>" in text


ADDRESS_PIECES = st.sampled_from(
    [
        *("a@b.se", "<a@b.se>", '"', "\\", "(", ")", ",", ";", ":", "@", ".", "<", ">", "=?utf-8?q?a?=", "åäö", "é.se"),
        *("xn--80ak6aa92e.com", "[1.2.3.4]", "\r\nBcc:", "\0", "\u202e", "\u200b", "g:a@b.se;", "<a@b.se>:<c@d.se>"),
    ]
)


@given(st.lists(ADDRESS_PIECES | st.text(max_size=5), max_size=12).map(" ".join))
@settings(max_examples=more(300), deadline=None)
def test_whatever_counts_as_an_address_can_be_written_to_and_adds_no_line(text: str) -> None:
    for entry in parse_addresses(text) or []:
        if entry.address is None:
            continue
        address = entry.address.address
        assert strict_address(address) == address
        assert not {"\r", "\n", "\0", " ", "<", ">"} & set(address)
