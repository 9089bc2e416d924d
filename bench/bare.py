"""An ASGI app that answers the same bytes to everything: what the HTTP server alone can do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

BODY = Path(os.environ["BARE_BODY"]).read_bytes()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}
END = {"type": "http.response.body", "body": BODY}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the request, answer."""
    if scope["type"] != "http":
        return
    if scope["method"] != "GET":
        await receive()
    await send(START)
    await send(END)
