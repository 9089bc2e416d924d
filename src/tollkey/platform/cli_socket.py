"""The WebSocket of the Stripe CLI (RFC 6455, as ASGI 3 messages): it sends events or request logs.

It polls the database a few times per second, so it receives the rows of every node. Each time it checks that the key
that opened it is still valid, still has the permission, and is used from an allowed IP address.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tollkey.db import Scope, Tx
from tollkey.db.edge import Edge
from tollkey.keys import Key
from tollkey.keys.authority import Authority
from tollkey.keys.limits import ip_allowed, networks_of
from tollkey.platform import _cli_sessions as sessions
from tollkey.platform._cli_feeds import Feed
from tollkey.platform.stripecli import NEEDS, SOCKET
from tollkey.wire import Call
from tollkey.wire.app import forwarded
from tollkey.wire.guesses import GuessLimiter
from tollkey.wire.hosted import grant_of, granting_key
from tollkey.wire.reveals import Reveals
from tollkey.wire.tables import Tables

log = logging.getLogger("tollkey.stripecli")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PAUSE_SECONDS = 0.2
_MOST_FEEDS = 1_000


class CliSocket:
    """Serves the sockets of one server.

    now: UTC epoch seconds. call: makes a call without a request, in which events are converted to their version.
        trust_proxy: take the caller's address from the headers of a proxy in front. require_https: refuse a socket
        without TLS. guess_limiter: counts guessed sessions by address.
        A socket ends with its session, or with the permission of
        the key that opened it.
    """

    path = f"/{SOCKET}"

    def __init__(
        self,
        edge: Edge,
        tables: Tables,
        authority: Authority,
        now: Callable[[], float],
        call: Callable[[Tx, Scope], Call],
        *,
        trust_proxy: bool = False,
        require_https: bool = False,
        guess_limiter: GuessLimiter | None = None,
    ) -> None:
        self._edge, self._tables, self._authority, self._now = edge, tables, authority, now
        self._call = call
        self._trust_proxy, self._require_https, self._guess_limiter = trust_proxy, require_https, guess_limiter
        self._reveals = Reveals(tables.catalogue)
        self._feeds: dict[str, Feed] = {}  # by session, so that a CLI that reconnects misses nothing

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve a WebSocket."""
        if (await receive())["type"] != "websocket.connect":
            return
        token = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"websocket-id"), "")
        ip, secure = self._address(scope)
        allowed = secure or not self._require_https
        opened = await self._edge.read(lambda tx: self._open_feed(tx, token, ip)) if allowed else None
        if opened is None:
            if self._guess_limiter is not None and self._guess_limiter.count(ip, self._now()):
                await self._guess_limiter.delay()
            await _refuse(send)
            return
        await send({"type": "websocket.accept"})
        hearing = asyncio.create_task(_wait_for_disconnect(receive))
        try:
            await self._send_feed(opened, token, ip, send, hearing)
        finally:
            gone = hearing.done()
            hearing.cancel()
        if not gone:
            await send({"type": "websocket.close", "code": 1008, "reason": "The session is over."})

    def _address(self, scope: MutableMapping[str, Any]) -> tuple[str | None, bool]:
        """The client's IP address, and whether it uses TLS."""
        client = scope.get("client")
        ip, secure = (client[0] if client else None), scope.get("scheme") == "wss"
        return forwarded(scope["headers"], ip, secure) if self._trust_proxy else (ip, secure)

    def _holder(self, tx: Tx, token: str, ip: str | None) -> tuple[Key, Scope, str] | None:
        """The key that opened a session, the scope and id of the session; None when the key lost access."""
        now = int(self._now())
        grant = grant_of(tx, SOCKET, token, now)
        if grant is None or grant.key_id is None:
            return None
        key = granting_key(tx, self._authority, grant.key_id, grant.platform, grant.scope, NEEDS, now)
        if key is None or not ip_allowed(networks_of(key.ip_allowlist), ip):
            return None
        if grant.scope.account != grant.platform and not self._connected(tx, grant.platform, grant.scope):
            return None
        return key, grant.scope, grant.id

    def _connected(self, tx: Tx, platform: str, scope: Scope) -> bool:
        return self._tables.of["account"].get(tx, Scope(platform, scope.livemode), scope.account) is not None

    def _open_feed(self, tx: Tx, token: str, ip: str | None) -> Feed | None:
        """The feed of a session, from now on; None when the session is not valid."""
        held = self._holder(tx, token, ip)
        session = sessions.find(tx, held[1], held[2]) if held is not None else None
        if held is None or session is None:
            return None
        feed = self._feeds.get(token)
        if feed is None:
            if len(self._feeds) >= _MOST_FEEDS:
                del self._feeds[next(iter(self._feeds))]
            feed = self._feeds[token] = Feed(
                tx, self._tables.of["event"], self._authority, self._reveals, held[1], session, self._call
            )
        return feed

    async def _send_feed(self, feed: Feed, token: str, ip: str | None, send: Send, hearing: asyncio.Task[None]) -> None:
        def heard(tx: Tx) -> list[str] | None:
            held = self._holder(tx, token, ip)
            return None if held is None else feed.next(tx, held[0], self._now())

        feed.connection = hearing
        while not hearing.done() and feed.connection is hearing:  # a later connection of the session takes its place
            messages = await self._edge.read(heard)
            if messages is None:
                self._feeds.pop(token, None)
                return
            feed.waiting.extend(messages)
            # A message stays queued until it is sent, also on the next connection.
            while feed.waiting and not hearing.done() and feed.connection is hearing:
                await send({"type": "websocket.send", "text": feed.waiting[0]})
                if feed.connection is hearing:
                    feed.waiting.popleft()
            await asyncio.wait([hearing], timeout=_PAUSE_SECONDS)


async def no_socket(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Refuse a WebSocket on a path that has none."""
    await receive()
    await _refuse(send)


async def _refuse(send: Send) -> None:
    body = b'{"error": {"message": "Unknown WebSocket ID."}}\n'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def _wait_for_disconnect(receive: Receive) -> None:
    """Wait until the CLI disconnects. Its messages (acknowledgements, responses of its endpoint) are ignored."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
