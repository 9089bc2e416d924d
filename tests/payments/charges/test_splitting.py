"""Who may charge; and what of a charge goes to others: an application fee, the transfer of a destination charge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api, rule_table
from tests.support.connected import acting, audit, available, connected, in_state, korean_recipient
from tests.support.openapi import assert_valid

DISABLED = "Your account cannot currently make charges."
DIRECT = "You cannot create a charge on a connected account without the `card_payments` capability enabled."
BEHALF = "You cannot create a charge with the `on_behalf_of` parameter set to a connected account with `transfers`"


def test_a_destination_charge_passes_its_money_on_and_keeps_the_fee(api: Api) -> None:
    account = connected(api)
    charge = api.ok(
        "post", "/v1/charges", amount=1_000, currency="usd", source="tok_bypassPending", application_fee_amount=100,
        transfer_data={"destination": account["id"]},
    )  # fmt: skip
    assert available(api, account) == 900
    fee = api.ok("get", f"/v1/application_fees/{charge['application_fee']}")
    assert_valid("GET", "/v1/application_fees/{id}", 200, fee)
    assert (fee["amount"], fee["account"], fee["originating_transaction"]) == (100, account["id"], charge["id"])
    api.ok("post", "/v1/refunds", charge=charge["id"], reverse_transfer=True, refund_application_fee=True)
    assert available(api, account) == 0
    fee = api.get(f"/v1/application_fees/{fee['id']}")
    assert (fee["refunded"], fee["amount_refunded"]) == (True, 100)
    assert api.get(f"/v1/transfers/{charge['transfer']}")["reversed"]
    assert_valid("GET", "/v1/application_fees/{id}", 200, fee)
    audit(api, account)


def test_an_account_that_is_not_there_gets_no_money(api: Api) -> None:
    given = {"amount": 1_000, "currency": "usd", "source": "tok_visa"}
    assert api.post("/v1/charges", transfer_data={"destination": "acct_no"}, **given).status == 400
    assert api.get("/v1/charges")["data"] == []


def charge(api: Api, way: str, **more: Any) -> Answer:
    """Try a payment in one of the ways that there are."""
    if way == "charge":
        return api.post("/v1/charges", amount=100, currency="usd", source="tok_visa", **more)
    headers = {"headers": more["headers"]} if "headers" in more else {}
    given = {"allowed_payment_method_types": ["card"], "payment_method": "pm_card_visa", **more}
    intent = api.ok("post", "/v1/payment_intents", amount=100, currency="usd", **given)
    return api.post(f"/v1/payment_intents/{intent['id']}/confirm", **headers)


@pytest.mark.parametrize("way", ["charge", "intent"])
@pytest.mark.parametrize(
    ("state", "refusal"),
    [("unrequested", DISABLED), ("inactive", DISABLED), ("rejected", DISABLED), ("pending", None), ("active", None)],
)
def test_only_an_account_that_is_enabled_is_charged_for(api: Api, way: str, state: str, refusal: str | None) -> None:
    account = in_state(api, state)
    for more in ({"headers": acting(account)}, {"on_behalf_of": account["id"]}):
        answer = charge(api, way, **more)
        assert answer.status == (200 if refusal is None else 400)
        assert refusal is None or answer.error["message"] == refusal


@pytest.mark.parametrize("way", ["charge", "intent"])
def test_a_recipient_cannot_charge_nor_be_charged_for(api: Api, way: str) -> None:
    account = korean_recipient(api)
    assert charge(api, way, headers=acting(account)).error["message"] == DIRECT
    assert charge(api, way, on_behalf_of=account["id"]).error["message"].startswith(BEHALF)


def test_a_test_card_that_blocks_charges_stops_the_next_one(api: Api) -> None:
    account = connected(api)
    given = {"amount": 100, "currency": "usd", "headers": acting(account)}
    api.ok("post", "/v1/charges", source="tok_visa_triggerChargeBlock", **given)
    api.advance(1)
    assert api.post("/v1/charges", source="tok_visa", **given).error["message"] == DISABLED


def test_an_invoice_of_an_account_that_cannot_charge_stays_open(api: Api) -> None:
    account = in_state(api, "active")
    headers = acting(account)
    method = api.ok("post", "/v1/payment_methods", type="card", card={"token": "tok_visa"}, headers=headers)["id"]
    given = {"payment_method": method, "invoice_settings": {"default_payment_method": method}}
    customer = api.ok("post", "/v1/customers", headers=headers, **given)["id"]
    api.ok("post", "/v1/invoiceitems", customer=customer, amount=500, currency="usd", headers=headers)
    invoice = api.ok(
        "post", "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", headers=headers
    )
    api.ok("post", f"/v1/accounts/{account['id']}/reject", reason="fraud_other")
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize", headers=headers)
    assert api.post(f"/v1/invoices/{invoice['id']}/pay", headers=headers).error["message"] == DISABLED
    assert api.get(f"/v1/invoices/{invoice['id']}", headers=headers)["status"] == "open"


def test_an_application_fee_stays_within_the_country_where_it_is_not_supported_across(api: Api) -> None:
    bank = {"object": "bank_account", "country": "MX", "currency": "mxn", "account_number": "000123456789"}
    account = connected(api, country="MX", external_account=bank)
    message = "Stripe doesn't currently support application fees for platforms in US with connected accounts in MX."
    direct = {"amount": 100, "currency": "usd", "application_fee_amount": 10, "headers": acting(account)}
    for path, more in (("/v1/charges", {"source": "tok_visa"}), ("/v1/payment_intents", {})):
        refused = api.post(path, **direct, **more)
        assert (refused.status, refused.error["code"]) == (400, "charge_invalid_parameter")
        assert (refused.error["param"], refused.error["message"]) == ("application_fee_amount", message)
    behalf = {"transfer_data": {"destination": account["id"]}, "on_behalf_of": account["id"]}
    given = {"amount": 100, "currency": "usd", "application_fee_amount": 10, **behalf}
    assert api.post("/v1/payment_intents", **given).error["message"] == message


def test_a_destination_gets_no_more_than_is_paid_or_captured(api: Api) -> None:
    account = connected(api)
    given = {"amount": 1_000, "currency": "usd", "source": "tok_visa"}
    for share, status in ((1_001, 400), (1_000, 200)):
        answer = api.post("/v1/charges", **given, transfer_data={"destination": account["id"], "amount": share})
        assert (answer.status, answer.get("error", {}).get("param")) == (
            status,
            "transfer_data[amount]" if status == 400 else None,
        )
    held = api.ok("post", "/v1/charges", **given, capture=False, transfer_data={"destination": account["id"]})
    path = f"/v1/charges/{held['id']}/capture"
    refused = api.post(path, amount=600, transfer_data={"amount": 601})
    assert (refused.status, refused.error["param"]) == (400, "transfer_data[amount]")
    assert api.post(path, amount=600, transfer_data={"amount": 600}).status == 200


LINES = [{"price_data": {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Tea"}}, "quantity": 1}]
MONTHLY = {"currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"}, "product_data": {"name": "Tea"}}
PAGE = "https://shop.example/thanks"
TAX = "automatic_tax"


def bodies(api: Api) -> dict[str, dict[str, Any]]:
    """Paths at which something is made for a customer -> what it is made with."""
    customer = api.ok("post", "/v1/customers", payment_method="pm_card_visa",
                      invoice_settings={"default_payment_method": "pm_card_visa"},
                      address={"country": "US", "postal_code": "94107"})["id"]  # fmt: skip
    items = [{"price": api.ok("post", "/v1/prices", **MONTHLY)["id"]}]
    phase = {"items": items, "duration": {"interval": "month"}}
    return {
        "/v1/invoices": {"customer": customer},
        "/v1/subscriptions": {"customer": customer, "items": items},
        "/v1/quotes": {"customer": customer, "line_items": items},
        "/v1/subscription_schedules": {"customer": customer, "start_date": "now", "phases": [phase]},
        "/v1/checkout/sessions": {"mode": "payment", "line_items": LINES, "success_url": PAGE},
        "/v1/payment_links": {"line_items": LINES},
        "/v1/invoices/create_preview": {"customer": customer, "subscription_details": {"items": items}},
    }  # fmt: skip


#: Path -> the hash in which it takes who issues the invoice, or who is liable for its tax.
REFERENCES = {
    "/v1/invoices": ((), (TAX, "liability")),
    "/v1/subscriptions": (("invoice_settings", "issuer"), (TAX, "liability")),
    "/v1/quotes": (("invoice_settings", "issuer"), (TAX, "liability")),
    "/v1/subscription_schedules":
        (("default_settings", "invoice_settings", "issuer"), ("default_settings", TAX, "liability")),
    "/v1/checkout/sessions": (("invoice_creation", "invoice_data", "issuer"), (TAX, "liability")),
    "/v1/payment_links": (("invoice_creation", "invoice_data", "issuer"), (TAX, "liability")),
    "/v1/invoices/create_preview": (("issuer",), (TAX, "liability")),
}  # fmt: skip
CASES = [(path, where or ("issuer",)) for path, both in REFERENCES.items() for where in both]


@rule_table
@pytest.mark.parametrize(("path", "where"), CASES)
def test_an_account_that_issues_or_is_liable_is_named_by_its_type_and_connected(
    api: Api, path: str, where: tuple[str, ...]
) -> None:
    account, other = connected(api)["id"], connected(api.another())["id"]
    body = bodies(api)[path]

    def send(**reference: str) -> Answer:
        given: Any = reference
        for name in reversed(where):
            given = {name: given, "enabled": True} if name in ("liability", "invoice_data") else {name: given}
        return api.post(path, **body, **given)

    param = where[0] + "".join(f"[{name}]" for name in where[1:]) + "[account]"
    assert send(type="self").status == 200
    assert send(type="account", account=account).status == 200
    assert send(type="account").refusal[:3] == (400, "parameter_missing", param)
    assert send(type="self", account=account).refusal[:3] == (400, None, param)
    for unknown in (other, "acct_unknown"):
        refused = send(type="account", account=unknown)
        assert refused.refusal == (400, "resource_missing", param, f"No such account: '{unknown}'")


#: Path -> the hash in which recurring payments are shared.
SHARED = {
    "/v1/subscriptions": (),
    "/v1/quotes": (),
    "/v1/subscription_schedules": ("default_settings",),
}


@rule_table
@pytest.mark.parametrize("path", SHARED)
@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"transfer_data": {"amount_percent": 101}}, "transfer_data[amount_percent]"),
        ({"transfer_data": {"amount_percent": 1.234}}, "transfer_data[amount_percent]"),
        ({"application_fee_percent": 101}, "application_fee_percent"),
        ({"transfer_data": {"amount_percent": 10}, "application_fee_percent": 5}, None),
    ],
)
def test_parts_of_recurring_payments_are_percentages_of_one_kind(
    api: Api, path: str, given: dict[str, Any], param: str | None
) -> None:
    body, outer = bodies(api)[path], SHARED[path]
    share = {**given, "transfer_data": {"destination": connected(api)["id"], **given.get("transfer_data", {})}}
    refused = api.post(path, **body, **({outer[0]: share} if outer else share))
    assert refused.status == 400
    if param is None:
        named = "You may only specify one of these parameters: application_fee_percent, transfer_data[amount_percent]."
        assert refused.error["message"] == named
    else:
        first, bracket, rest = param.partition("[")
        assert refused.error["param"] == (f"{outer[0]}[{first}]{bracket}{rest}" if outer else param)


def test_a_fee_of_a_subscription_is_taken_from_an_account_that_gets_its_money(api: Api) -> None:
    body = bodies(api)["/v1/subscriptions"]
    refused = api.post("/v1/subscriptions", **body, on_behalf_of=connected(api)["id"], application_fee_percent=10)
    assert (refused.status, refused.error["param"]) == (400, "application_fee_percent")


@rule_table
@pytest.mark.parametrize("path", ["/v1/charges", "/v1/payment_intents", "/v1/invoices", "/v1/payment_links"])
@pytest.mark.parametrize(
    ("part", "param"),
    [({"application_fee_amount": -1}, "application_fee_amount"), ({"amount": 0}, "transfer_data[amount]"),
     ({"amount": -1}, "transfer_data[amount]")],
)  # fmt: skip
def test_parts_of_a_payment_are_no_less_than_something(api: Api, path: str, part: dict[str, int], param: str) -> None:
    money = {"amount": 1000, "currency": "usd"}
    body = {**bodies(api), "/v1/charges": {**money, "source": "tok_visa"}, "/v1/payment_intents": money}[path]
    share = {"destination": connected(api)["id"]}
    given = {"transfer_data": {**share, **part}} if "amount" in part else {"transfer_data": share, **part}
    refused = api.post(path, **body, **given)
    assert refused.refusal[:3] == (400, "parameter_invalid_integer", param)


def test_a_session_gives_a_part_or_takes_a_fee(api: Api) -> None:
    both = {"application_fee_amount": 10, "transfer_data": {"destination": connected(api)["id"], "amount": 10}}
    refused = api.post("/v1/checkout/sessions", **bodies(api)["/v1/checkout/sessions"], payment_intent_data=both)
    assert refused.status == 400
    assert "payment_intent_data[transfer_data][amount]" in refused.error["message"]
