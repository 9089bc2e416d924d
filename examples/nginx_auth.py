"""Keys in front of anything that nginx serves: it asks this small application about each request.

pip install ..                          # .. is this repository
python make_key.py report_read          # prints a key
uvicorn nginx_auth:app --port 9000      # and nginx with the lines of nginx.conf beside this file

Of an accepted request nginx learns the account and the key; what it answers to a refused one stands in nginx.conf.
"""

import os

from tollkey.keys import KeyService, Permission, RateLimiter, asgi, for_auth_request


def header(scope, name: bytes) -> str:  # type: ignore[no-untyped-def]
    """A header that nginx.conf sets itself, so that no caller can."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def preflight(scope) -> bool:  # type: ignore[no-untyped-def]
    """Whether a browser asks if a page may send a request; what is behind nginx answers it."""
    asks = header(scope, b"origin") and header(scope, b"access-control-request-method")
    return header(scope, b"x-original-method") == "OPTIONS" and bool(asks)


async def accepted(scope, receive, send):  # type: ignore[no-untyped-def]
    key = scope.get("tollkey.key")  # None for a preflight
    headers = [(b"x-key-account", key.account.encode()), (b"x-key-id", key.id.encode())] if key is not None else []
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


limiter = RateLimiter(rate=float(os.environ.get("KEYS_RATE", "50")), burst=int(os.environ.get("KEYS_BURST", "100")))
keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")], limiter=limiter)
app = asgi.KeyGate(
    accepted,
    keys,
    lambda scope: "report_read" if header(scope, b"x-original-method") in ("GET", "HEAD") else "report_write",
    client_ip=lambda scope: header(scope, b"x-real-ip"),
    endpoint_for=lambda scope: (
        f"{header(scope, b'x-original-method')} {header(scope, b'x-original-uri').partition('?')[0]}"
    ),
    open_to=preflight,
    on_denied=for_auth_request,
)
