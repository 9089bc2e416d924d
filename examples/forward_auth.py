"""Keys in front of anything that a proxy serves: the proxy asks this small application about each request.

pip install .. uvicorn                          # .. is this repository
python make_key.py report_read                  # prints a key
uvicorn forward_auth:app --port 8421            # and a proxy with its configuration from the folder proxies

It believes the X- headers of the proxy, so only the proxy may reach it. The proxy learns the account and the key of an
accepted request. With ?nginx=1 a refusal has a form that nginx's auth_request passes on.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from tollkey.keys import KeyService, Permission, asgi, for_auth_request
from tollkey.keys.config import Config, Limit, Rate

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def header(scope: Scope, *names: bytes) -> str:
    """The first of these headers that the proxy sent."""
    sent = dict(scope["headers"])
    return next((sent[name].decode("latin-1") for name in names if name in sent), "")


def method(scope: Scope) -> str:
    """The method of the client's request; Envoy alone sends it as its own."""
    return header(scope, b"x-original-method", b"x-forwarded-method") or scope["method"]


def needs(scope: Scope) -> str:
    return "report_read" if method(scope) in ("GET", "HEAD") else "report_write"


def endpoint(scope: Scope) -> str:
    uri = header(scope, b"x-original-uri", b"x-forwarded-uri") or scope["path"].removeprefix("/v1/keys/forward-auth")
    return f"{method(scope)} {uri.partition('?')[0]}"


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if a page may send a request; the application behind the proxy answers it."""
    asks = header(scope, b"origin") and header(scope, b"access-control-request-method")
    return method(scope) == "OPTIONS" and bool(asks)


async def accepted(scope: Scope, receive: object, send: Send) -> None:
    key = scope.get("tollkey.key")  # None for a preflight
    about = (
        {} if key is None else {"id": key.id, "account": key.account, "environment": "live" if key.livemode else "test"}
    )
    headers = [(f"x-key-{name}".encode(), quote(value, safe="@.+~:-_").encode()) for name, value in about.items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


rate, burst = Rate(float(os.environ.get("KEYS_RATE", "50"))), int(os.environ.get("KEYS_BURST", "100"))
config = Config(
    permissions=(Permission("report", "Reports"),), limits=(Limit("requests", rate, burst=burst, per="key"),)
)
keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), config=config)
plain, for_nginx = (
    asgi.KeyGate(
        accepted,
        keys,
        needs,
        client_ip=lambda scope: header(scope, b"x-real-ip"),
        endpoint_for=endpoint,
        open_to=is_preflight,
        on_denied=on_denied,
    )
    for on_denied in (None, for_auth_request)
)


async def app(scope: Scope, receive: Any, send: Send) -> None:
    await (for_nginx if scope["query_string"] == b"nginx=1" else plain)(scope, receive, send)
