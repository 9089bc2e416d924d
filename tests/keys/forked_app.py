"""A WSGI application whose KeyService is made before the server forks, for ``test_fork.py``."""

from __future__ import annotations

import json
import os
from typing import Any

from tests.keys.forked import do
from tollkey.keys import KeyService, Permission

keys = KeyService.open(
    os.environ["KEYS_DB"], [Permission("report", "Reports")], keyring=os.environ["KEYS_RING"], flush_seconds=0.2
)
if os.environ.get("KEYS_TEXT"):
    keys.verify(os.environ["KEYS_TEXT"])  # the parent's memory holds it, and one use that is not written yet


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    what, *given = environ["PATH_INFO"].strip("/").split("/")
    body = json.dumps([os.getpid(), do(keys, what, *given)]).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
