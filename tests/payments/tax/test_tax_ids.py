"""Tax ids have the form of their kind, and are checked a moment later."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.api import Api
from tollkey.payments.tax.tax_ids import well_formed


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("eu_vat", "DE123456789", True), ("eu_vat", "DE 123 456 789", True), ("eu_vat", "123", False),
        ("eu_vat", "DE12345678", False), ("eu_vat", "XX123456789", False), ("eu_vat", "ATU12345678", True),
        ("eu_vat", "AT12345678", False), ("eu_vat", "NL123456789B01", True), ("eu_vat", "IE1234567FA", True),
        ("eu_vat", "ESX1234567X", True), ("eu_vat", "FRXX123456789", True), ("eu_vat", "XI123456789", True),
        ("eu_vat", "EL123456789", True), ("eu_vat", "GR123456789", False), ("eu_vat", "FR000000000", True),
        ("gb_vat", "GB123456789", True), ("gb_vat", "GB12345678", False),
        ("us_ein", "12-3456789", True), ("us_ein", "12-345678", False),
        ("eu_vat", "000000000", True), ("xx_new", "anything", True),
    ],
)  # fmt: skip
def test_a_value_has_the_form_of_its_kind(kind: str, value: str, right: bool) -> None:
    assert well_formed(kind, value) is right


@pytest.mark.parametrize(
    ("value", "status"), [("DE123456789", "verified"), ("DE111111111", "unverified"), ("DE222222222", "pending")]
)
def test_the_last_digits_decide_the_check_in_test_mode(api: Api, value: str, status: str) -> None:
    path = f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/tax_ids"
    made = api.ok("POST", path, type="eu_vat", value=value)
    assert made["verification"]["status"] == "pending"
    api.advance(1)
    assert api.get(f"{path}/{made['id']}")["verification"]["status"] == status


def test_a_kind_that_nobody_checks_is_unavailable(api: Api) -> None:
    made = api.ok("POST", "/v1/tax_ids", type="us_ein", value="12-3456789")
    assert (made["verification"]["status"], made["country"], made["owner"]["type"]) == ("unavailable", "US", "self")


def test_live_mode_checks_nothing_without_a_provider(api: Api) -> None:
    made = api.ok("POST", "/v1/tax_ids", key=api.live_sk, type="eu_vat", value="DE123456789")
    assert made["verification"]["status"] == "unavailable"


def test_a_customer_s_tax_id_is_not_found_through_another(api: Api) -> None:
    one, other = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    made = api.ok("POST", f"/v1/customers/{one}/tax_ids", type="eu_vat", value="DE123456789")["id"]
    assert api.get(f"/v1/customers/{other}/tax_ids/{made}").status == 404
    assert api.delete(f"/v1/customers/{other}/tax_ids/{made}").status == 404


@pytest.mark.parametrize("owner", ["account", "customer"])
def test_an_owner_of_a_type_is_named(api: Api, owner: str) -> None:
    refused = api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner={"type": owner})
    assert (refused.status, refused.error["param"]) == (400, f"owner[{owner}]")
    assert api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner={"type": "self"}).status == 200


def _made(api: Api, **owner: str) -> str:
    made = api.ok("POST", "/v1/tax_ids", type="eu_vat", value="DE123456789", owner=owner)
    assert {name: made["owner"][name] for name in owner} == owner
    return str(made["id"])


def test_tax_ids_are_listed_by_their_owner(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", country="DE")["id"]
    customer = api.ok("POST", "/v1/customers")["id"]
    owners = (
        {"type": "self"},
        {"type": "application"},
        {"type": "account", "account": account},
        {"type": "customer", "customer": customer},
    )
    made = [_made(api, **owner) for owner in owners]
    for owner, id in zip(owners, made, strict=True):
        assert [one["id"] for one in api.get("/v1/tax_ids", owner=owner)["data"]] == [id]
    assert [one["id"] for one in api.get("/v1/tax_ids")["data"]] == made[:1]


@pytest.mark.parametrize(
    ("owner", "param"),
    [
        ({"type": "self", "customer": "cus_1"}, "owner[customer]"),
        ({"type": "customer", "customer": "cus_1"}, "owner[customer]"),
        ({"type": "customer", "customer": "cus_1", "account": "acct_1"}, "owner[account]"),
        ({"type": "account", "account": "acct_none"}, "owner[account]"),
        ({"type": "account"}, "owner[account]"),
    ],
)
def test_an_owner_is_known_and_of_its_type(api: Api, owner: dict[str, str], param: str) -> None:
    made = api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner=owner)
    listed = api.get("/v1/tax_ids", owner=owner)
    assert [(answer.status, answer.error["param"]) for answer in (made, listed)] == [(400, param)] * 2


LINES: dict[str, object] = {"line_items": [{"price": "PRICE", "quantity": 1}]}
PHASE = {"items": [{"price": "MONTHLY"}]}
SESSION = {"mode": "payment", "success_url": "https://shop.example", **LINES}
#: Operations that take ``account_tax_ids`` -> the path of what is changed, the other parameters, and where they stand.
NAMING: dict[str, tuple[str, dict[str, object], str]] = {
    "invoice": ("/v1/invoices", {"customer": "CUSTOMER"}, "account_tax_ids"),
    "subscription": (
        "/v1/subscriptions", {"customer": "CUSTOMER", "items": [{"price": "MONTHLY"}]},
        "invoice_settings[account_tax_ids]"),
    "phase": (
        "/v1/subscription_schedules", {"customer": "CUSTOMER", "start_date": "now", "phases": [PHASE]},
        "phases[0][invoice_settings][account_tax_ids]"),
    "schedule": (
        "/v1/subscription_schedules", {"customer": "CUSTOMER", "start_date": "now", "phases": [PHASE]},
        "default_settings[invoice_settings][account_tax_ids]"),
    "preview": (
        "/v1/invoices/create_preview", {"customer": "CUSTOMER", "schedule_details": {"phases": [PHASE]}},
        "schedule_details[phases][0][invoice_settings][account_tax_ids]"),
    "session": ("/v1/checkout/sessions", SESSION, "invoice_creation[invoice_data][account_tax_ids]"),
    "link": ("/v1/payment_links", LINES, "invoice_creation[invoice_data][account_tax_ids]"),
}  # fmt: skip


def _with(given: object, names: dict[str, str]) -> Any:
    """The parameters with ids in place of the capital words."""
    text = json.dumps(given)
    for word, id in names.items():
        text = text.replace(f'"{word}"', f'"{id}"')
    return json.loads(text)


def _put(params: dict[str, Any], path: str, value: object) -> None:
    """Set the parameter at a path in bracket form."""
    names = re.findall(r"[^\[\]]+", path)
    inner: Any = params
    for name in names[:-1]:
        inner = inner[int(name)] if name.isdigit() else inner.setdefault(name, {})
    inner[names[-1]] = value
    params.get("invoice_creation", {}).setdefault("enabled", True)


@pytest.mark.parametrize("case", NAMING)
def test_the_tax_ids_on_an_invoice_are_those_of_the_account(api: Api, case: str) -> None:
    customer = api.ok("POST", "/v1/customers", payment_method="pm_card_visa",
                      invoice_settings={"default_payment_method": "pm_card_visa"})["id"]  # fmt: skip
    price = {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Tea"}}
    names = {
        "CUSTOMER": customer,
        "PRICE": api.ok("POST", "/v1/prices", **price)["id"],
        "MONTHLY": api.ok("POST", "/v1/prices", recurring={"interval": "month"}, **price)["id"],
    }
    path, given, where = NAMING[case]
    foreign = {
        "unknown": "txi_no",
        "another merchant's": _made(api.another(), type="self"),
        "a customer's": _made(api, type="customer", customer=customer),
    }
    paths = [path]
    if case not in ("preview", "session"):
        paths.append(f"{path}/{api.ok('POST', path, **_with(given, names))['id']}")
    for url in paths:
        kept = {} if url != path and case not in ("phase",) else _with(given, names)
        for gone in ("customer", "start_date") if url != path else ():
            kept.pop(gone, None)
        for whose, id in foreign.items():
            params = {**kept}
            _put(params, where, [id])
            answer = api.post(url, **params)
            assert (answer.status, answer.error["param"]) == (400, f"{where}[0]"), (url, whose, answer)
    params = _with(given, names)
    _put(params, where, [_made(api, type="self")])
    assert api.post(path, **params).status == 200


def test_a_customer_has_five_tax_ids_at_most(api: Api) -> None:
    path = f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/tax_ids"
    first, *_ = (api.ok("POST", path, type="eu_vat", value=f"DE12345678{last}")["id"] for last in range(5))
    refused = api.post(path, type="eu_vat", value="DE123456789")
    assert (refused.status, refused.error["message"]) == (400, "Customers can have at most 5 tax IDs.")
    api.ok("DELETE", f"{path}/{first}")
    assert api.post(path, type="eu_vat", value="DE123456789").status == 200
    assert all(api.post("/v1/tax_ids", type="eu_vat", value=f"DE12345678{last}").status == 200 for last in range(6))
