"""A Starlette app that reads JSON and answers the same JSON to everything: what the framework alone can do."""

from __future__ import annotations

import json
import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ANSWER = json.loads(Path(os.environ["BARE_BODY"]).read_bytes())


async def answer(request: Request) -> Response:
    """Read the body, answer."""
    await request.json()
    return JSONResponse(ANSWER)


app = Starlette(routes=[Route("/v1/keys/verify", answer, methods=["POST"])])
