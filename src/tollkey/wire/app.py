"""The wire on Falcon: the only file of this room that knows a web framework."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.asgi

from tollkey.wire.errors import ApiError
from tollkey.wire.messages import COMMON, Request, Response
from tollkey.wire.objects import encode
from tollkey.wire.service import LARGEST_BODY, Service

_LARGEST = 20 * 1024 * 1024  # bytes; an upload
_STATUS = {status: f"{status} {phrase}" for status, phrase in (
    (200, "OK"), (302, "Found"), (303, "See Other"), (400, "Bad Request"), (401, "Unauthorized"), (402, "Payment Required"), (403, "Forbidden"),
    (404, "Not Found"), (409, "Conflict"), (413, "Content Too Large"), (414, "URI Too Long"), (429, "Too Many Requests"),
    (500, "Internal Server Error"), (503, "Service Unavailable"),
)}  # fmt: skip
_LONGEST_URI = 16 * 1024


def headers_of(scope: Any) -> dict[str, str]:
    """The request's headers, names in lower case; a repeated one keeps its first value."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return headers


async def read_body(req: falcon.asgi.Request, most: int) -> bytes | None:
    """The whole body, or None when it is longer than ``most`` bytes."""
    parts, size = [], 0
    async for part in req.stream:
        size += len(part)
        if size <= most:
            parts.append(part)
    return b"".join(parts) if size <= most else None


class WireApp:
    """Turns Falcon's requests into ours and our answers into Falcon's."""

    def __init__(self, service: Service, trust_proxy: bool = False) -> None:
        self._service, self._trust_proxy = service, trust_proxy

    async def __call__(self, req: falcon.asgi.Request, resp: falcon.asgi.Response | None, **_: Any) -> None:
        assert resp is not None  # only a WebSocket has none
        scope = req.scope
        path = scope["path"] if "raw_path" not in scope else scope["raw_path"].decode("latin-1").partition("?")[0]
        headers = headers_of(scope)
        if len(path) + len(scope["query_string"]) > _LONGEST_URI:
            return self._give(resp, Response(414, b"", content_type="text/html"))
        if req.method == "OPTIONS":
            asked = headers.get("access-control-request-headers")
            return self._give(resp, Response(200, b"", {"Access-Control-Allow-Headers": asked} if asked else {}))
        body: bytes | None = b""
        if req.method not in ("GET", "HEAD"):
            body = await read_body(req, _LARGEST if path.startswith("/v1/files") else LARGEST_BODY)
        if body is None:
            error = ApiError(413, message=f"Request body is too large: {LARGEST_BODY} bytes are allowed.", bare=True)
            return self._give(resp, Response(413, encode(error.body()) + b"\n"))
        client = scope.get("client")
        ip, secure = (client[0] if client else None), scope.get("scheme") == "https"
        if self._trust_proxy and "x-forwarded-for" in headers:
            ip = headers["x-forwarded-for"].rpartition(",")[2].strip()
            secure = headers.get("x-forwarded-proto") == "https"
        self._give(resp, await self._service.answer(Request(req.method, path, scope["query_string"], headers, body, ip, secure)))

    @staticmethod
    def _give(resp: falcon.asgi.Response, response: Response) -> None:
        resp.status = _STATUS.get(response.status, response.status)
        resp.data = response.body
        resp.content_type = response.content_type
        resp.set_headers({**COMMON, **response.headers})


def make_app(service: Service, trust_proxy: bool = False) -> falcon.asgi.App[Any, Any]:
    """An ASGI application that answers the payments API under ``/v1``."""
    app = falcon.asgi.App()
    app.add_sink(WireApp(service, trust_proxy), prefix="/")
    return app
