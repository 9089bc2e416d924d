"""Every implemented endpoint answers what Stripe's own OpenAPI document says it answers.

The endpoints come from the server's catalogue, the calls from the recipes of the rooms (``tests/support/recipes.py``).
A new endpoint is covered by itself as soon as a recipe (or the default) makes a call of it succeed.
"""

from __future__ import annotations

import re

import pytest

import tollkey.payments
import tollkey.platform
from tests.support.api import Answer, Api, World
from tests.support.openapi import _paths, _spec, object_problems, problems
from tests.support.recipes import Maker, name_of, place_of
from tollkey.core import gather
from tollkey.wire import Endpoint, Resource
from tollkey.wire.params import operation_name

ROUTES = {name_of(e): (r, e) for r in gather(tollkey.platform, tollkey.payments) for e in r.endpoints if not e.public}

#: What cannot be called to success in a test, with the reason.
NOT_CALLED = {
    "POST /oauth/token": "needs an authorization code from a page; tests/platform has it",
    "POST /oauth/deauthorize": "needs a connected application; tests/platform has it",
    "POST /v2/billing/meter_event_stream": "needs the token of a session; tests/payments/usage has it",
    "POST /v1/account/login_links": "only for Express accounts acting for themselves",
    "POST /v1/api_keys/{}/hide": "live keys only; tests/platform has it",
    "POST /v1/sources/{}/verify": "refused: no source made here waits for a code; tests/payments/methods has it",
}


#: Where the document is not followed, with the reason.
KNOWN = {
    "GET /v1/billing/credit_balance_transactions": "the document wants another list's url here,"
    " which official SDKs would page through",
}


#: The document asks every thin event for the id of its object.
_WITHOUT_ID = re.compile(r'(?:data\.(\d+)\.)?related_object: "id" is a required property')


def names_what_has_no_id(problem: str, answer: Answer) -> bool:
    """Whether a problem is the missing id of an object that, by the document, has none: an account has it once."""
    found = _WITHOUT_ID.fullmatch(problem)
    if found is None:
        return False
    event = answer if found[1] is None else answer["data"][int(found[1])]
    about = _spec()["components"]["schemas"][event["related_object"]["type"].replace(".", "_")]
    return event["object"] == "v2.core.event" and "id" not in about["properties"]


def in_spec(endpoint: Endpoint) -> bool:
    """Whether Stripe's document has this operation."""
    path = _paths().get(re.sub(r"\{\w+\}", "{}", endpoint.path))
    return path is not None and endpoint.method.lower() in _spec()["paths"][path]


def is_told(endpoint: Endpoint) -> bool:
    """Whether Stripe's document says what it answers; of what is newer than the document only the parameters are
    known.
    """
    path = _paths().get(re.sub(r"\{\w+\}", "{}", endpoint.path))
    return path is not None and "responses" in _spec()["paths"][path].get(endpoint.method.lower(), {})


@pytest.fixture(scope="module")
def maker(sqlite_world: World) -> Maker:
    return Maker(Api(sqlite_world))


@pytest.mark.parametrize("name", sorted(ROUTES.keys() - NOT_CALLED.keys()))
def test_an_endpoint_answers_as_the_document_says(name: str, maker: Maker, request: pytest.FixtureRequest) -> None:
    if name in KNOWN:
        request.applymarker(pytest.mark.xfail(reason=KNOWN[name], strict=True))
    resource, endpoint = ROUTES[name]
    path, params = maker.plan(endpoint, resource)
    api = maker.api.for_endpoint(endpoint)
    answer = maker.make("file") if name == "POST /v1/files" else getattr(api, endpoint.method.lower())(path, **params)
    assert isinstance(answer, Answer)
    assert answer.status == 200, f"{path} {params} ({place_of(resource, endpoint)}): {answer.get('error')}"
    if answer.headers["content-type"] != "application/json":
        return
    if is_told(endpoint):
        found = problems(endpoint.method, endpoint.path, answer.status, answer.body)
        assert [one for one in found if not names_what_has_no_id(one, answer)] == []
    else:
        _check_objects(answer, endpoint, resource)


def _check_objects(answer: dict[str, object], endpoint: Endpoint, resource: Resource) -> None:
    """Of an endpoint whose answer the document does not tell, the objects are held against their schemas."""
    items = answer["data"] if answer.get("object") == "list" else [answer]
    assert isinstance(items, list)
    for item in items:
        schema = str(item.get("object", "")).replace(".", "_")
        if schema in _spec()["components"]["schemas"] and not item.get("deleted"):
            assert object_problems(schema, item) == []


@pytest.mark.parametrize("name", sorted(n for n in ROUTES if "{}" in n and in_spec(ROUTES[n][1])))
def test_an_error_has_the_shape_of_the_document_s_error(name: str, maker: Maker) -> None:
    _, endpoint = ROUTES[name]
    api = maker.api.for_endpoint(endpoint)
    answer = api.send(endpoint.method, re.sub(r"\{\w+\}", "nothing", endpoint.path), query="no_such_parameter=1")
    assert answer.status in (400, 403, 404), answer
    assert problems(endpoint.method, endpoint.path, answer.status, answer.body) == []


def test_how_much_of_the_document_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    every = {operation_name(m, path) for path, item in _spec()["paths"].items() for m in item if m != "parameters"}
    v1 = {name for name in every if " /v1/" in name}
    here = {name for name, (_, endpoint) in ROUTES.items() if in_spec(endpoint)}
    with capsys.disabled():
        print(
            f"\nOpenAPI: {len(here)} of {len(v1)} operations of /v1 implemented,"
            f" {len(ROUTES) - len(here)} beyond the document"
        )
    assert here <= every
