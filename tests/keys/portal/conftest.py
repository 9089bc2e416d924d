"""A portal in front of keys with permissions of a host's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.conftest import Clock
from tollkey.keys import KeyService, Permission
from tollkey.keys.portal import Portal
from tollkey.keys.portal.sessions import Rights, rights_of

BASE = "https://keys.example/portal"
APP = "https://app.example"
PERMISSIONS = (Permission("report", "Reports"), Permission("user", "Users"))


@dataclass
class World:
    """A portal, and browsers to visit it with."""

    keys: KeyService
    portal: Portal
    app: Starlette

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url="https://keys.example", follow_redirects=False)

    def signed_in(self, **about: Any) -> Page:
        """A browser that has opened the link of a new session."""
        about.setdefault("permissions", ["report_read"])
        session = self.portal.create_session(account="alice", **about)
        assert session.url is not None
        browser = self.browser()
        assert browser.post(session.url).status_code == 303
        return Page(browser)

    def rights(self) -> Rights:
        """What a session for the keys of alice may do, without a browser."""
        token = self.portal.create_session(account="alice", permissions=["report_read"], ui_mode="component").token
        assert token is not None
        work = partial(rights_of, authority=self.keys.authority, token=token, ui_mode="component")
        rights = self.keys.database.read(partial(work, now=int(self.portal.clock())))
        assert rights is not None
        return rights

    def component(self, **about: Any) -> Component:
        about.setdefault("permissions", ["report_read"])
        session = self.portal.create_session(account="alice", ui_mode="component", **about)
        assert session.token is not None
        return Component(self.browser(), session.token)


@dataclass
class Page:
    """The hosted page: signed in by its cookie, its changes proved by what stands in the page."""

    browser: TestClient

    def get(self, path: str) -> Any:
        return self.browser.get(f"/portal/api/{path}")

    def post(self, path: str, headers: dict[str, str] | None = None, **sent: Any) -> Any:
        proof = self.browser.get("/portal").text.partition('csrf="')[2].partition('"')[0]
        return self.browser.post(f"/portal/api/{path}", json=sent, headers={"x-csrf-token": proof, **(headers or {})})


@dataclass
class Component:
    """The web component in a page of another origin: signed in by its token."""

    browser: TestClient
    token: str

    def get(self, path: str, origin: str = APP) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "origin": origin, "sec-fetch-site": "cross-site"}
        return self.browser.get(f"/portal/api/{path}", headers=headers)

    def post(self, path: str, origin: str = APP, **sent: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}", "origin": origin, "sec-fetch-site": "cross-site"}
        return self.browser.post(f"/portal/api/{path}", json=sent, headers=headers)


@contextmanager
def opened(database: str, folder: Path, clock: Clock) -> Iterator[World]:
    """A portal on this database. folder: for the keyring."""
    keyring = str(folder / "keyring")
    with KeyService.open(database, PERMISSIONS, keyring=keyring, clock=clock, flush_seconds=0) as keys:
        portal = Portal(keys, base_url=BASE, origins=[APP], clock=clock)
        yield World(keys, portal, Starlette(routes=portal.routes()))


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """Where storage makes no difference."""
    with opened(str(tmp_path / "keys.db"), tmp_path, clock) as made:
        yield made


@pytest.fixture
def stored_world(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    """On a database of each kind."""
    with opened(database_url, tmp_path, clock) as made:
        yield made
