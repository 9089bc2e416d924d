"""Keys in front of a FastAPI application.

pip install .. fastapi uvicorn          # .. is this repository
python make_key.py report_read          # prints a key
uvicorn fastapi_app:app
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware

from tollkey.keys import KeyService, Permission, asgi

keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
app = FastAPI()
app.add_middleware(
    asgi.KeyGate,
    keys=keys,
    permission_for={"GET": "report_read", "*": "report_write"},
)


@app.get("/reports")
def list_reports(request: Request) -> dict[str, object]:
    return {"reports": [], "account": request.scope["tollkey.key"].account}


@app.post("/reports")
def make_report() -> dict[str, object]:
    return {"made": True}


# Pages of other origins: the middleware added last is the outermost. It answers preflights and marks refusals as
# readable.
app.add_middleware(
    CORSMiddleware, allow_origins=["https://app.example.com"], allow_headers=["authorization"], allow_methods=["*"]
)
