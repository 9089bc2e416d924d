"""Headers, bodies, metadata, lists, expansions, URLs and sizes: reference sections 1.9 and 1.10."""

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


# -- metadata


def test_metadata_is_merged_and_an_empty_text_unsets_a_key(api: Api) -> None:
    made = api.ok("POST", "/v1/customers", metadata={"a": "1", "b": "2"})["id"]
    assert api.ok("POST", f"/v1/customers/{made}", metadata={"b": "3", "c": "4"})["metadata"] == {
        "a": "1",
        "b": "3",
        "c": "4",
    }
    assert api.ok("POST", f"/v1/customers/{made}", metadata={"a": ""})["metadata"] == {"b": "3", "c": "4"}
    assert api.send("POST", f"/v1/customers/{made}", body=b"metadata=")["metadata"] == {}


def test_metadata_has_fifty_keys_of_forty_characters_at_most(api: Api) -> None:
    assert api.post("/v1/customers", metadata={f"k{n}": "v" for n in range(50)}).status == 200
    assert api.post("/v1/customers", metadata={f"k{n}": "v" for n in range(51)}).status == 400
    assert api.post("/v1/customers", metadata={"k" * 40: "v" * 500}).status == 200
    assert api.post("/v1/customers", metadata={"k" * 41: "v"}).status == 400
    assert api.post("/v1/customers", metadata={"k": "v" * 501}).status == 400


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/v1/customers", {}),
        ("/v1/products", {"name": "Tea"}),
        ("/v1/webhook_endpoints", {"url": "https://example.com/hook", "enabled_events": ["*"]}),
    ],
)
def test_metadata_grows_to_fifty_keys_and_no_further(api: Api, path: str, given: dict[str, Any]) -> None:
    made = api.ok("post", path, metadata={f"key_{n}": "v" for n in range(50)}, **given)
    assert (
        api.post(f"{path}/{made['id']}", metadata={"one_more": "v"})
        .error["message"]
        .startswith("Metadata can have up to 50 keys")
    )
    changed = api.ok("post", f"{path}/{made['id']}", metadata={"one_more": "v", "key_0": ""})
    assert (len(changed["metadata"]), "key_0" in changed["metadata"]) == (50, False)


# -- lists


def customers(api: Api, count: int) -> list[str]:
    """So many customers, newest first, some of them of one second."""
    made = []
    for n in range(count):
        made.append(api.ok("POST", "/v1/customers", email=f"c{n}@example.com")["id"])
        api.world.clock[0] += n % 2
    return made[::-1]


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["data"]]


def test_a_list_is_newest_first_ten_at_a_time(api: Api) -> None:
    made = customers(api, 12)
    answer = api.get("/v1/customers")
    assert (answer["object"], answer["url"], answer["has_more"], ids(answer)) == (
        "list",
        "/v1/customers",
        True,
        made[:10],
    )


def test_walking_forwards_and_back_gives_every_object_once(api: Api) -> None:
    made = customers(api, 7)
    forwards, cursor = [], {}
    while True:
        page = api.get("/v1/customers", limit=3, **cursor)
        forwards += ids(page)
        if not page["has_more"]:
            break
        cursor = {"starting_after": forwards[-1]}
    assert forwards == made
    page = api.get("/v1/customers", limit=3, ending_before=made[-1])
    assert (ids(page), page["has_more"]) == (made[3:6], True)
    page = api.get("/v1/customers", limit=3, ending_before=made[3])
    assert (ids(page), page["has_more"]) == (made[:3], False)


def test_both_cursors_at_once_are_refused(api: Api) -> None:
    a, b = customers(api, 2)
    answer = api.get("/v1/customers", starting_after=a, ending_before=b)
    assert answer.status == 400
    assert (
        answer.error["message"] == "Received both starting_after and ending_before parameters. Please pass in only one."
    )


