"""Keys in front of a bare WSGI application.

pip install ..                          # .. is this repository
python make_key.py report_read          # prints a key
python plain_wsgi.py
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os
from wsgiref.simple_server import make_server

from tollkey.keys import KeyService, Permission, wsgi


def reports(environ, start_response):  # type: ignore[no-untyped-def]
    start_response("200 OK", [("content-type", "application/json")])
    return [b'{"reports": [], "account": "%s"}' % environ["tollkey.key"].account.encode()]


keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
app = wsgi.KeyGate(reports, keys, {"GET": "report_read", "*": "report_write"})

if __name__ == "__main__":
    make_server("127.0.0.1", 8000, app).serve_forever()
