"""``/healthz``: the process answers. ``/readyz``: keys can be verified here, and revocations arrive."""

from __future__ import annotations

from tollkey.db import StorageError, Tx
from tollkey.keys.http.answer import Answer, json_answer
from tollkey.keys.http.endpoint import Call, Endpoint
from tollkey.keys.http.errors import unavailable


async def healthz(call: Call) -> Answer:
    """Answer that the process runs."""
    return json_answer({"status": "ok"})


async def readyz(call: Call) -> Answer:
    """Answer whether this node may get requests."""
    if call.server.changes.closed:
        raise unavailable("The server is stopping.")
    try:
        await call.read(_one)
    except StorageError:
        raise unavailable("The database cannot be reached.") from None
    return json_answer({"status": "ready"})


def _one(tx: Tx) -> None:
    tx.execute("SELECT 1")


ENDPOINTS = (
    Endpoint("GET", "/healthz", healthz, None, "Whether the process runs", "status"),
    Endpoint("GET", "/readyz", readyz, None, "Whether keys can be verified", "status"),
)