def test_a_cursor_that_is_not_there_is_told_before_that_there_are_two(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    answer = api.get("/v1/customers", starting_after="cus_no", ending_before=customer)
    assert (answer.status, answer.error["param"], answer.error["message"]) == (
        400,
        "starting_after",
        "No such customer: 'cus_no'",
    )


def test_a_filter_that_names_an_object_that_is_not_there_is_an_error_and_not_an_empty_page(api: Api) -> None:
    answer = api.get("/v1/charges", customer="cus_no")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "resource_missing", "customer")
    assert api.get("/v1/refunds", payment_intent="pi_no").error["message"] == "No such payment_intent: 'pi_no'"
    deleted = api.ok("POST", "/v1/customers")["id"]
    api.ok("DELETE", f"/v1/customers/{deleted}")
    assert api.get("/v1/subscriptions", customer=deleted, status="all").status == 200


def test_a_cursor_that_is_not_there_is_named(api: Api) -> None:
    answer = api.get("/v1/customers", starting_after="cus_aaa")
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "resource_missing", "starting_after")
    assert answer.error["message"] == "No such customer: 'cus_aaa'"


def test_another_account_s_object_is_no_cursor(api: Api) -> None:
    theirs = api.another().ok("POST", "/v1/customers")["id"]
    assert api.get("/v1/customers", starting_after=theirs).error["message"] == f"No such customer: '{theirs}'"


@pytest.mark.parametrize("limit", ["0", "101", "abc", "-1"])
def test_a_limit_is_a_whole_number_from_1_to_100(api: Api, limit: str) -> None:
    answer = api.get("/v1/customers", limit=limit)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "parameter_invalid_integer", "limit")


def test_created_filters_by_its_bounds(api: Api) -> None:
    first = api.ok("POST", "/v1/customers")
    api.world.clock[0] += 10
    second = api.ok("POST", "/v1/customers")
    assert ids(api.get("/v1/customers", created={"gt": first["created"]})) == [second["id"]]
    assert ids(api.get("/v1/customers", created={"gte": first["created"], "lt": second["created"]})) == [first["id"]]
    assert ids(api.get("/v1/customers", created=second["created"])) == [second["id"]]
    assert ids(api.get("/v1/customers", created={"lte": first["created"] - 1})) == []


# -- expansions


def charged(api: Api) -> dict[str, Any]:
    customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
    return api.ok("POST", "/v1/charges", amount=2000, currency="usd", customer=customer)


def test_an_id_becomes_its_object_and_what_is_stored_stays_an_id(api: Api) -> None:
    charge = charged(api)
    shown = api.get(f"/v1/charges/{charge['id']}", expand=["customer", "balance_transaction"])
    assert (shown["customer"]["id"], shown["balance_transaction"]["object"]) == (
        charge["customer"],
        "balance_transaction",
    )
    assert api.get(f"/v1/charges/{charge['id']}")["customer"] == charge["customer"]


def test_a_path_descends_and_in_a_list_begins_with_data(api: Api) -> None:
    charge = charged(api)
    deep = api.get(f"/v1/charges/{charge['id']}", expand=["balance_transaction.source.customer"])
    assert deep["balance_transaction"]["source"]["customer"]["object"] == "customer"
    listed = api.get("/v1/charges", expand=["data.customer"])
    assert listed["data"][0]["customer"]["object"] == "customer"


def test_expanding_works_on_the_answer_of_a_post(api: Api) -> None:
    charge = charged(api)
    refund = api.ok("POST", "/v1/refunds", charge=charge["id"], amount=100, expand=["charge.customer"])
    assert refund["charge"]["customer"]["object"] == "customer"


def test_more_than_four_levels_are_refused_and_a_list_s_data_is_one_of_them(api: Api) -> None:
    charge = charged(api)
    four = "balance_transaction.source.balance_transaction.source"
    assert api.get(f"/v1/charges/{charge['id']}", expand=[four]).status == 200
    assert api.get("/v1/charges", expand=["data.balance_transaction.source.customer"]).status == 200
    for path, deep in ((f"/v1/charges/{charge['id']}", four + ".customer"), ("/v1/charges", "data." + four)):
        answer = api.get(path, expand=[deep])
        assert (answer.status, answer.error["code"]) == (400, "property_expansion_max_depth")
        assert answer.error["message"] == f"You cannot expand more than 4 levels of a property. Property: {deep}"
        assert not {"doc_url", "param"} & answer.error.keys()


