"""The Dashboard for the server: an ASGI application that is imported and created when the first request arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tollkey.dashboard.address import Address
from tollkey.dashboard.product import Product
from tollkey.db.edge import Edge
from tollkey.keys.authority import Authority

if TYPE_CHECKING:
    from tollkey.dashboard.app import App


class Dashboard:
    """An ASGI application that loads pages, templates and libraries at the first request.

    product: what it is for. now: returns UTC epoch seconds.
    trust_proxy: take the client's IP address and TLS from a proxy's headers.
    passwords: a ``Passwords`` with other costs, for tests; None for the usual ones.
    base_url: the configured public URL, "" for none. listens: the host that the server listens on.
    require_https: refuse plain HTTP.
    """

    def __init__(
        self, product: Product, edge: Edge, authority: Authority, now: Callable[[], float], *,
        trust_proxy: bool = False, passwords: Any = None,
        base_url: str = "", listens: str = "", require_https: bool = False,
    ) -> None:  # fmt: skip
        address = Address(base_url, listens, product.base_url)
        self._arguments = (product, edge, authority, now, passwords, trust_proxy, address, require_https)
        self._app: App | None = None
        self._loading: asyncio.Future[App] | None = None

    @property
    def app(self) -> App:
        """The application, created on first access."""
        if self._app is None:
            self._app = _create_app(*self._arguments)
        return self._app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:  # loading takes half a second: in a thread, so that other requests are not held up
            self._loading = self._loading or asyncio.ensure_future(asyncio.to_thread(lambda: self.app))
            try:
                await asyncio.shield(self._loading)
            finally:
                if self._loading is not None and self._loading.done():
                    self._loading = None
        await self.app(scope, receive, send)


def _create_app(
    product: Product, edge: Edge, authority: Authority, now: Callable[[], float], checker: Any, trust_proxy: bool,
    address: Address,
    require_https: bool,
) -> App:  # fmt: skip
    from tollkey.dashboard import app, passwords

    return app.App(product, edge, authority, now, checker or passwords.Passwords(), trust_proxy, address, require_https)
