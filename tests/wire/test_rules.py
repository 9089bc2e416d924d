"""Headers, bodies, URLs and sizes: reference sections 1.9 and 1.10."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.support.api import Api, World
from tollkey.wire.versions import LATEST

EVERY_ANSWER = {
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET, HEAD, PUT, PATCH, POST, DELETE",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Request-Id, Stripe-Manage-Version, Stripe-Should-Retry,"
    " X-Stripe-External-Auth-Required,"
    " X-Stripe-Privileged-Session-Required",
    "access-control-max-age": "300",
    "cache-control": "no-cache, no-store",
    "vary": "Origin",
}


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def over_asgi(api: Api, method: str, url: str, **options: Any) -> httpx.Response:
    """One request to the application as a server would hand it over."""

    async def work() -> httpx.Response:
        transport = httpx.ASGITransport(app=api.world.server.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, url, **options)

    return api.world.runner.run(work())


def bearer(api: Api) -> dict[str, str]:
    return {"Authorization": f"Bearer {api.sk}"}


# -- headers


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/cus_nothing", "/v1/no_such_thing"])
def test_every_answer_has_the_common_headers(api: Api, path: str) -> None:
    for headers in (bearer(api), {}):
        answer = over_asgi(api, "GET", path, headers=headers)
        assert {name: answer.headers[name] for name in EVERY_ANSWER} == EVERY_ANSWER
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_every_answer_to_a_valid_key_has_a_request_id_and_a_version(api: Api) -> None:
    for answer in (
        api.get("/v1/customers"),
        api.post("/v1/customers"),
        api.get("/v1/nothing"),
        api.post("/v1/customers", no_such="x"),
    ):
        assert re.fullmatch(r"req_[0-9A-Za-z]{14}", answer.headers["request-id"])
        assert answer.headers["stripe-version"] == LATEST


def test_the_account_acted_for_is_echoed(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", type="standard", email="shop@example.com")["id"]
    assert api.get("/v1/customers", headers={"Stripe-Account": account}).headers["stripe-account"] == account
    assert "stripe-account" not in api.get("/v1/customers").headers


def test_bodies_are_indented_by_two_and_only_errors_end_in_a_newline(api: Api) -> None:
    made = api.post("/v1/customers")
    assert made.body.startswith(b'{\n  "id": "cus_')
    assert not made.body.endswith(b"\n")
    assert api.get("/v1/customers/cus_nothing").body.endswith(b"}\n")


def test_an_error_has_its_keys_in_order_and_leads_to_its_log(api: Api) -> None:
    answer = api.get("/v1/customers/cus_nothing")
    assert list(answer.error) == sorted(answer.error)
    request = answer.headers["request-id"]
    assert answer.error["request_log_url"].endswith(f"/{api.account}/test/workbench/logs?object={request}")
    live = api.get("/v1/customers/cus_nothing", key=api.live_sk)
    assert f"/{api.account}/workbench/logs?object=" in live.error["request_log_url"]
    assert answer.error["doc_url"] == "https://stripe.com/docs/error-codes/resource-missing"


# -- browsers


def test_a_preflight_is_allowed_without_a_key(api: Api) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "authorization,stripe-version"}
    answer = over_asgi(api, "OPTIONS", "/v1/payment_methods", headers=asked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-headers"] == "authorization,stripe-version"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_head_is_a_get_without_a_body(api: Api) -> None:
    answer = over_asgi(api, "HEAD", "/v1/customers", headers=bearer(api))
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


# -- URLs


def test_an_unknown_url_is_told_back(api: Api) -> None:
    answer = api.get("/v1/foo")
    assert answer.status == 404
    assert answer.error["message"] == (
        "Unrecognized request URL (GET: /v1/foo). Please see https://stripe.com/docs or we can help at"
        " https://support.stripe.com/."
    )


def test_a_trailing_slash_is_no_list_and_the_message_says_why(api: Api) -> None:
    answer = api.get("/v1/customers/")
    assert answer.status == 404
    assert answer.error["message"] == (
        "Unrecognized request URL (GET: /v1/customers/). If you are trying to list objects,"
        " remove the trailing slash. If you are trying"
        " to retrieve an object, make sure you passed a valid (non-empty)"
        " identifier in your code. Please see https://stripe.com/docs"
        " or we can help at https://support.stripe.com/."
    )


def test_another_method_on_a_known_url_is_an_unknown_url(api: Api) -> None:
    answer = api.send("PUT", "/v1/customers")
    assert answer.error["message"].startswith("Unrecognized request URL (PUT: /v1/customers).")


def test_the_prefix_of_an_id_is_not_looked_at(api: Api) -> None:
    answer = api.get("/v1/customers/ch_x")
    assert (answer.status, answer.error["message"]) == (404, "No such customer: 'ch_x'")


def test_an_encoded_id_is_shown_as_it_was_meant(api: Api) -> None:
    assert api.get("/v1/customers/a%20b").error["message"] == "No such customer: 'a b'"


# -- sizes


def test_a_url_of_more_than_16_kib_is_refused_before_anything_else(api: Api) -> None:
    answer = over_asgi(api, "GET", "/v1/customers?email=" + "x" * 17_000)
    assert (answer.status_code, answer.headers["content-type"]) == (414, "text/html")


def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    answer = over_asgi(
        api, "POST", "/v1/customers", headers=bearer(api), content=b"description=" + b"x" * (5 * 1024 * 1024)
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"


# -- bodies


def test_broken_json_is_a_bad_request(api: Api) -> None:
    answer = api.send("POST", "/v1/customers", body=b'{"email":', headers={"Content-Type": "application/json"})
    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")


def test_parameters_of_query_and_body_are_one(api: Api) -> None:
    answer = api.send("POST", "/v1/customers", query="email=a@example.com", body=b"name=Jenny")
    assert (answer["email"], answer["name"]) == ("a@example.com", "Jenny")


@pytest.mark.parametrize(
    ("params", "code", "param", "message"),
    [
        ({"wat": "1"}, "parameter_unknown", "wat", "Received unknown parameter: wat"),
        (
            {"invoice_settings": {"nope": "1"}},
            "parameter_unknown",
            "invoice_settings[nope]",
            "Received unknown parameter: ",
        ),
        ({"balance": "abc"}, "parameter_invalid_integer", "balance", "Invalid integer: abc"),
        ({"email": "no address"}, "email_invalid", "email", "Invalid email address: no address"),
        ({"tax_exempt": "maybe"}, None, "tax_exempt", "Invalid tax_exempt: must be one of "),
        ({"preferred_locales": "x"}, None, "preferred_locales", "Invalid array"),
        ({"address": "x"}, None, "address", "Invalid "),
    ],
)
def test_a_wrong_parameter_is_named(
    api: Api, params: dict[str, Any], code: str | None, param: str, message: str
) -> None:
    answer = api.post("/v1/customers", **params)
    assert (answer.status, answer.error.get("code"), answer.error["param"]) == (400, code, param)
    assert answer.error["message"].startswith(message)


def test_a_missing_parameter_is_named(api: Api) -> None:
    answer = api.post("/v1/webhook_endpoints", enabled_events=["*"])
    assert (answer.error["code"], answer.error["param"]) == ("parameter_missing", "url")
    assert answer.error["message"] == "Missing required param: url."


# -- what the other rules forget


def test_a_reused_path_with_two_names_is_not_answered_by_the_first(api: Api) -> None:
    """Stored bytes may only be answered where the path names one object."""
    raw = [e.path for r in api.core.catalogue.resources for e in r.endpoints if e.raw and e.path.count("{") != 1]
    assert raw == []


def test_a_key_of_idempotency_is_for_requests_that_change_something(api: Api) -> None:
    headers = {**bearer(api), "idempotency-key": "one"}
    assert over_asgi(api, "HEAD", "/v1/customers", headers=headers).status_code == 200
    assert api.post("/v1/customers", headers={"idempotency-key": "one"}).status == 200
