"""New objects, and what can be expanded in them."""

from __future__ import annotations

import pytest

from tests.support.openapi import assert_valid, object_problems, problems
from tollkey.wire import new_object
from tollkey.wire.shapes import expand_targets, expandables, missing_fields, properties
from tollkey.wire.spec import object_facts
from tollkey.wire.spec.usual import ALWAYS, EXPANDED_BEFORE, SOMETIMES, WHEN_EXPANDED

SETTINGS = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}


def test_a_blank_object_has_the_order_and_the_nulls_of_the_real_one() -> None:
    customer = new_object(
        "customer", id="cus_1", created=5, livemode=False, balance=0, next_invoice_sequence=1, invoice_settings=SETTINGS
    )
    assert list(customer) == ["id", "object", *sorted(customer.keys() - {"id", "object"})]
    assert customer["object"] == "customer"
    assert (customer["metadata"], customer["preferred_locales"], customer["email"]) == ({}, [], None)
    assert customer.keys().isdisjoint({"sources", "subscriptions", "tax", "cash_balance"})
    assert missing_fields(customer) == []
    assert object_problems("customer", customer, strict=True) == []


def test_an_optional_property_that_is_given_stands_in_its_place() -> None:
    charge = new_object("charge", id="ch_1", transfer="tr_1", presentment_details={})
    names = list(charge)
    assert names[2:] == sorted(names[2:])
    assert "transfer" not in new_object("charge")


def test_two_blank_objects_share_nothing() -> None:
    one = new_object("customer")
    one["metadata"]["a"] = "1"
    one["preferred_locales"].append("de")
    assert (new_object("customer")["metadata"], new_object("customer")["preferred_locales"]) == ({}, [])


def test_missing_fields_are_named() -> None:
    assert missing_fields(new_object("balance_transaction", amount=1)) == [
        "id", "available_on", "balance_type", "created", "currency", "fee", "net", "reporting_category", "status",
        "type",
    ]  # fmt: skip


def test_a_property_that_the_object_lacks_is_an_error_in_our_code() -> None:
    with pytest.raises(ValueError, match="customer has no nickname"):
        new_object("customer", nickname="x")
    with pytest.raises(LookupError, match="no such object"):
        new_object("unicorn")


@pytest.mark.parametrize(
    ("object_name", "path", "targets"),
    [
        ("charge", "customer", ("customer",)),
        ("charge", "balance_transaction", ("balance_transaction",)),
        ("charge", "refunds", ("list",)),
        ("charge", "refunds.data.balance_transaction", ("balance_transaction",)),
        ("payment_intent", "latest_charge.balance_transaction", ("balance_transaction",)),
        ("payment_intent", "latest_charge.customer.default_source", ("bank_account", "card", "source")),
        ("list:charge", "data.customer", ("customer",)),
        ("list:charge", "customer", None),
        ("subscription", "latest_invoice.payments.data.payment.payment_intent", ("payment_intent",)),
        ("subscription", "items.data.price.product", ("product",)),
        ("customer", "cash_balance", ("hash",)),
        ("customer", "subscriptions.data.latest_invoice", ("invoice",)),
        ("dispute", "balance_transactions", ("balance_transaction",)),
        ("setup_intent", "latest_attempt.payment_method_details.card.x", None),
        ("invoice", "payment_intent", ("payment_intent",)),
        ("charge", "billing_details", None),
        ("charge", "amount", None),
        ("charge", "nope", None),
        ("charge", "", None),
        ("charge", "customer..x", None),
        ("unicorn", "x", None),
    ],
)
def test_a_path_leads_to_what_the_document_says(object_name: str, path: str, targets: tuple[str, ...] | None) -> None:
    assert expand_targets(object_name, path) == targets


def test_a_path_may_be_four_names_deep() -> None:
    assert expand_targets("charge", "customer.default_source.customer.test_clock")
    assert expand_targets("charge", "customer.default_source.customer.default_source.customer") is None


def test_the_expandable_properties_of_an_object_reach_into_its_hashes() -> None:
    own = expandables("payment_method")
    assert own["card.generated_from.setup_attempt"] == ("setup_attempt",)
    assert own["customer"] == ("customer",)


def test_every_object_of_the_document_can_be_made_and_walked() -> None:
    for name in object_facts().roots:
        if properties(name):
            new_object(name)
            assert all(path.count(".") < 4 for path in expandables(name))


@pytest.mark.parametrize("table", [ALWAYS, SOMETIMES, WHEN_EXPANDED, EXPANDED_BEFORE])
def test_our_own_tables_name_objects_and_properties_that_exist(table: dict[str, object]) -> None:
    for name, paths in table.items():
        known = properties(name)
        if table is not EXPANDED_BEFORE:
            assert {path.partition(".")[0] for path in paths} <= set(known), name  # type: ignore[attr-defined]


def test_an_answer_is_judged_by_the_whole_document() -> None:
    page = {
        "object": "list",
        "data": [{"id": "cus_1", "object": "customer", "created": "x"}],
        "has_more": False,
        "url": "/v1/customers",
    }
    assert problems("GET", "/v1/customers", 200, page) == [
        'data.0: "livemode" is a required property',
        'data.0.created: "x" is not of type "integer"',
    ]
    assert_valid(
        "GET",
        "/v1/customers/{id}",
        404,
        {"error": {"type": "invalid_request_error", "message": "No such customer: 'x'"}},
    )
    with pytest.raises(AssertionError, match=r"GET /v1/customers 200:\n  data\.0: .livemode"):
        assert_valid("GET", "/v1/customers", 200, page)


def test_a_choice_is_told_by_its_likeliest_branch() -> None:
    charge = {
        "default_source": {"object": "card", "id": 3},
        "id": "cus_1",
        "object": "customer",
        "created": 1,
        "livemode": False,
    }
    found = object_problems("customer", charge)
    assert 'default_source.id: 3 is not of type "string"' in found
    assert 'default_source: "last4" is a required property' in found
