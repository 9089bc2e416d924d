"""Keys in front of a Flask application, with the host's own words for a refusal.

pip install .. flask                    # .. is this repository
python make_key.py report_read          # prints a key
flask --app flask_app run
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:5000/reports
"""

import os

from flask import Flask, request

from tollkey.keys import KeyService, Permission, Refusal, Refused, rfc6750, wsgi

keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
app = Flask(__name__)


def refuse(refused: Refused) -> Refusal:
    """Status and headers as the standard has them, the body as this host likes it."""
    status, headers, _ = rfc6750(refused)
    body = b"No entry without a key.\n"
    kept = [header for header in headers if header[0] not in ("content-type", "content-length")]
    return Refusal(status, (*kept, ("content-type", "text/plain"), ("content-length", str(len(body)))), body)


app.wsgi_app = wsgi.KeyGate(  # type: ignore[method-assign]
    app.wsgi_app,
    keys,
    {"GET": "report_read", "*": "report_write"},
    on_denied=refuse,
    open_to=lambda environ: environ["PATH_INFO"] == "/health",
)


@app.get("/health")
def health() -> dict[str, object]:
    return {"up": True}


@app.get("/reports")
def list_reports() -> dict[str, object]:
    return {"reports": [], "account": request.environ["tollkey.key"].account}


@app.post("/reports")
def make_report() -> dict[str, object]:
    return {"made": True}
