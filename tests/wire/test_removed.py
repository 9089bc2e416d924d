"""What an API version removed is refused under it and taken under the versions before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tollkey.payments
import tollkey.platform
from tests.support.api import Answer, Api, World
from tollkey.core import gather
from tollkey.keys import Permission
from tollkey.wire import ApiError, Endpoint, P, Resource
from tollkey.wire.access import Access
from tollkey.wire.call import Setup
from tollkey.wire.live import records
from tollkey.wire.messages import Request
from tollkey.wire.openapi import _schema as shape
from tollkey.wire.openapi import document as openapi_document
from tollkey.wire.params import check
from tollkey.wire.policy import Policy
from tollkey.wire.removed import Removed, narrowed
from tollkey.wire.resource import Catalogue
from tollkey.wire.service import Service
from tollkey.wire.tables import Tables

BEFORE, AFTER = "2024-06-20", "2025-03-31.basil"
OPTIONS = P.nested({"speed": P.enum("slow", "fast"), "colour": P.string()})
SCHEMA = P.object(
    required=["name"],
    name=P.string(),
    kind=P.unset(P.enum("kite", "glider", "rocket")),
    parts=P.array(OPTIONS),
    anchor=P.string(),
    size=P.integer(),
)
REMOVED = (
    Removed("2025-03-31", "name", requires="size"),
    Removed("2025-03-31", "kind", values=("rocket",)),
    Removed("2025-03-31", "parts[].colour"),
    Removed("2025-03-31", "anchor", becomes=P.nested({"type": P.enum("now")})),
    Removed("2026-03-25", "size", message="Sizes are no longer supported.", code="size_no_longer_supported"),
)
TAKEN: list[tuple[str, dict[str, Any]]] = [
    (BEFORE, {"name": "a", "kind": "rocket", "parts": [{"colour": "red"}], "anchor": "now"}),
    (AFTER, {"size": 1, "kind": "kite", "parts": [{"speed": "fast"}], "anchor": {"type": "now"}}),
]
REFUSED: list[tuple[str, dict[str, Any], str | None, str, str]] = [
    (BEFORE, {}, "parameter_missing", "name", "Missing required param: name."),
    (AFTER, {"size": 1, "name": "a"}, "parameter_unknown", "name", "Received unknown parameter: name"),
    (AFTER, {"name": "a"}, "parameter_unknown", "name", "Received unknown parameter: name"),
    (AFTER, {}, "parameter_missing", "size", "Missing required param: size."),
    (AFTER, {"size": 1, "kind": "rocket"}, None, "kind", "Invalid kind: must be one of kite or glider"),
    (
        AFTER,
        {"size": 1, "parts": [{"colour": "red"}]},
        "parameter_unknown",
        "parts[0][colour]",
        "Received unknown parameter: parts[0][colour]",
    ),
    (AFTER, {"size": 1, "anchor": "now"}, None, "anchor", "Invalid object"),
    ("2026-04-22.dahlia", {"size": 1}, "size_no_longer_supported", "size", "Sizes are no longer supported."),
]


@pytest.fixture(scope="module")
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    endpoints = (
        Endpoint("POST", "/v1/kites", lambda _call, params: dict(params), params=SCHEMA, removed=REMOVED),
        Endpoint("GET", "/v1/kites/next", lambda _call, _params: {"next": 1}, params=P.object(), until="2025-03-31"),
    )
    kite = Resource("kite", Permission("kite", "Kites", "Core"), endpoints, stored=False, live=records())
    return Catalogue((kite,))


@pytest.fixture
def send(api: Api, catalogue: Catalogue) -> Callable[..., Answer]:
    """Sends a request with a version and a form to a server of the catalogue."""
    tables = Tables(Catalogue((*api.core.catalogue.resources, *catalogue.resources)))
    setup = Setup(tables, api.core.setup.ids, api.core.setup.emit, api.core.setup.services)
    service = Service(
        setup, api.world.server.edge, api.core.verifier, Policy(connected=lambda *_: False), lambda: api.now
    )

    def send(method: str, path: str, version: str, body: bytes = b"") -> Answer:
        headers = {
            "authorization": f"Bearer {api.sk}",
            "content-type": "application/x-www-form-urlencoded",
            "stripe-version": version,
        }
        request = Request(method, path, b"", headers, body, "127.0.0.1")
        response = service.at_once(request) or api.world.runner.run(service.answer(request))
        return Answer(response.status, response.headers, response.body)

    return send


@pytest.mark.parametrize(("version", "params"), TAKEN)
def test_what_a_version_has_is_taken(version: str, params: dict[str, Any], catalogue: Catalogue) -> None:
    endpoint = catalogue.resources[0].endpoints[0]
    assert check(endpoint.schema_for(version[:10]), params) == params


@pytest.mark.parametrize(("version", "params", "code", "param", "message"), REFUSED)
def test_what_a_version_removed_is_refused(
    version: str, params: dict[str, Any], code: str | None, param: str, message: str, catalogue: Catalogue
) -> None:
    with pytest.raises(ApiError) as caught:
        check(catalogue.resources[0].endpoints[0].schema_for(version[:10]), params)
    assert (caught.value.code, caught.value.param, caught.value.message) == (code, param, message)


def test_a_request_is_read_by_its_own_version(send: Callable[..., Answer]) -> None:
    assert send("POST", "/v1/kites", BEFORE, b"name=a") == {"name": "a"}
    refused = send("POST", "/v1/kites", AFTER, b"name=a")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_unknown", "name")


def test_an_endpoint_that_a_version_removed_is_an_unknown_url(send: Callable[..., Answer]) -> None:
    assert send("GET", "/v1/kites/next", BEFORE) == {"next": 1}
    gone = send("GET", "/v1/kites/next", AFTER)
    assert gone.status == 404
    assert gone.error["message"].startswith("Unrecognized request URL (GET: /v1/kites/next).")


def test_the_document_of_a_version_has_what_the_version_has(catalogue: Catalogue) -> None:
    def fields(version: str) -> list[str]:
        operation = openapi_document(catalogue, version=version)["paths"]["/v1/kites"]["post"]
        (body,) = operation["requestBody"]["content"].values()
        return sorted(body["schema"]["properties"])

    assert fields(BEFORE) == ["anchor", "expand", "kind", "name", "parts", "size"]
    assert fields(AFTER) == ["anchor", "expand", "kind", "parts", "size"]
    assert fields("2026-04-22.dahlia") == ["anchor", "expand", "kind", "parts"]
    assert "/v1/kites/next" in openapi_document(catalogue, version=BEFORE)["paths"]
    assert "/v1/kites/next" not in openapi_document(catalogue, version=AFTER)["paths"]


def test_a_browser_s_key_is_refused_what_the_version_removed() -> None:
    access = Access(takes="name kind size")
    assert access.read(SCHEMA, {"name": "a"}, ()) == {"name": "a"}
    with pytest.raises(ApiError) as caught:
        access.read(SCHEMA, {"size": "1", "name": "a"}, REMOVED[:1])
    assert (caught.value.code, caught.value.message) == ("parameter_unknown", "Received unknown parameter: name")


def test_every_declared_removal_names_a_parameter_of_its_endpoint() -> None:
    endpoints = [e for r in gather(tollkey.platform, tollkey.payments) for e in r.endpoints]
    vain = [
        (endpoint.method, endpoint.path, removed)
        for endpoint in endpoints
        for removed in endpoint.removed
        if shape(narrowed(endpoint.schema, (removed,))) == shape(endpoint.schema)
    ]
    assert vain == []
