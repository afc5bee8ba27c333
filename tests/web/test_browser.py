"""The desk in Chromium, with JavaScript and without: the stories of a working day."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from tests.servers.installation import Office
from tests.servers.scripted_smtp import Script
from tests.servers.writing import letter
from tests.web.browsers import Window, running_chromium
from tests.web.house import Remembered, add_person, with_files

from inboxbot.cases.values import CaseState, DraftState
from inboxbot.config.model import WebSettings
from inboxbot.sorting.kinds import Kind
from inboxbot.store.people import Role
from inboxbot.web.serve import served

PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
UNFOLD = "for (const one of document.querySelectorAll('details')) one.open = true"
Open = Callable[..., Window]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """The desk of the office on a free port; an approved letter can be called back for one second."""
    with served(
        office.desk, now=office.clock, settings=WebSettings(port=0, hold_s=1), originals=Remembered(HOSTILE, OFFER)
    ) as one:
        yield one


@pytest.fixture
def window(chromium: Browser, address: str) -> Iterator[Open]:
    """Open a browser of one's own; at the end nothing may have asked beyond the desk and no script have failed."""
    opened: list[Window] = []

    def open_one(**options: Any) -> Window:
        values = {"locale": "sv-SE", "viewport": {"width": 1280, "height": 900}, **options}
        opened.append(Window(chromium.new_context(**values), address))
        return opened[-1]

    yield open_one
    for one in opened:
        one.context.close()
        assert one.outside == []
        assert one.faults == []


HOSTILE = with_files(
    ('filename="kvitto.pdf"', "application/pdf", b"%PDF-1.4 inget"),
    html="<p style='color:red'>Hej!<script>top.hit=1</script><img src=x onerror='top.hit=1'>"
    "<img src='https://evil.example/pixel.gif'><style>@import '//evil.example/x.css'</style>"
    "<form action='https://evil.example'><button>Skicka</button></form><a href='https://evil.example/in'>Logga in</a>"
    "<meta http-equiv=refresh content='0;url=https://evil.example'><iframe src='https://evil.example'></iframe>"
    "<svg onload='top.hit=1'></svg><p style='background:url(https://evil.example/b.png)'>Jag vill ha ett "
    "<b>registerutdrag</b> enligt artikel 15.</p>",
)
CELL = "style='padding:6px 14px;border-bottom:1px solid #ccd'"
OFFER = with_files(
    ('filename="kontoutdrag 2026.pdf"', "application/pdf", b"%PDF-1.4 inget" * 4000),
    ('filename="skärmbild.png"', "image/png", b"bild" * 90_000),
    html="<div style='font-family:Georgia,serif;color:#223'><p>Hej,</p><p>jag vill ha ett <b style='color:#a00'>"
    "registerutdrag</b> enligt artikel 15. Det gäller särskilt:</p><table style='border-collapse:collapse'>"
    f"<tr style='background:#e8eef8'><th {CELL}>Vad</th><th {CELL}>Sedan</th></tr>"
    f"<tr><td {CELL}>mina beställningar</td><td {CELL}>2023</td></tr>"
    f"<tr><td {CELL}>samtal med kundtjänst</td><td {CELL}>2025</td></tr></table>"
    "<p>Mer om mig finns på <a href='https://anna.example.org/om'>min sida</a>.</p>"
    "<p>Vänliga hälsningar<br>Anna Berg</p><img src=cid:1 alt='Logotyp'></div>",
)
scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])


@scripts
def test_a_held_mail_is_triaged_edited_approved_and_sent(
    office: Office, window: Open, smtp: Script, scripts: bool
) -> None:
    eva = window(java_script_enabled=scripts)
    eva.sign_in("Eva Ek")
    page = eva.page
    page.click("text=Ida Ros")
    page.click("text=Det stämmer")
    expect(page.locator(".notice")).to_contain_text("Bekräftat")
    assert office.case("EX-2026-0003").state is CaseState.OPEN
    page.click("text=Ändra brevet")
    words = page.locator("textarea[name=body]")
    words.fill(words.input_value().replace("Hej Ida", "Goddag Ida"))
    page.click("text=Spara ändringen")
    expect(page.locator(".words").first).to_contain_text("Goddag Ida")
    page.click("text=Godkänn och skicka")
    expect(page.locator(".letter").first).to_contain_text("godkänt")
    office.clock.advance(seconds=2)
    assert office.send().sent == 1
    assert b"Goddag Ida" in smtp.taken[0]
    assert b"Eva Ek" in smtp.taken[0]
    if scripts:  # the page sees by itself that the letter left
        expect(page.locator(".leaving")).to_contain_text("skickat")
    page.reload()
    expect(page.locator("text=Tidigare brev (1)")).to_be_visible()


