"""``GET /v1/keys/changes``: as Server-Sent Events (HTML standard, section 9.2), or as a long poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import orjson

from tollkey.keys.http.answer import Answer, JsonValue, Stream, json_answer
from tollkey.keys.http.changes import Change, ChangeStream, News
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import ApiError, unavailable
from tollkey.keys.http.fields import Field

LONGEST_WAIT = 20  # seconds
_TICK_SECONDS = 1.0  # how long a poll waits for a tick
NEEDS = "key_verify_write"
_SSE = (b"content-type", b"text/event-stream")
_UNBUFFERED = (b"x-accel-buffering", b"no")  # nginx, ngx_http_proxy_module: do not buffer this answer


async def changes(call: Call) -> Answer | Stream:
    """Tell a remote cache which keys have changed."""
    stream = call.server.changes
    if stream.closed:
        raise unavailable("The server is stopping.")
    sent = call.query.text("after") or call.headers.get("last-event-id") or ""
    after = stream.parse(sent) if sent else None
    if "application/json" in call.headers.get("accept", ""):
        return await _poll(call, after)
    if call.query.number("wait") is not None:
        raise ApiError(400, "parameter_unknown", "wait is for long polls: send Accept: application/json.", "wait")
    if call.method == "HEAD":
        return Answer(b"", 200, (_SSE,))
    assert call.caller is not None
    stream.check_room(call.caller.id)
    return Stream(_events(call, after, call.caller.id), (_SSE, _UNBUFFERED))


async def _events(call: Call, after: int | None, key_id: str) -> AsyncGenerator[bytes, None]:
    stream = call.server.changes
    stream.enter(key_id)
    try:
        yield b"retry: 500\n\n"
        async for news in stream.listen(after, lambda: _allowed(call)):
            yield _encoded(stream, news)
    finally:
        stream.leave(key_id)


async def _allowed(call: Call) -> bool:
    return await call.server.callers.still(call.text, NEEDS, call.ip)


def _encoded(stream: ChangeStream, news: News) -> bytes:
    events = [_event("reset", news.position, {}, stream)] if news.reset else []
    for index, each in enumerate(news.changes, 1):
        goes_on = index < len(news.changes) and news.changes[index].seq == each.seq
        position = each.seq - 1 if goes_on else each.seq  # who hears a part of what has one position hears it again
        events.append(_event("change", position, _shown(each), stream))
    if news.at is not None:
        events.append(_event("tick", news.position, {"at": news.at}, stream))
    return b"".join(events)


def _event(name: str, position: int, fields: dict[str, str | float], stream: ChangeStream) -> bytes:
    place = stream.text(position)
    data = fields if name == "change" else {"position": place, **fields}
    return b"event: %b\nid: %b\ndata: %b\n\n" % (name.encode(), place.encode(), orjson.dumps(data))


def _shown(change: Change) -> dict[str, str | float]:
    return {"id": change.id, "version": change.version}


async def _poll(call: Call, after: int | None) -> Answer:
    """Wait for changes behind a position, and answer them with the new one.

    An answer without changes is given only at a tick: otherwise it is not known that there are none.
    """
    assert call.caller is not None
    stream, wait = call.server.changes, call.query.number("wait")
    wait = LONGEST_WAIT if wait is None else wait
    stream.check_room(call.caller.id)
    stream.enter(call.caller.id)
    try:
        async with asyncio.timeout(wait + _TICK_SECONDS):
            news = await _first(call, after, asyncio.get_running_loop().time() + wait)
    except TimeoutError:
        news = None
    finally:
        stream.leave(call.caller.id)
    if news is None:
        raise unavailable("The changes of keys cannot be read at the moment.")
    shown = [_shown(change) for change in news.changes]
    fields: dict[str, JsonValue] = {
        "reset": news.reset,
        "changes": shown,
        "position": stream.text(news.position),
        "at": news.at,
    }
    return json_answer(fields)


async def _first(call: Call, after: int | None, until: float) -> News | None:
    """Return the first news with changes, or the first tick after a time of the loop's clock."""
    loop = asyncio.get_running_loop()
    async for news in call.server.changes.listen(after, lambda: _allowed(call)):
        if news.reset or news.changes or (news.at is not None and loop.time() >= until):
            return news
    return None


ENDPOINT = Endpoint(
    "GET",
    "/v1/keys/changes",
    changes,
    NEEDS,
    "Follow the changes of keys",
    "changes",
    query={
        "after": Field(
            "string", "The position that was seen last, from the `id` of an event or from `position`.", most=60
        ),
        "wait": Field("integer", "For a long poll: seconds to wait for a change, 20 by default.", most=LONGEST_WAIT),
    },
)
