"""A mail's HTML as it may be shown: nothing in it runs, loads, links or sends, whatever it was (E40-E42)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inboxbot.reading.html_shown import ShownPage, show_page
from inboxbot.reading.read import raw_of, read_whole
from inboxbot.reading.values import UnreadableError

HEAD = b"From: a@example.org\r\nMIME-Version: 1.0\r\n"
SAFE = re.compile(r"<(?:/?[a-z][a-z0-9]*(?: (?:class=\"(?:s\d+|link|target|picture)\"|[a-z]+=\"[#\w%]{1,20}\"))*)>")


def shown(source: str, charset: str = "utf-8") -> ShownPage:
    body = f"Content-Type: text/html; charset={charset}\r\n\r\n".encode() + source.encode(charset)
    found = show_page(raw_of(HEAD + body))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("<p>Hej <b>du</b></p>", "<div><p>Hej <b>du</b></p></div>"),
        ("a<script>alert(1)</script>b<style>*{}</style>c", "<div>abc</div>"),
        ("<p onclick=x id=y class=z>a</p>", "<div><p>a</p></div>"),
        ("<a href='https://x.example/1'>bank</a>",
         '<div><span class="link">bank</span> <span class="target">‹https://x.example/1›</span></div>'),
        ("<a href='https://x.example/'>https://x.example</a>", '<div><span class="link">https://x.example</span></div>'),
        ("<a href='mailto:a@example.org'>a@example.org</a>", '<div><span class="link">a@example.org</span></div>'),
        ("<a href='javascript:x'>y</a>", '<div><span class="link">y</span></div>'),
        ("<img src=https://x.example/p.gif width=1>", "<div></div>"),
        ("<img src=cid:1 alt='Vår <logga>'>", '<div><span class="picture">[Vår &lt;logga&gt;]</span></div>'),
        ("<form action=//x><input value=1>ord<button>Skicka</button></form>", "<div><div>ord</div></div>"),
        ("<iframe src=//x>a</iframe><object data=//x>b</object><embed src=//x>", "<div></div>"),
        ("<svg onload=x><circle/></svg><math><mi>x</mi></math>", "<div></div>"),
        ("<table background=//x bgcolor=red width='100%'><tr><td colspan=2>1</table>",
         '<div><table bgcolor="red" width="100%"><tbody><tr><td colspan="2">1</td></tr></tbody></table></div>'),
        ("<p style='background:url(//x)'>a</p>", "<div><p>a</p></div>"),
        ("1 &lt;b&gt; 2 &amp;lt;", "<div>1 &lt;b&gt; 2 &amp;lt;</div>"),
        ("\u202eba\u2066", "<div>ba</div>"),
        ("<custom-tag>a<o:p>b</o:p></custom-tag>", "<div>ab</div>"),
    ],
)  # fmt: skip
def test_what_is_left_of_it(source: str, body: str) -> None:
    assert shown(source).body == body


def test_plain_styles_move_into_one_sheet() -> None:
    page = shown(
        "<p style='COLOR: #fff; background:#036;position:fixed;z-index:9'>a</p><p style='color: #fff;background:#036'>b"
        "<i style='font-family:\"Ari al\", serif; width:expression(alert(1)); font-size:12pt !important'>c"
        "<u style='color:red}body{display:none'>d"
    )
    assert page.style == ".s0{color:#fff;background:#036}.s1{font-family:'Ari al', serif;font-size:12pt}"
    assert page.body == '<div><p class="s0">a</p><p class="s0">b<i class="s1">c<u>d</u></i></p></div>'


def test_what_was_left_out_is_told() -> None:
    assert shown("<p>Hej").left_out == frozenset()
    assert shown("<img src=x><a href=https://x.example>y").left_out == {"pictures", "links"}
    assert "cut" in shown("<p>" + "ord " * 300_000).left_out


def test_a_mail_without_html_has_no_page() -> None:
    message = HEAD + b"Content-Type: text/plain\r\n\r\n<b>ord</b>"
    assert show_page(raw_of(message)) is None
    assert read_whole(message).has_page is False


def test_only_the_mail_itself_is_shown_not_what_is_attached() -> None:
    message = HEAD + (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        b"--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n"
        b"--y\r\nContent-Type: text/plain\r\n\r\ntext\r\n"
        b"--y\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+SGVqPC9wPg==\r\n--y--\r\n"
        b"--x\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<p>fil</p>\r\n"
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\n<p>inre</p>\r\n--x--\r\n"
    )
    page = show_page(raw_of(message))
    assert page is not None
    assert page.body == "<div><p>Hej</p></div>"
    assert read_whole(message).has_page is True


def test_a_charset_trick_is_no_markup() -> None:
    page = shown("+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "us-ascii")
    assert "<script" not in page.body


@pytest.mark.parametrize(
    "source",
    ["<div>" * 400 + "x", "<" * 60_000, "<b>" * 16_000, "<p " + "a=b " * 5_000 + ">"],
    ids=["deep", "angles", "tags", "attributes"],
)
def test_what_could_stall_a_parser_is_refused(source: str) -> None:
    with pytest.raises(UnreadableError, match="html_too_complex"):
        shown(source)


WORDS = """
<p> </p> <a <svg> <math> <style> </style> <script> <img <table> <tr> <td> <noscript> <title> <textarea> <!-- --> <xmp>
<![CDATA[ ]]> <mglyph> <annotation-xml <template> <select> <plaintext> href=javascript:x onerror=x style='x' src=//x > '
" = &lt; &#60; \x00 ord
"""
PIECES = st.sampled_from([*WORDS.split(), " "])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_it_was_only_known_tags_and_values_come_out(source: str) -> None:
    page = shown(source)
    rest = SAFE.sub("", page.body)
    assert "<" not in rest
    assert ">" not in rest.replace("&gt;", "")
    assert not set("<>@\\") & set(page.style)
    assert "url" not in page.style
