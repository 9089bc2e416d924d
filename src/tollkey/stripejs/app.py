"""The ASGI application that serves the script and the frames, to pages of any origin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tollkey.stripejs.files import File, files

_Message = MutableMapping[str, Any]


class StripeJs:
    """Serves ``paths``. They are static and the same for everybody, so that no key is asked for."""

    def __init__(self) -> None:
        self.paths = frozenset(files())

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer 200, 304 to whoever has the file already, or 405 for other methods than GET and HEAD."""
        status, headers, body = _answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _answer(scope: _Message) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    if scope["method"] not in ("GET", "HEAD"):
        return 405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")], b""
    file = files()[scope["path"]]
    known = {value for name, value in scope["headers"] if name == b"if-none-match"}
    headers = _headers(file)
    if file.etag.encode() in known:
        return 304, headers, b""
    return 200, [*headers, (b"content-length", b"%d" % len(file.body))], file.body


def _headers(file: File) -> list[tuple[bytes, bytes]]:
    headers = {
        "Content-Type": file.kind,
        "ETag": file.etag,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if file.policy is not None:
        headers["Content-Security-Policy"] = file.policy
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