@scripts
def test_a_case_is_relabelled_and_gets_the_right_letter(office: Office, window: Open, scripts: bool) -> None:
    eva = window(java_script_enabled=scripts)
    eva.sign_in("Eva Ek")
    page = eva.page
    page.click("text=Bo Alm")
    page.click("#relabel summary")
    page.uncheck("#relabel [value=other]")
    page.check("#relabel [value=erasure]")
    page.click("text=Spara och skriv nytt brev")
    expect(page.locator(".case-head .kind-erasure")).to_be_visible()
    asked = {one.kind for one in office.case("EX-2026-0002").requests if one.outcome is None}
    assert asked == {Kind.ERASURE}


@scripts
def test_an_access_request_is_completed(
    office: Office, window: Open, smtp: Script, scripts: bool, tmp_path: Path
) -> None:
    eva = window(java_script_enabled=scripts)
    eva.sign_in("Eva Ek")
    page = eva.page
    page.click("text=Anna Berg")
    page.click("text=Godkänn och skicka")
    office.clock.advance(seconds=2)
    office.send()
    page.reload()
    page.click("text=Anteckna vad du har kontrollerat")
    page.fill("[name=address_on_file]", "anna.berg@example.org")
    page.fill("[name=found_in]", "Webbutiken")
    page.check("[name=fact][value=facts_confirmed]")
    page.click("#identity button")
    expect(page.locator("#identity")).to_contain_text("Nivå 3")
    for number in (0, 1):
        page.select_option(f"[name=answer_{number}]", "found")
        page.fill(f"[name=detail_{number}]", "konto och två beställningar")
    page.click("text=Spara checklistan")
    expect(page.locator("#request-access")).to_contain_text("2 av 2 klara")
    page.click("text=Anteckna beslutet")
    expect(page.locator(".letter").first).to_contain_text("är inte bifogad")
    page.click("text=Lägg till filer")
    copy = tmp_path / "utdrag.csv"
    copy.write_text("namn;Anna Berg\n", encoding="utf-8")
    page.set_input_files("[name=file]", copy)
    page.click("form[action$='/files'] button")
    expect(page.locator(".envelope").first).to_contain_text("utdrag.csv")
    page.click("text=Ändra brevet")
    words = page.locator("textarea[name=body]").first
    known = words.input_value()
    words.fill(re.sub(r"\[\[(?!name|date|files|attachment)[a-z_]+\]\]", "Inget lämnas utanför EES.", known))
    page.click("text=Spara ändringen")
    page.click("text=Godkänn och skicka")
    expect(page.locator(".letter").first).to_contain_text("godkänt")
    office.clock.advance(seconds=2)
    office.send()
    assert len(smtp.taken) == 2
    assert b"utdrag.csv" in smtp.taken[1]


@scripts
def test_two_people_approve_and_one_letter_goes(office: Office, window: Open, smtp: Script, scripts: bool) -> None:
    """F100."""
    both = [window(java_script_enabled=scripts) for _ in range(2)]
    for one, name in zip(both, ("Eva Ek", "Ada Admin"), strict=True):
        one.sign_in(name)
        one.go("/cases/EX-2026-0001")
    for one in both:
        one.page.click("text=Godkänn och skicka")
    expect(both[1].page.locator(".notice")).to_contain_text("redan godkänt")
    office.clock.advance(seconds=2)
    office.send()
    assert len(smtp.taken) == 1


@scripts
def test_staff_of_one_company_do_not_see_the_other(window: Open, scripts: bool) -> None:
    otto = window(java_script_enabled=scripts)
    otto.sign_in("Otto Annan")
    expect(otto.page.locator("main")).to_contain_text("Allt är gjort")
    answer = otto.page.goto(otto.address + "/cases/EX-2026-0001")
    assert answer
    assert answer.status == 404
    expect(otto.page.locator("h1")).to_have_text("Här finns inget")
    otto.faults.clear()  # the browser notes every 404


