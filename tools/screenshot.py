"""Make the picture of README.md: the Dashboard's API keys page of a new server, in a headless browser.

    python tools/screenshot.py

It needs the development environment (`python3 dev.py test` makes it) and chromium or Chrome on the PATH.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "screenshots" / "api-keys.png"
KEYS = {
    "Dispute monitor": ("dispute_read", "charge_read"),
    "Nightly export": ("balance_read", "customer_read"),
}


def tollkey(*command: str) -> str:
    """What a command prints."""
    done = subprocess.run([sys.executable, "-m", "tollkey", *command], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def fill(data: str) -> None:
    """Create restricted keys, and roll one with a day of grace."""
    for name, permissions in KEYS.items():
        grants = [part for permission in permissions for part in ("--permission", permission)]
        made = json.loads(tollkey("keys", "create", "--name", name, *grants, "--json", "--data", data))
    tollkey("keys", "roll", made["id"], "--expires", "in_24_hours", "--json", "--data", data)


def take(browser: Browser, link: str) -> None:
    """Become the owner, open the page, save what is on the screen."""
    page = browser.new_page(viewport={"width": 1120, "height": 800})
    page.goto(link)
    page.get_by_label("Your name").fill("Olive Owner")
    page.get_by_label("Email").fill("olive@example.com")
    page.get_by_label("Password").fill("correct horse battery staple 9")
    page.locator("form button").first.click()
    page.get_by_role("navigation", name="Dashboard").get_by_role("link", name="API keys", exact=True).click()
    page.wait_for_load_state()
    page.screenshot(path=PICTURE, animations="disabled")


def main() -> None:
    """Start a server on a folder of its own, make the picture, stop it."""
    chromium = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", data]
        serving = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert serving.stdout is not None
            url = json.loads(serving.stdout.readline())["url"].replace("127.0.0.1", "localhost")
            fill(data)
            asked = tollkey("accounts", "owner-link", "--json", "--base-url", url, "--data", data)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                take(browser, json.loads(asked)["owner_link"])
                browser.close()
        finally:
            serving.terminate()
            serving.wait(timeout=20)


if __name__ == "__main__":
    main()
