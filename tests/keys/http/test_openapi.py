"""The document describes what the server does, and every operation in it refuses alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.conftest import NOW, Clock
from tests.keys.http.conftest import PERMISSIONS, Web, node_of
from tollkey.keys import KeyService
from tollkey.keys.http import SERVICE_PERMISSIONS
from tollkey.keys.http.app import ENDPOINTS
from tollkey.keys.http.endpoint import Endpoint
from tollkey.keys.http.openapi import document

GUARDED = [each for each in ENDPOINTS if each.needs is not None]
WITH_BODY = [each for each in GUARDED if each.body is not None]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One node on SQLite for all tests: they are about what is refused before storage."""
    folder, clock = tmp_path_factory.mktemp("openapi"), Clock()
    with asyncio.Runner() as runner, KeyService.open(
        str(Path(folder) / "keys.db"), PERMISSIONS, clock=clock, flush_seconds=0
    ) as keys:  # fmt: skip
        web = node_of(keys, runner, clock)
        yield web
        runner.run(web.app.stop())


def name(each: Endpoint) -> str:
    return f"{each.method} {each.path}"


def path(each: Endpoint) -> str:
    return each.path.replace("{id}", "mk_1nothing")


@pytest.mark.parametrize("each", GUARDED, ids=name)
def test_without_a_key_with_a_wrong_one_and_with_a_lesser_one(served: Web, each: Endpoint) -> None:
    assert served.call(each.method, path(each), key=None).error == (401, "no_api_key")
    assert served.call(each.method, path(each), key="sk_live_wrong").error == (401, "invalid_token")
    lesser = "import_write" if each.needs != "import_write" else "usage_read"
    _, text = served.service_key(lesser)
    assert served.call(each.method, path(each), key=text).error == (403, "insufficient_scope")
    assert served.call("DELETE", path(each)).error == (405, "method_not_allowed")


@pytest.mark.parametrize("each", WITH_BODY, ids=name)
def test_a_wrong_type_broken_json_and_a_body_that_is_too_large(served: Web, each: Endpoint) -> None:
    wrong = {"content-type": "text/plain"}
    assert served.call(each.method, path(each), b"x", headers=wrong).error == (415, "content_type_unsupported")
    kind = {"content-type": "application/x-www-form-urlencoded" if each.form else "application/json"}
    broken = b"%ff=%ff&\xff" if each.form else b'{"a": '
    assert served.call(each.method, path(each), broken, headers=kind).status == 400
    unknown = b"colour=red" if each.form else b'{"colour": "red"}'
    assert served.call(each.method, path(each), unknown, headers=kind).error == (400, "parameter_unknown")
    large = {**kind, "content-length": str(2**40)}
    assert served.call(each.method, path(each), b"", headers=large).error == (413, "body_too_large")


USES = {"uses": [{"id": "mk_1", "requests": 1, "at": 1}]}


@pytest.mark.parametrize("each", [each for each in GUARDED if each.method == "POST"], ids=name)
def test_an_idempotency_key_acts_or_is_refused(served: Web, each: Endpoint) -> None:
    body = {"/v1/keys": {"account": "cus_1"}, "/v1/accounts/{id}": {"plan": ""}, "/v1/keys/uses": USES}.get(each.path)
    answer = served.post(path(each), body, headers={"Idempotency-Key": "x" * 256})
    assert answer.error == (400, "idempotency_key_invalid" if each.takes_idempotency_key else "idempotency_key_unused")


@pytest.mark.parametrize("each", [each for each in GUARDED if not each.query and each.method == "GET"], ids=name)
def test_a_parameter_that_nobody_declared_is_refused(served: Web, each: Endpoint) -> None:
    assert served.get(f"{path(each)}?colour=red").error == (400, "parameter_unknown")


def test_every_permission_of_service_keys_lets_them_call_something() -> None:
    grants = {grant for permission in SERVICE_PERMISSIONS for grant in permission.grants()}
    assert grants == {each.needs for each in GUARDED} | {"portal_write"}  # see test_portal_sessions.py


def test_the_document_is_answered_to_everybody_and_names_every_operation(served: Web) -> None:
    answer = served.get("/openapi.json", key=None)
    assert answer.json["openapi"] == "3.1.0"
    named = {(method.upper(), path) for path, found in answer.json["paths"].items() for method in found}
    assert named >= {(each.method, each.path) for each in ENDPOINTS}
    ids = [one["operationId"] for found in answer.json["paths"].values() for one in found.values()]
    assert len(ids) == len(set(ids))
    for found in answer.json["paths"].values():
        for one in found.values():
            assert one["summary"]
            assert all(response["description"] for response in one["responses"].values())


def validate(answer: Any, schema: str) -> None:
    found: dict[str, Any] = document(ENDPOINTS)
    jsonschema_rs.validate({"$ref": f"#/components/schemas/{schema}", "components": found["components"]}, answer)


def test_answers_have_the_form_that_the_document_says(served: Web) -> None:
    created = served.post("/v1/keys", {"account": "cus_1", "permissions": ["report_read"], "expires_at": NOW + 99}).json
    validate(created, "api_key")
    verified = served.post("/v1/keys/verify", {"key": created["secret"]}).json
    validate(verified, "verification")
    validate(served.post("/v1/keys/verify", {"keys": [{"key": "x"}]}).json, "verification")
    validate(served.post(f"/v1/keys/{created['id']}/roll").json, "rolled_api_key")
    validate(served.get("/v1/keys").json, "api_key_list")
    validate(served.get("/v1/accounts").json, "account_list")
    validate(served.form("/oauth2/introspect", "token=x").json, "introspection")
    validate(served.get("/v1/nothing").json, "error")
    validate(served.get("/readyz", key=None).json, "status")
    with pytest.raises(jsonschema_rs.ValidationError):
        validate({**created, "status": "old"}, "api_key")
