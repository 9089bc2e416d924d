"""Serves a key service and the Dashboard of its keys at one address, in one process."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from tollkey.keys.http import KeyServer


class WithPages:
    """The key service, and the Dashboard at every other path. pages: the application of the Dashboard."""

    def __init__(self, service: KeyServer, pages: ASGIApp) -> None:
        self._service, self._pages = service, pages
        self.at_once = service.at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        to_service = scope["type"] != "http" or self._service.serves(scope)
        await (self._service if to_service else self._pages)(scope, receive, send)
