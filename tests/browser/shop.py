"""A shop with something of everything that has a page: made through the API of a running server."""

from __future__ import annotations

from typing import Any

import httpx

from tests.browser.conftest import Running
from tests.support.api import form

_BILLING = {"name": "Jenny Rosen", "email": "jenny@example.com"}


class Shop:
    """The API with a test key. addresses: of every page for people without an account that an answer named.

    shown: paths of pages of the Dashboard that are worth a look.
    """

    def __init__(self, server: Running) -> None:
        self._client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"}, timeout=30)
        self._url = server.url.replace("localhost", "127.0.0.1")
        self.addresses: list[str] = []
        self.shown: list[str] = []

    def __enter__(self) -> Shop:
        return self

    def __exit__(self, *problem: object) -> None:
        self._client.close()

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        return self._said(self._client.post(path, data=dict(form(params))))

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        return self._said(self._client.get(path, params=form(params)))

    def _said(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        self._remember(said)
        return said

    def _remember(self, value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                self._remember(inner)
        elif isinstance(value, list):
            for inner in value:
                self._remember(inner)
        elif isinstance(value, str) and value.startswith(self._url) and value not in self.addresses:
            self.addresses.append(value)
