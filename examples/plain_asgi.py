"""Keys in front of a bare ASGI application.

pip install ..                          # .. is this repository
python make_key.py report_read          # prints a key
uvicorn plain_asgi:app
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os

from tollkey.keys import KeyService, Permission, asgi


async def reports(scope, receive, send):  # type: ignore[no-untyped-def]
    body = b'{"reports": [], "account": "%s"}' % scope["tollkey.key"].account.encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
app = asgi.KeyGate(reports, keys, {"GET": "report_read", "*": "report_write"})
