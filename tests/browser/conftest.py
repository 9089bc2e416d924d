"""A real browser on a real server: Debian's chromium (or Chrome) driven by Playwright."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import chromium_path

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "docs" / "screenshots"
PATIENCE = 60_000  # milliseconds that a page may take; Playwright's own 5 seconds are too few on a busy machine
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass
class Running:
    """A server of its own. url: under the name localhost, as passkeys need a name.

    owner_link: makes the owner. key: the secret test key; publishable_key: the other one. data: its folder.
    """

    url: str
    account: str
    owner_link: str
    key: str
    publishable_key: str
    data: str


def _tollkey(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-m", "tollkey", *arguments], stdout=subprocess.PIPE, env=environment, text=True
    )


def tollkey_says(server: Running, *command: str) -> Any:
    """What a command that is given beside the running server prints."""
    asking = _tollkey(*command, "--json", "--base-url", server.url, "--data", server.data)
    return json.loads(asking.communicate(timeout=120)[0])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server for one test."""
    with _running(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for all tests of a file, with what they put into it."""
    with _running(tmp_path_factory.mktemp("shared")) as running:
        yield running


@contextmanager
def _running(folder: Path) -> Iterator[Running]:
    data = str(folder / "data")
    serving = _tollkey("serve", "--port", "0", "--json", "--data", data)
    assert serving.stdout is not None
    try:
        facts = json.loads(serving.stdout.readline())
        url = facts["url"].replace("127.0.0.1", "localhost")
        asking = _tollkey("accounts", "owner-link", "--json", "--base-url", url, "--data", data)
        link = json.loads(asking.communicate(timeout=120)[0])["owner_link"]
        yield Running(url, facts["account"], link, facts["secret_key"], facts["publishable_key"], data)
    finally:
        serving.terminate()
        serving.communicate(timeout=120)


@pytest.fixture(scope="module")  # its event loop must not outlive the file: asyncio allows no other beside it
def chromium() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    found = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where screenshots go: to the docs only when TOLLKEY_SCREENSHOTS is set, so that a test run changes nothing."""
    folder = SCREENSHOTS if os.environ.get("TOLLKEY_SCREENSHOTS") else tmp_path / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
