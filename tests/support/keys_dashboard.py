"""The Dashboard of a library's keys, in process."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.support.dashboard import PASSWORD, Browser
from tollkey.dashboard import ForKeys, people
from tollkey.dashboard.address import Address
from tollkey.dashboard.app import App
from tollkey.dashboard.for_keys import TEAM
from tollkey.dashboard.passwords import Passwords
from tollkey.dashboard.people import Person
from tollkey.db import Ids, Tx
from tollkey.db.edge import Edge, edge_for
from tollkey.keys import KeyService, Permission
from tollkey.keys.config import Config
from tollkey.keys.keyring import Keyring

T = TypeVar("T")
NOW = 1_800_000_000
PERMISSIONS = (Permission("report", "Reports"), Permission("project", "Projects", parameter=True))


class KeysSite:
    """A Dashboard over the database of a library. now: UTC epoch seconds, set by the test."""

    def __init__(self, keys: KeyService, edge: Edge, runner: asyncio.Runner) -> None:
        self.keys, self.now, self._runner = keys, NOW, runner
        self.product = ForKeys(keys, Ids(), "http://dashboard.test")
        self.product.prepare(self.now)
        self.app = App(
            self.product, edge, keys.authority, lambda: float(self.now), Passwords(1, 8),
            address=Address("http://dashboard.test", "127.0.0.1"),
        )  # fmt: skip
        self._hash = ""

    @property
    def keyring(self) -> Keyring:
        return self.keys.authority.keyring

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def person(self, role: str | None, name: str = "Ada Example") -> Person:
        """A new person, member of the team in that role (None: of nothing)."""
        self._hash = self._hash or self.run(self.app.passwords.hash(PASSWORD))
        email = f"{self.product.ids.text(8).lower()}@example.com"

        def work(tx: Tx) -> Person:
            made = people.add_person(tx, self.product.ids, email=email, name=name, password=self._hash, now=self.now)
            if role is not None:
                people.join(tx, TEAM, made.id, role, self.now)
            return made

        return self.keys.database.write(work)

    def browser(self, role: str | None = None, name: str = "Ada Example") -> Browser:
        """A browser; with a role, signed in as a new person of that role."""
        browser = Browser(self)
        return browser if role is None else browser.sign_in(self.person(role, name).email)


@contextmanager
def keys_site(url: str, keyring: Path, config: Config | None = None) -> Iterator[KeysSite]:
    """Open a Dashboard over a database, within a ``with`` block."""
    declared = config or Config(name="acme", permissions=PERMISSIONS)
    with (
        asyncio.Runner() as runner,
        KeyService.open(url, config=declared, keyring=str(keyring), flush_seconds=0, clock=lambda: float(NOW)) as keys,
    ):
        edge = edge_for(keys.database)
        runner.run(edge.start())
        yield KeysSite(keys, edge, runner)
        keys.close()
        runner.run(edge.stop())
