"""Keys in front of a Flask application.

pip install .. flask                    # .. is this repository
python make_key.py report_read          # prints a key
flask --app flask_app run
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:5000/reports
"""

import os

from flask import Flask

from tollkey.keys import KeyService, Permission
from tollkey.keys.adapters.flask import ApiKeys

app = Flask(__name__)
api = ApiKeys(KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")]), app)


@app.get("/reports")
@api.needs("report_read")
def list_reports() -> dict[str, object]:
    return {"reports": [], "account": api.key.account}


@app.post("/reports")
@api.needs("report_write")
def make_report() -> dict[str, object]:
    return {"made": True}
