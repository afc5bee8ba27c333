"""A real browser for tests: Chromium of the distribution, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.servers.fixtures import missing
from tests.web.house import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str:
    """Return the program, or skip (fail, when it is required)."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing("chromium")
    return str(found)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    program = find_chromium()
    with sync_playwright() as playwright:
        # Containers of the test run have no user namespaces, so that the sandbox cannot start there.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One person's browser; it writes down everything that asks beyond the desk, and every fault of a script."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.outside: list[str] = []
        self.faults: list[str] = []
        context.set_default_timeout(15_000)
        context.on("request", self._asked)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        context.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        self.page: Page = context.new_page()

    def _asked(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.address + "/", "data:")):
            self.outside.append(url)

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(self.address + "/signin")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", password)
        self.page.click("button.primary")
        self.page.wait_for_selector("h1.hidden", state="attached")

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def shoot(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")
