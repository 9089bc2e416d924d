"""The document that the server writes of itself, and what a generator of requests makes of it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from typer.testing import CliRunner

from tests.support.api import Answer, Api, World, form
from tollkey.cli.app import app
from tollkey.wire import Endpoint
from tollkey.wire.openapi import document as openapi_document
from tollkey.wire.versions import LATEST


@pytest.fixture(scope="module")
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def in_document(endpoint: Endpoint) -> bool:
    return not endpoint.public and not endpoint.ended(LATEST[:10])


def test_it_has_every_endpoint_that_needs_a_key_and_no_other(api: Api) -> None:
    document = openapi_document(api.core.catalogue)
    found = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert found == {(e.method, e.path) for r in api.core.catalogue.resources for e in r.endpoints if in_document(e)}


def test_it_names_the_permission_that_each_endpoint_needs(api: Api) -> None:
    operation = openapi_document(api.core.catalogue)["paths"]["/v1/customers/{customer}"]["post"]
    assert operation["x-permission"] == "customer_write"
    assert operation["parameters"][0] == {
        "name": "customer",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }


def test_every_operation_says_in_a_sentence_what_it_does(api: Api) -> None:
    paths = openapi_document(api.core.catalogue)["paths"]
    silent = [
        (method, path) for path, item in paths.items() for method, operation in item.items() if not operation["summary"]
    ]
    assert silent == []


def test_required_parameters_enums_and_bounds_are_there(api: Api) -> None:
    paths = openapi_document(api.core.catalogue)["paths"]
    body = paths["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"][
        "schema"
    ]
    assert sorted(body["required"]) == ["enabled_events", "url"]
    limit = next(p for p in paths["/v1/customers"]["get"]["parameters"] if p["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100}


@pytest.mark.parametrize(
    ("path", "form"),
    [("/v1/customers", "error"), ("/v2/core/accounts", "v2_error"), ("/oauth/token", "oauth_error")],
)
def test_an_error_has_the_form_of_its_api(api: Api, path: str, form: str) -> None:
    document = openapi_document(api.core.catalogue)
    said = document["paths"][path]["post"]["responses"]["default"]["content"]["application/json"]["schema"]
    first = said.get("anyOf", [said])[0]
    assert first == {"$ref": f"#/components/schemas/{form}"}
    wrong = {"no_such_parameter": "1"} if form != "oauth_error" else {"grant_type": "nothing"}
    refused = api.post(path, **wrong)
    assert refused.status == 400
    whole = {**first, "components": document["components"]}
    assert [error.message for error in validator(json.dumps(whole)).iter_errors(dict(refused))] == []


def test_it_can_be_printed_from_a_shell() -> None:
    done = CliRunner().invoke(app, ["openapi", "--base-url", "http://127.0.0.1:1"])
    assert done.exit_code == 0
    printed = json.loads(done.stdout)
    assert (printed["openapi"], printed["servers"]) == ("3.0.3", [{"url": "http://127.0.0.1:1"}])


@pytest.fixture(scope="module")
def operations(api: Api) -> list[schemathesis.APIOperation]:
    document = openapi_document(api.core.catalogue, "http://127.0.0.1")
    schema = schemathesis.openapi.from_dict(document)
    return [operation.ok() for operation in schema.get_all_operations()]


CALM = settings(
    max_examples=2,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PARTS = 6


def sent(api: Api, case: schemathesis.Case) -> Answer:
    """Send what was generated and return the answer."""
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace("{" + name + "}", quote(str(value), safe=""))
    query = urlencode(form(case.query or {}))
    headers = {"Authorization": f"Bearer {api.sk}"}
    if not isinstance(case.body, dict):
        return api.send(case.method, path, headers=headers, query=query)
    if case.media_type == "application/json":
        headers["Content-Type"] = "application/json"
        return api.send(case.method, path, headers=headers, query=query, body=json.dumps(case.body).encode())
    return api.send(case.method, path, headers=headers, query=query, body=urlencode(form(case.body)).encode())


def violation(document: dict[str, Any], case: schemathesis.Case, answer: Answer) -> str | None:
    """What the document does not say of an answer, or None: a 500, or a body of another form."""
    if answer.status >= 500:
        return "the server failed"
    if answer.headers["content-type"] != "application/json":
        return None if answer.status in (200, 302, 303) else f"an answer in {answer.headers['content-type']}"
    said = document["paths"][case.path][case.method.lower()]["responses"]
    content = said["200" if answer.status < 400 else "default"].get("content")
    if content is None:
        return None
    whole = {**content["application/json"]["schema"], "components": document["components"]}
    return next((error.message[:200] for error in validator(json.dumps(whole)).iter_errors(dict(answer))), None)


@cache
def validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema))


@pytest.mark.parametrize("part", range(PARTS))
def test_requests_made_from_the_document_are_answered(
    api: Api, operations: list[schemathesis.APIOperation], part: int
) -> None:
    wrong: dict[str, str] = {}
    document = openapi_document(api.core.catalogue)

    def judge(case: schemathesis.Case) -> None:
        answer = sent(api, case)
        problem = violation(document, case, answer)
        if problem is not None:
            asked = f"{case.path_parameters} {case.query} {case.body}"
            wrong.setdefault(f"{case.method} {case.path}", f"{answer.status} {problem} {asked}"[:400])

    for operation in operations[part::PARTS]:
        CALM(given(case=operation.as_strategy())(judge))()
    assert wrong == {}