@scripts
def test_several_are_put_aside_at_once_and_taken_back(office: Office, window: Open, scripts: bool) -> None:
    eva = window(java_script_enabled=scripts)
    eva.sign_in("Eva Ek")
    eva.page.check("[value='EX-2026-0003']")
    eva.page.click("button[value=dismiss]")
    expect(eva.page.locator(".notice")).to_contain_text("1 avfärdade")
    assert office.case("EX-2026-0003").state is CaseState.DISMISSED
    eva.page.click("text=Ångra")
    expect(eva.page.locator(".row")).to_have_count(3)


def test_everything_can_be_done_with_the_keyboard(office: Office, window: Open) -> None:
    eva = window()
    eva.sign_in("Eva Ek")
    keys = eva.page.keyboard
    keys.press("j")
    keys.press("j")
    keys.press("k")
    keys.press("x")
    expect(eva.page.locator("[value='EX-2026-0001']")).to_be_checked()
    keys.press("Shift+?")
    expect(eva.page.locator("dialog")).to_be_visible()
    keys.press("Escape")
    keys.press("j")
    keys.press("k")
    keys.press("Enter")
    expect(eva.page).to_have_url(re.compile("EX-2026-0001"))
    keys.press("e")
    expect(eva.page.locator("textarea[name=body]")).to_be_focused()
    keys.type("a")
    assert office.drafts()[0].state is DraftState.PROPOSED
    eva.page.locator("h1").click()
    keys.press("a")
    expect(eva.page.locator(".letter").first).to_contain_text("godkänt")
    keys.press("u")
    expect(eva.page.locator(".row").first).to_be_visible()
    keys.press("/")
    expect(eva.page.locator("#search")).to_be_focused()


def test_a_new_mail_appears_and_the_countdown_goes_on(office: Office, window: Open) -> None:
    eva = window()
    eva.sign_in("Eva Ek")
    office.receive(letter("Ny fråga", "Har ni öppet i morgon?", sender="Nils Ny <nils@example.org>"))
    eva.page.evaluate("htmx.trigger('#queue', 'refresh')")
    expect(eva.page.locator("text=Nils Ny")).to_be_visible()
    eva.page.evaluate("document.querySelector('[data-countdown]').dateTime = '2020-01-01T00:00:00Z'")
    eva.page.evaluate("document.dispatchEvent(new Event('htmx:afterSwap'))")
    expect(eva.page.locator("[data-countdown]").first).to_contain_text("sent")


def test_a_server_that_does_not_answer_is_told(window: Open) -> None:
    eva = window()
    eva.sign_in("Eva Ek")
    expect(eva.page.locator("#offline")).to_be_hidden()
    eva.context.set_offline(True)
    eva.page.evaluate("htmx.trigger('#queue', 'refresh')")
    expect(eva.page.locator("#offline")).to_be_visible()
    eva.context.set_offline(False)
    eva.page.evaluate("htmx.trigger('#queue', 'refresh')")
    expect(eva.page.locator("#offline")).to_be_hidden()
    eva.faults.clear()  # the browser notes what it could not fetch


def test_nothing_that_others_wrote_runs(office: Office, window: Open) -> None:
    """E40, E41."""
    attacks = (
        "<script>window.hit=1</script>",
        "\"><img src=x onerror='window.hit=1'>",
        "</textarea><svg onload=window.hit=1>",
        "<a href='javascript:window.hit=1'>x</a><style>@import '//evil.example/x.css'</style>",
        "<img src='https://evil.example/pixel.gif'><iframe src='https://evil.example'></iframe>",
    )
    for number, attack in enumerate(attacks):
        name = attack.replace('"', "'")
        office.receive(
            letter(f"{attack} utdrag", f"Registerutdrag tack {attack}", sender=f'"{name}" <x{number}@example.org>'),
            letter("html", attack, sender=f"h{number}@example.org", content_type="text/html; charset=utf-8"),
        )
        add_person(office, attack[:40], Role.STAFF)
    eva = window()
    eva.sign_in("Ada Admin")
    paths = [
        "/",
        "/people",
        "/?q=<script>window.hit=1</script>",
        *(f"/cases/{one.reference}" for one in office.cases()),
    ]
    for path in paths:
        eva.go(path)
        eva.page.evaluate(UNFOLD)
        assert eva.page.evaluate("window.hit") is None, path
    eva.go("/cases/EX-2026-0001")
    eva.page.click(".more summary >> nth=0")
    eva.page.fill(".more [name=words]", "".join(attacks))
    eva.page.click("text=Spara anteckningen")
    expect(eva.page.locator(".mail.note")).to_contain_text("<script>")
    assert eva.page.evaluate("window.hit") is None


