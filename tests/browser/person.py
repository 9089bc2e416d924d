"""Somebody at a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE

PASSWORD = "correct horse battery staple 9"


class Person:
    """Somebody at a browser of their own. Whatever its console complains of fails the test."""

    def __init__(self, browser: Browser, screenshots: Path, **context: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1120, "height": 720}, **context)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.wrong: list[str] = []
        self.shown: list[str] = []
        self._screenshots = screenshots

    def keep(self, name: str) -> None:
        self.page.screenshot(path=self._screenshots / f"{name}.png", animations="disabled")

    def look(self, name: str) -> None:
        """Note what axe finds wrong with the page that is open."""
        self.wrong += [f"{name}: {one}" for one in violations(self.page)]

    def join(self, link: str, name: str, email: str | None = None) -> None:
        self.page.goto(link)
        self.page.get_by_label("Your name").fill(name)
        if email is not None:
            self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.locator("form button").first.click()
        self.page.wait_for_load_state()

    def row(self, text: str) -> Any:
        return self.page.locator("tr", has_text=text)

    def open(self, link: str) -> None:
        self.page.get_by_role("navigation", name="Dashboard").get_by_role("link", name=link, exact=True).click()
