"""Keys in front of a FastAPI application.

pip install .. fastapi uvicorn          # .. is this repository
python make_key.py report_read          # prints a key
uvicorn fastapi_app:app
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os
from typing import Annotated

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from tollkey.keys import Key, KeyService, Permission
from tollkey.keys.adapters.fastapi import ApiKeys

app = FastAPI()
api = ApiKeys(KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")]), app)

# Pages of other origins: what is added last is the outermost. It answers preflights and marks refusals as readable.
app.add_middleware(
    CORSMiddleware, allow_origins=["https://app.example.com"], allow_headers=["authorization"], allow_methods=["*"]
)


@app.get("/reports")
def list_reports(key: Annotated[Key, api.needs("report_read")]) -> dict[str, object]:
    return {"reports": [], "account": key.account}


@app.post("/reports")
def make_report(key: Annotated[Key, api.needs("report_write")]) -> dict[str, object]:
    return {"made": True}
