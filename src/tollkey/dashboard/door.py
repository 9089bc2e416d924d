"""What the server sees of the Dashboard. Light: pages, templates and their libraries are loaded at the first
request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from tollkey.dashboard import people
from tollkey.dashboard.address import Address
from tollkey.dashboard.people import Invitation
from tollkey.db import Edge, Ids, Tx
from tollkey.keys import Authority, Keyring
from tollkey.wire import Setup

if TYPE_CHECKING:
    from tollkey.dashboard.app import App


class Link(NamedTuple):
    """A new one-time link. url: holds its secret. Earlier links for the same purpose go on until ``shown``: a link that
    nobody got to
    see replaces none."""

    url: str
    made: Invitation

    def shown(self, tx: Tx) -> None:
        """The link was shown: end the earlier ones."""
        people.end_earlier(tx, self.made)


def owner_link(tx: Tx, keyring: Keyring, ids: Ids, base_url: str, account: str, now: int) -> Link | None:
    """A new one-time link that makes the owner of an account; None once it has one."""
    made = people.owner_token(tx, keyring, ids, account, now)
    return None if made is None else Link(f"{base_url.rstrip('/')}/join/{made[1]}", made[0])


def reset_link(
    tx: Tx, keyring: Keyring, ids: Ids, base_url: str, email: str, now: int, *, factors: bool = False
) -> Link | None:
    """A link, good once and for an hour, where that person chooses a new password; None for an unknown address.

    factors: it also takes the authenticator app and the passkeys away, for who has lost them.
    """
    made = people.reset_token(tx, keyring, ids, email, now, factors=factors)
    return None if made is None else Link(f"{base_url.rstrip('/')}/reset/{made[1]}", made[0])


class Dashboard:
    """An ASGI application that is built when the first request comes.

    passwords: how passwords are hashed, for tests that cannot wait; argon2id with the usual costs otherwise.
    base_url: the configured public address, "" for none. listens: the host that the server listens on.
    require_https: nothing is answered over plain HTTP.
    """

    def __init__(
        self, setup: Setup, edge: Edge, authority: Authority, now: Callable[[], float], *, trust_proxy: bool = False,
        passwords: Any = None,
        base_url: str = "", listens: str = "", require_https: bool = False,
    ) -> None:  # fmt: skip
        address = Address(base_url, listens, setup.base_url)
        self._parts = (setup, edge, authority, now, passwords, trust_proxy, address, require_https)
        self._app: App | None = None
        self._loading: asyncio.Future[App] | None = None

    @property
    def app(self) -> App:
        """The application itself."""
        if self._app is None:
            self._app = _app(*self._parts)
        return self._app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:  # half a second, in which other requests go on
            self._loading = self._loading or asyncio.ensure_future(asyncio.to_thread(lambda: self.app))
            try:
                await asyncio.shield(self._loading)
            finally:
                if self._loading is not None and self._loading.done():
                    self._loading = None
        await self.app(scope, receive, send)


def _app(
    setup: Setup, edge: Edge, authority: Authority, now: Callable[[], float], passwords: Any, trust_proxy: bool,
    address: Address,
    require_https: bool,
) -> App:  # fmt: skip
    from tollkey.dashboard.app import App
    from tollkey.dashboard.passwords import Passwords

    return App(setup, edge, authority, now, passwords or Passwords(), trust_proxy, address, require_https)