def test_what_cannot_be_expanded_is_named(api: Api) -> None:
    charge = charged(api)
    answer = api.get(f"/v1/charges/{charge['id']}", expand=["amount"])
    assert (answer.status, answer.error["message"]) == (400, "This property cannot be expanded (amount).")
    assert (
        api.get(f"/v1/charges/{charge['id']}", expand=["nothing"]).error["message"]
        == "This property cannot be expanded (nothing)."
    )


def test_of_a_path_the_part_up_to_what_cannot_be_expanded_is_named(api: Api) -> None:
    charge = charged(api)
    answer = api.get(f"/v1/charges/{charge['id']}", expand=["balance_transaction.amount.much"])
    assert answer.error["message"] == "This property cannot be expanded (balance_transaction.amount)."


def test_text_and_what_is_null_cannot_be_expanded(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers", email="jenny@example.com")["id"]
    for name in ("email", "phone"):
        answer = api.get(f"/v1/customers/{customer}", expand=[name])
        assert (answer.status, answer.error["message"]) == (400, f"This property cannot be expanded ({name}).")
    assert api.get(f"/v1/customers/{customer}", expand=["default_source"]).status == 200


def test_what_only_looks_like_the_id_of_an_object_is_not_expanded(api: Api) -> None:
    other = api.ok("POST", "/v1/customers")["id"]
    customer = api.ok("POST", "/v1/customers", description=other, metadata={"order": other})["id"]
    for path in ("id", "description", "metadata", "metadata.order"):
        name = path.partition(".")[0]
        answer = api.get(f"/v1/customers/{customer}", expand=[path])
        assert (answer.status, answer.error["message"]) == (400, f"This property cannot be expanded ({name}).")
        listed = api.get("/v1/customers", expand=[f"data.{path}"])
        assert listed.error["message"] == f"This property cannot be expanded (data.{name})."


def test_in_a_list_a_path_without_data_is_told_where_to_begin(api: Api) -> None:
    answer = api.get("/v1/charges", expand=["customer"])
    hint = "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead."
    assert (answer.status, answer.error["message"], "param" in answer.error) == (400, hint, False)
    assert api.get("/v1/charges", expand=["data"]).status == 200


def test_an_empty_page_refuses_what_a_full_one_would(api: Api) -> None:
    assert api.get("/v1/charges", expand=["data.customer", "data.refunds"])["data"] == []
    assert (
        api.get("/v1/charges", expand=["data.nothing"]).error["message"]
        == "This property cannot be expanded (data.nothing)."
    )


def test_expanding_needs_the_permission_to_read_what_is_shown(api: Api) -> None:
    charge = charged(api)
    key = api.restricted("charge_read")
    assert api.get(f"/v1/charges/{charge['id']}", key=key).status == 200
    answer = api.get(f"/v1/charges/{charge['id']}", key=key, expand=["customer"])
    assert (answer.status, answer.error["code"]) == (403, "more_permissions_required")
    assert "('customer_read')" in answer.error["message"]
    both = api.restricted("charge_read", "customer_read")
    assert api.get(f"/v1/charges/{charge['id']}", key=both, expand=["customer"]).status == 200


def test_a_refused_expansion_undoes_what_the_request_wrote(api: Api) -> None:
    before = len(api.get("/v1/customers")["data"])
    assert api.post("/v1/customers", expand=["nothing"]).status == 400
    assert len(api.get("/v1/customers")["data"]) == before


# -- what the other rules forget


def test_a_reused_path_with_two_names_is_not_answered_by_the_first(api: Api) -> None:
    """Stored bytes may only be answered where the path names one object."""
    raw = [e.path for r in api.core.catalogue.resources for e in r.endpoints if e.raw and e.path.count("{") != 1]
    assert raw == []
