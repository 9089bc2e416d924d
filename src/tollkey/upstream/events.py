"""Events of an upstream account: received with its signature, or asked for later, and delivered here once each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import orjson

from tollkey import outbox
from tollkey.db import Scope, StorageError, Tx
from tollkey.db.edge import Edge
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.outbox.connections import Answer, Poster
from tollkey.outbox.signature import ValidSignature, verify
from tollkey.upstream import hooks, store
from tollkey.upstream.calls import own_headers
from tollkey.upstream.hooks import Hook
from tollkey.wire import ApiError
from tollkey.wire.app import headers_of
from tollkey.wire.messages import Incoming

log = logging.getLogger("tollkey.upstream")

PATH = "/upstream/events/"
_LARGEST = 1024 * 1024  # bytes of an event
_LARGEST_PAGE = 32 * 1024 * 1024
_SECONDS = 30.0
_MOST_PAGES = 100  # of one look, so that it ends
_Message = MutableMapping[str, Any]
#: ``(tx, scope, event type, whether of a connected account)`` -> the webhook endpoints that want it.
Hearing = Callable[[Tx, Scope, str, bool], list[tuple[Scope, outbox.Destination]]]


@dataclass
class Events:
    """An ASGI application that receives events, and a look for those that did not arrive.

    hearing: finds webhook endpoints. wake: starts deliveries. now: returns UTC epoch seconds.
    """

    edge: Edge
    keyring: Keyring
    http: Poster
    hearing: Hearing
    wake: Callable[[], None]
    now: Callable[[], float]

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer 200 to an event with a valid signature, also when it had arrived before; 400 and 404 to others."""
        status, said = await self._received(scope, receive)
        body = orjson.dumps({"received": status == 200, **({"error": said} if said else {})})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if status == 413:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _received(self, scope: _Message, receive: Callable[[], Awaitable[_Message]]) -> tuple[int, str]:
        if scope["method"] != "POST":
            return 405, "use POST"
        token = scope["path"].removeprefix(PATH)
        try:
            known = hooks.TOKEN.fullmatch(token) is not None
            hook = await self.edge.read(lambda tx: hooks.of_token(tx, self.keyring, token)) if known else None
            if hook is None:
                return 404, "no such address"
            headers = headers_of(scope["headers"])
            body = await Incoming(receive, headers).whole(_LARGEST)
            signature, now = headers.get("stripe-signature", ""), int(self.now())
            if not any(isinstance(verify(body, signature, each, now), ValidSignature) for each in hook.secrets):
                return 400, "the signature is not valid"
            event = _event(body)
            if event is None:
                return 400, "the body is no event"
            await self.edge.write(lambda tx: self._record(tx, hook.scope, event, body))
        except ApiError as refused:  # the body is too long, or did not arrive as a whole
            return refused.status, refused.message
        except SealBroken:
            return 503, "the signing secret cannot be unsealed"
        except StorageError:
            return 503, "storage is not available"
        return 200, ""

    def _record(self, tx: Tx, scope: Scope, event: dict[str, Any], body: bytes) -> None:
        now = int(self.now())
        if not hooks.is_new(tx, scope, event["id"], now):
            return
        for home, endpoint in self.hearing(tx, scope, event["type"], "account" in event):
            outbox.enqueue(tx, home, event["id"], event["type"], body, [endpoint], now, self.wake)

    # -- what did not arrive

    async def catch_up(self) -> None:
        """Ask every upstream account for the events since the last look, and deliver those that had not arrived.

        The first look only notes which event is the newest. Several nodes may do it at the same time.
        """
        for hook in await self.edge.read(lambda tx: hooks.every(tx, self.keyring)):
            try:
                await self._catch_up(hook)
            except (OSError, ValueError) as problem:
                log.warning("events of %s could not be asked for: %s", hook.scope.account, type(problem).__name__)

    async def _catch_up(self, hook: Hook) -> None:
        scope, newest = hook.scope, hook.newest
        upstream = await self.edge.read(lambda tx: store.find(tx, self.keyring, scope))
        if upstream is None:
            return
        for _ in range(_MOST_PAGES):
            asked = {"limit": 1} if newest is None else {"limit": 100, "ending_before": newest}
            target = f"/v1/events?{urlencode(asked)}".encode()
            async with asyncio.timeout(_SECONDS):
                answer = await self.http.exchange(
                    "GET", upstream.hosts.api, target, b"", own_headers(upstream.key), _LARGEST_PAGE
                )
            if answer.status == 400 and newest is not None:  # the event is too old to be found: begin anew
                log.warning("events of %s since %s cannot be asked for any more", scope.account, newest)
                await self.edge.write(lambda tx: hooks.asked_until(tx, scope, None))
                return
            found, more = _page(answer)
            for event in reversed(found) if newest is not None else ():
                body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
                await self.edge.write(partial(self._record, scope=scope, event=event, body=body))
            if found:
                newest = str(found[0]["id"])
                await self.edge.write(partial(hooks.asked_until, scope=scope, id=newest))
            if not found or not more:
                return


def _event(body: bytes) -> dict[str, Any] | None:
    """Return an event, None if the body is none."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if _is_event(event) else None


def _is_event(value: Any) -> bool:
    """Return whether a value is an event, as far as it has to be: with an id and a type of up to 255 characters."""
    named = (value.get("id"), value.get("type")) if isinstance(value, dict) else ()
    return bool(named) and all(isinstance(each, str) and 1 <= len(each) <= 255 for each in named)


def _page(answer: Answer) -> tuple[list[dict[str, Any]], bool]:
    """Return the events of a page, newest first, and whether there are more. Raises ValueError for another answer."""
    page = orjson.loads(answer.body) if answer.status == 200 else None
    found = page.get("data") if isinstance(page, dict) else None
    if not isinstance(page, dict) or not isinstance(found, list) or not all(map(_is_event, found)):
        raise ValueError(f"no page of events: status {answer.status}")
    return found, page.get("has_more") is True
