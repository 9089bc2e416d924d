"""An ASGI app that answers the same bytes, headers and body, to everything: what the HTTP server alone can do."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

BODY = Path(os.environ["BARE_BODY"]).read_bytes()
HEADERS = [(name.lower().encode(), value.encode()) for name, value in json.loads(os.environ["BARE_HEADERS"])]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the request, answer."""
    if scope["type"] != "http":
        return
    if scope["method"] != "GET":
        await receive()
    await send(START)
    await send(END)
