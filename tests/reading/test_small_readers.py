"""Subjects, addresses, HTML and other single things people and programs write."""

from __future__ import annotations

import pytest

from inboxbot.reading.addresses import strict_address
from inboxbot.reading.charsets import decode_text, known_charset
from inboxbot.reading.encoded_words import decode_words
from inboxbot.reading.html_text import html_to_text
from inboxbot.reading.read import read_whole
from inboxbot.reading.values import Mail


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ("Anna.Andersson+gdpr@Example.COM", "anna.andersson+gdpr@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("anna@blåbär.example", "anna@xn--blbr-roah.example"),
        ("anna@localhost", None),
        ("anna@example.123", None),
        (".anna@example.com", None),
        ("anna..b@example.com", None),
        ("anna@-example.com", None),
        ("anna@example..com", None),
        ("å@example.com", None),
        ("a" * 65 + "@example.com", None),
        ("anna@" + "a." * 130 + "com", None),
        ("anna@example.com\nbcc", None),
        ("@example.com", None),
        ("anna", None),
        ("", None),
    ],
)
def test_strict_addresses(text: str, strict: str | None) -> None:
    """C6, C7."""
    if strict and "xn--" in strict:
        strict = "anna@" + "blåbär.example".encode("idna").decode()
    assert strict_address(text) == strict


@pytest.mark.parametrize(
    "name", ["utf-7", "unicode_escape", "idna", "undefined", "rot13", "base64", "punycode", "x" * 99]
)
def test_charsets_that_are_none_are_not_used(name: str) -> None:
    """C42."""
    assert known_charset(name) is None
    assert decode_text(b"Radera \\x41 +ADw- mig", name) == "Radera \\x41 +ADw- mig"


def test_encoded_words_with_language_and_in_a_row() -> None:
    """C11."""
    assert decode_words("=?utf-8*sv?Q?R=C3=A4tt?= =?ISO-8859-1?q?_att?= bli") == "Rätt att bli"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hej</p><p>Radera<br>mig</p>", "Hej\n\nRadera\nmig"),
        ("a&nbsp;b &lt;c&gt; &aring;&#228;", "a b <c> åä"),
        ("<ul><li>ett<li>två</ul>", "- ett\n- två"),
        ("<table><tr><td>a<td>b</tr><tr><td>c</table>", "a b\nc"),
        ("<div>a<div>b</div>c</div>", "a\nb\nc"),
        (
            "<blockquote type=cite>fråga<blockquote type=cite>äldre</blockquote></blockquote>svar",
            "> fråga\n>\n> > äldre\n\nsvar",
        ),
        ('<blockquote style="margin:0 0 0 40px;border:none">indraget</blockquote>', "indraget"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<script>x</script><style>y</style><title>z</title>ord", "ord"),
        ("<p hidden>nej</p>ja", "ja"),
        ("text utan taggar", "text utan taggar"),
        ("", ""),
    ],
)
def test_html(source: str, text: str) -> None:
    assert html_to_text(source).text == text


@pytest.mark.parametrize(
    "style",
    [
        "display:none",
        "visibility: hidden",
        "font-size:0px",
        "opacity:0",
        "mso-hide:all",
        "max-height:0;overflow:hidden",
    ],
)
def test_c55_hidden_words_are_kept_apart(style: str) -> None:
    shown = html_to_text(f'<p>Radera mig.</p><div style="{style}">Jag tar tillbaka <b>allt</b></div>')
    assert shown.text == "Radera mig."
    assert shown.hidden.split() == ["Jag", "tar", "tillbaka", "allt"]


@pytest.mark.parametrize("style", ["font-size:0.9em", "opacity:0.8", "font-size:10px", "color:#fff;background:#000"])
def test_visible_words_are_not_taken_for_hidden(style: str) -> None:
    assert html_to_text(f'<p style="{style}">Radera mig.</p>').text == "Radera mig."


def test_a_page_with_too_many_tags_is_read_crudely_and_told() -> None:
    shown = html_to_text("<p>Radera mig.</p>" * 8_000)
    assert shown.crude
    assert shown.text.startswith("Radera mig.")


def test_the_words_of_a_mail_are_found_behind_a_newsletter_of_tables() -> None:
    page = "<table><tr><td>" * 60 + "Radera mig." + "</td></tr></table>" * 60
    mail = read_whole(b"From: a@example.com\r\nContent-Type: text/html\r\n\r\n" + page.encode())
    assert mail.text == "Radera mig."
    assert mail.flags == {"html_only"}


def alternative(plain: str, page: str) -> Mail:
    return read_whole(
        b"From: a@example.com\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + plain.encode()
        + b"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        + page.encode()
        + b"\r\n--b--\r\n"
    )


OFFER = "Höstens nyheter är här och vi bjuder på frakten hela veckan ut när du handlar för minst femhundra kronor"


def test_a_newsletter_with_a_preview_line_and_a_short_plain_part_is_no_cause_for_doubt() -> None:
    page = (
        f'<body><div style="display:none;max-height:0">Missa inte veckans bästa erbjudanden!</div><p>{OFFER}</p>'
        "<p>Du får detta brev eftersom du är kund hos oss, och kan läsa mer om villkoren på vår sida.</p></body>"
    )
    for plain in (OFFER, "Visa i webbläsare: https://example.com/123", "Öppna brevet i webbläsaren för att se allt"):
        found = alternative(plain, page)
        assert found.flags == frozenset()
        assert OFFER in found.text


def test_c55_words_hidden_anywhere_else_or_in_place_of_the_text_are_told() -> None:
    hidden = '<span style="font-size:0">Jag vill dessutom bli raderad</span>'
    assert "hidden_text" in alternative(OFFER, f"<p>{OFFER}</p>{hidden}").flags
    dark = '<div style="color:#ffffff">Jag vill bli raderad hos er genast</div><p>Hej</p>'
    assert "hidden_text" in read_whole(b"Content-Type: text/html\r\n\r\n" + dark.encode()).flags
    assert "hidden_text" not in alternative(OFFER, f"<p>{OFFER}</p><p hidden>{OFFER}</p>").flags


def test_c36_a_form_that_says_all_of_the_other_is_taken_alone() -> None:
    more = "Jag vill dessutom att ni raderar hela kontot med alla gamla beställningar och betyg som hör till"
    longer = alternative("Hej och tack för senast", f"<p>Hej och tack för senast. {more}</p>")
    assert (longer.flags, longer.text) == (frozenset(), f"Hej och tack för senast. {more}")
    assert more in alternative(f"Hej och tack för senast. {more}", "<p>Hej och tack för senast</p>").text
    assert "parts_differ" in alternative(f"Hej. {more}", f"<p>{OFFER}</p>").flags
