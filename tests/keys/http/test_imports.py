"""``POST /v1/keys/import``."""

from __future__ import annotations

import hashlib

import pytest

from tests.keys.http.conftest import Web

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"
ROW = {"hash": hashlib.sha256(TEXT.encode()).hexdigest(), "account": "cus_1", "name": "CI"}


def test_keys_are_imported_and_the_answer_reports_on_each_row(web: Web) -> None:
    body = {"keys": [ROW, {"key": "short"}], "permissions": ["report_read"], "environment": "test"}
    answer = web.post("/v1/keys/import", body)
    assert (answer.status, answer.json["imported"], answer.json["failed"]) == (200, 1, 1)
    done, failed = answer.json["rows"]
    assert (done["account"], failed["code"]) == ("cus_1", "api_key_malformed")
    (key,) = web.keys.list(account="cus_1", livemode=False)
    assert (key.id, key.permissions, key.imported) == (done["id"], frozenset({"report_read"}), True)
    assert web.post("/v1/keys/import", body).json["existing"] == 1


def test_a_dry_run_stores_nothing(web: Web) -> None:
    answer = web.post("/v1/keys/import", {"keys": [ROW], "dry_run": True})
    assert (answer.json["dry_run"], answer.json["imported"]) == (True, 1)
    assert web.keys.list(account="cus_1") == ()


def test_only_a_service_key_that_may_import_imports(web: Web) -> None:
    _, other = web.service_key("key_read")
    assert web.post("/v1/keys/import", {"keys": [ROW]}, key=other).status == 403
    assert web.post("/v1/keys/import", {"keys": [ROW]}, key=None).status == 401


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "keys"),
        ({"keys": [1]}, "keys"),
        ({"keys": [ROW], "environment": "staging"}, "environment"),
        ({"keys": [ROW], "account": "tollkey"}, "account"),
        ({"keys": [{**ROW, "account": "tollkey"}]}, "account"),
        ({"keys": [ROW], "type": "publishable"}, "type"),
    ],
)
def test_what_cannot_be_imported_is_refused(web: Web, body: object, param: str) -> None:
    answer = web.post("/v1/keys/import", body)
    assert answer.status == 400
    assert answer.json["error"]["param"].startswith(param)