@scripts
def test_a_mail_as_it_was_sent_runs_and_loads_nothing(office: Office, window: Open, scripts: bool) -> None:
    office.receive(HOSTILE)
    eva = window(java_script_enabled=scripts)
    eva.sign_in("Eva Ek")
    eva.go("/cases/EX-2026-0004")
    with eva.page.expect_response(re.compile("as-sent/frame$")) as framed:
        eva.page.click("text=Visa mejlet som det skickades")
    assert framed.value.status == 200
    frame = eva.page.frame_locator("iframe")
    expect(frame.locator("body")).to_contain_text("registerutdrag")
    expect(frame.locator("body")).to_contain_text("https://evil.example/in")
    expect(frame.locator("a, form, img, script, iframe, [onload]")).to_have_count(0)
    assert frame.locator("p").first.evaluate("one => getComputedStyle(one).color") == "rgb(255, 0, 0)"
    if scripts:
        assert eva.page.evaluate("window.hit") is None
    eva.page.click("text=← EX-2026-0004")
    for _ in range(2):  # with scripts a form is sent once; a download may be wanted again
        with eva.page.expect_download() as saved:
            eva.page.click("text=Hämta")
        assert saved.value.suggested_filename == "kvitto.pdf"
        assert Path(saved.value.path()).read_bytes() == b"%PDF-1.4 inget"
    assert office.events("EX-2026-0004").count("file_fetched") == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(office: Office, window: Open, scheme: str) -> None:
    with office.desk.store.write() as connection:
        connection.exec_driver_sql("UPDATE drafts SET state = 'failed' WHERE case_id = 2")
    office.installation.sound = False
    office.receive(OFFER)
    # Only colours are others in the dark, and they are the same at every width.
    more, widths = ({}, (1280, 390)) if scheme == "light" else ({"runOnly": ["cat.color"]}, (1280,))
    options = {"resultTypes": ["violations"], **more}
    for width in widths:
        eva = window(color_scheme=scheme, viewport={"width": width, "height": 844})
        eva.go("/signin")
        found = {"/signin": violations(eva, options)}
        eva.sign_in("Ada Admin")
        paths = ["/", "/?q=nothing-at-all", "/people", "/account", "/nothing"]
        paths += [f"/cases/EX-2026-000{number}" for number in (1, 2, 3, 4)]
        for path in [*paths, "/cases/EX-2026-0004/mails/4/as-sent"]:
            eva.go(path)
            eva.page.evaluate(UNFOLD)
            found[path] = violations(eva, options)
            wide = eva.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} is wider than {width} pixels"
        assert {path: each for path, each in found.items() if each} == {}
        eva.faults.clear()  # the browser notes the 404


def violations(window: Window, options: dict[str, Any]) -> list[str]:
    """Return what axe finds, as ``rule: place``; ``options`` are its own."""
    found = Axe().run(window.page, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:120]} {node['any'][:1]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_for_the_documentation(office: Office, window: Open, scheme: str, tmp_path: Path) -> None:
    """With INBOXBOT_TEST_PICTURES=1 those in docs/screenshots are renewed."""
    folder = PICTURES if "INBOXBOT_TEST_PICTURES" in os.environ else tmp_path
    for name, size in (("desk", (1280, 900)), ("phone", (390, 844))):
        if name == "desk":
            office.receive(OFFER)
        eva = window(color_scheme=scheme, viewport={"width": size[0], "height": size[1]})
        eva.sign_in("Eva Ek")
        eva.shoot(folder, f"queue-{name}-{scheme}")
        eva.go("/cases/EX-2026-0001")
        eva.shoot(folder, f"case-{name}-{scheme}")
        eva.go("/cases/EX-2026-0004/mails/4/as-sent")
        expect(eva.page.frame_locator("iframe").locator("body")).to_contain_text("registerutdrag")
        eva.shoot(folder, f"as-sent-{name}-{scheme}")
        assert (folder / f"case-{name}-{scheme}.png").stat().st_size > 10_000
