"""Keys in front of any ASGI application (ASGI 3.0)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

from tollkey.keys.gate import Gate, Refusal, judge
from tollkey.keys.header import read_authorization
from tollkey.keys.key import Denied, Key, Reason

AsgiScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[AsgiScope, Receive, Send], Awaitable[None]]


class KeyGate(Gate[App, AsgiScope]):
    """Lets a request through when its key may do it; the application finds the key in ``scope["tollkey.key"]``.

    The arguments are those of ``Gate``, with the ASGI scope as what is asked.
    """

    @staticmethod
    def client_of(asked: AsgiScope) -> str | None:
        """The address of the other end of the connection."""
        client = asked.get("client")
        return client[0] if client else None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or self._open_to(scope):
            await self._app(scope, receive, send)
            return
        answer = judge(await self._verify(scope), self._permission_for(scope))
        if isinstance(answer, Key):
            await self._app({**scope, "tollkey.key": answer}, receive, send)
        elif scope["type"] == "http":
            await _answer(self._on_denied(answer), send)
        else:
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": 1008, "reason": ""})

    async def _verify(self, scope: AsgiScope) -> Key | Denied:
        values = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(values) > 1:
            return Denied(Reason.unusable_header)
        presented = read_authorization(values[0].decode("latin-1") if values else None)
        if isinstance(presented, Denied):
            return presented
        ip = self._client_ip(scope)
        endpoint = f"{scope.get('method', 'WEBSOCKET')} {scope['path']}"
        answer = self._keys.verify_cached(presented.text, ip, endpoint)
        if answer is None:  # it may wait for the disk or the network: not on the event loop
            ask = partial(self._keys.verify, presented.text, ip=ip, endpoint=endpoint)
            answer = await asyncio.get_running_loop().run_in_executor(None, ask)
        return answer


async def _answer(refusal: Refusal, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
