"""The WebSocket of ``stripe listen`` (RFC 6455, as ASGI 3 messages): events go out, the CLI's answers come back.

It reads new events from the database a few times a second, so it hears those of every node and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from tollkey.db import Edge, Scope, Table, Tx
from tollkey.keys import Authority
from tollkey.outbox import sign
from tollkey.platform.stripecli import SOCKET, signing_secret
from tollkey.wire import LATEST
from tollkey.wire.hosted import Grant, grant_of

log = logging.getLogger("tollkey.stripecli")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAUSE_SECONDS = 0.2
_BATCH = 50


class CliSocket:
    """Serves the sockets of one server.

    events: the table of events. now: UTC epoch seconds. A socket ends with its session, or with the key that opened it.
    """

    path = f"/{SOCKET}"

    def __init__(self, edge: Edge, events: Table, authority: Authority, now: Callable[[], float]) -> None:
        self._edge, self._events, self._authority, self._now = edge, events, authority, now
        self._told: dict[str, int] = {}  # session -> the last event it was sent: a CLI that connects again misses nothing

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One socket, from its handshake to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        token = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"websocket-id"), "")
        grant = await self._edge.read(lambda tx: self._granted(tx, token))
        if grant is None:
            await _refuse(send)
            return
        scope_of = grant.scope
        if token not in self._told:  # before the CLI may act: what happens from now on is told
            self._told[token] = await self._edge.read(lambda tx: self._newest(tx, scope_of))
        await send({"type": "websocket.accept"})
        hearing = asyncio.create_task(_hear(receive))
        try:
            await self._tell(grant.scope, token, send, hearing)
        finally:
            gone = hearing.done()
            hearing.cancel()
        if not gone:
            await send({"type": "websocket.close", "code": 1008, "reason": "The session is over."})

    def _granted(self, tx: Tx, token: str) -> Grant | None:
        """What the session's token allows now; nothing once the key that opened it has ended."""
        now = int(self._now())
        grant = grant_of(tx, SOCKET, token, now)
        key = self._authority.get(tx, Scope(grant.platform, grant.scope.livemode), grant.id) if grant is not None else None
        return None if key is None or key.ended(now) else grant

    async def _tell(self, scope: Scope, session: str, send: Send, hearing: asyncio.Task[None]) -> None:
        secret = signing_secret(self._authority.keyring, scope)
        last = self._told[session]
        while not hearing.done() and await self._edge.read(lambda tx: self._granted(tx, session)) is not None:
            for seq, body in await self._edge.read(lambda tx, last=last: self._after(tx, scope, last)):  # type: ignore[misc]
                for version in (None, LATEST):  # the CLI keeps one of the two, depending on --latest
                    await send({"type": "websocket.send", "text": _message(body, version, secret, int(self._now()))})
                last = self._told[session] = seq
            await asyncio.wait([hearing], timeout=_PAUSE_SECONDS)

    def _newest(self, tx: Tx, scope: Scope) -> int:
        rows = tx.execute(
            f"SELECT max(seq) FROM {self._events.table} WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode))
        )
        return int(rows[0][0] or 0)

    def _after(self, tx: Tx, scope: Scope, last: int) -> list[tuple[int, bytes]]:
        rows = tx.execute(
            f"SELECT seq, body FROM {self._events.table} WHERE seq > ? AND account = ? AND livemode = ? ORDER BY seq LIMIT ?",
            (last, scope.account, int(scope.livemode), _BATCH),
        )
        return [(int(seq), bytes(body)) for seq, body in rows]


async def no_socket(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Refuse a socket on an address that has none."""
    await receive()
    await _refuse(send)


async def _refuse(send: Send) -> None:
    body = b'{"error": {"message": "Unknown WebSocket ID."}}\n'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def _hear(receive: Receive) -> None:
    """Until the CLI goes away. What it says (acknowledgements, its endpoint's answers) needs nothing done."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


def _message(body: bytes, version: str | None, secret: str, now: int) -> str:
    event = orjson.loads(body)
    headers = {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, (secret,), now),
        "User-Agent": "Tollkey/1.0",
    }
    message = {
        "type": "webhook_event",
        "endpoint": {"api_version": version, "status": "enabled", "events": ["*"]},
        "event_payload": body.decode(),
        "http_headers": headers,
        "webhook_conversation_id": f"wc_{event['id']}",
        "webhook_id": f"wh_{event['id']}",
    }
    return orjson.dumps(message).decode()
