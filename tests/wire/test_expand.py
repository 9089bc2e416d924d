"""Expansions: reference section 1.10."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, World
from tollkey.wire.expand import expands_many


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


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


def test_a_text_of_the_caller_s_own_names_no_other_account(api: Api) -> None:
    stranger = api.another()
    named = "ca_" + stranger.account.removeprefix("acct_")
    charge = api.ok("POST", "/v1/charges", amount=2000, currency="usd", source="tok_visa", transfer_group=named)
    refused = api.get(f"/v1/charges/{charge['id']}", expand=["transfer_group"])
    assert (refused.status, refused.error["message"]) == (400, "This property cannot be expanded (transfer_group).")


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


@pytest.mark.parametrize(
    ("given", "many"),
    [
        ({"limit": "100", "expand": ["data.customer", "data.latest_charge.balance_transaction"]}, True),
        ({"limit": "100", "expand": {"0": "data.customer", "7": "data.payment_method"}}, True),
        ({"limit": 51, "expand": ["data.customer", "data.payment_method"]}, True),
        ({"limit": "100", "expand": ["data.customer"]}, False),
        ({"limit": "100", "expand": ["data.customer"] * 600}, False),
        ({"expand": ["data.customer", "data.payment_method"]}, False),
        ({"limit": "100"}, False),
        ({"limit": "9" * 5_000, "expand": ["data.customer"]}, True),
        ({"limit": "many", "expand": ["data.customer"]}, False),
        ({"limit": "100", "expand": "data.customer"}, False),
        ({"limit": "100", "expand": [{"0": "data.customer"}, 7]}, False),
    ],
)
def test_only_a_long_page_with_several_expansions_is_no_work_for_the_loop(given: dict[str, Any], many: bool) -> None:
    assert expands_many(given) is many


def test_a_long_page_with_several_expansions_has_them_all(api: Api) -> None:
    charge = charged(api)
    (shown,) = api.get("/v1/charges", limit=100, expand=["data.customer", "data.balance_transaction.source"])["data"]
    assert (shown["customer"]["id"], shown["balance_transaction"]["source"]["id"]) == (charge["customer"], charge["id"])
