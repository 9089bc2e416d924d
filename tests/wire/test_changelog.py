"""Each row of the changelog is true: what it says is built is declared, and does what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

import tollkey.payments
import tollkey.platform
from tests.payments.issuing.steps import fund, issued
from tests.support.api import Api
from tollkey.core import gather
from tollkey.wire import Endpoint, changelog
from tollkey.wire.params import operation_name
from tollkey.wire.removed import Removed
from tollkey.wire.resource import Catalogue
from tollkey.wire.spec.dates import DATES
from tollkey.wire.spec.usual import EXPANDED_UNTIL

CATALOGUE = Catalogue(gather(tollkey.platform, tollkey.payments))
ENDPOINTS = {
    operation_name(endpoint.method, endpoint.path): endpoint
    for resource in CATALOGUE.resources
    for endpoint in resource.endpoints
}
ROOT = Path(__file__).parents[2]


def day_before(day: str) -> str:
    return str(date.fromisoformat(day) - timedelta(1))


def before(day: str) -> str:
    """The newest version before the one of that day, as a header names it."""
    newest = max(known for known in DATES if known < day)
    return ".".join(part for part in (newest, DATES[newest]) if part)


def named(day: str) -> str:
    return ".".join(part for part in (day, DATES[day]) if part)


def endpoint(name: str) -> Endpoint:
    return ENDPOINTS[operation_name(*name.split(" ", 1))]


def has(endpoint: Endpoint, param: str, day: str) -> bool:
    """Whether an endpoint takes a parameter under the version of that day."""
    node: object = endpoint.schema_for(day)
    for name in param.split("."):
        node = getattr(node, "inner", node)
        fields = getattr(node, "fields", {})
        if name.removesuffix("[]") not in fields:
            return False
        node = fields[name.removesuffix("[]")]
        if name.endswith("[]"):
            node = getattr(getattr(node, "inner", node), "item", node)
    return True


def claim_holds(claim: str, day: str) -> bool:
    kind, _, rest = claim.partition(" ")
    if kind == "change":
        return any(change.date == day for change in CATALOGUE.by_object[rest].changes)
    if kind == "test":
        file, _, name = rest.partition("::")
        return f"def {name}(" in (ROOT / file).read_text()
    if kind == "ended":
        return endpoint(rest).until == day
    if kind == "expand":
        object, _, name = rest.partition(" ")
        return EXPANDED_UNTIL[object][name] == day
    name, _, param = rest.rpartition(" ")
    if kind == "absent":
        return not has(endpoint(name), param, day)
    return kind == "removed" and any(each.param == param and each.date == day for each in endpoint(name).removed)


@pytest.mark.parametrize("row", changelog.entries(), ids=lambda row: row.link)
def test_a_row_says_what_is_done_or_why_not(row: changelog.Entry) -> None:
    assert named(row.date) == row.version
    assert row.what.endswith(".")
    if row.decision == "done":
        assert row.by
        assert not row.why
        assert [claim for claim in row.by if not claim_holds(claim, row.date)] == []
    else:
        assert row.decision in ("not applicable", "left out")
        assert row.why.endswith(".")
        assert not row.by
    assert all(operation_name(*name.split(" ", 1)) in ENDPOINTS for name, _ in row.differs)


def removals() -> Iterator[tuple[str, Removed]]:
    for name, found in ENDPOINTS.items():
        for each in found.removed:
            yield name, each


@pytest.mark.parametrize(("name", "removed"), list(removals()), ids=str)
def test_a_version_refuses_what_it_removed_and_the_one_before_takes_it(name: str, removed: Removed) -> None:
    assert removed.date in DATES
    found = ENDPOINTS[name]
    if removed.param:
        assert has(found, removed.param, day_before(removed.date))
    if removed.param and not (removed.values or removed.becomes or removed.message):
        assert not has(found, removed.param, removed.date)


def test_a_removed_parameter_is_unknown_by_its_name(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    old, new = api.under(before("2025-03-31")), api.under("2025-03-31.basil")
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="once")["id"]
    assert new.post(f"/v1/customers/{customer}", coupon=coupon).error["code"] == "parameter_unknown"
    assert old.ok("POST", f"/v1/customers/{customer}", coupon=coupon)["discount"]["coupon"]["id"] == coupon


def test_an_endpoint_that_is_gone_is_an_unknown_url(api: Api) -> None:
    gone = api.under("2025-03-31.basil").get("/v1/invoices/upcoming", customer="cus_none")
    assert gone.status == 404
    assert gone.error["message"].startswith("Unrecognized request URL (GET: /v1/invoices/upcoming)")
    assert (
        api.under(before("2025-03-31")).get("/v1/invoices/upcoming", customer="cus_none").error["param"] == "customer"
    )


def test_features_of_products_were_renamed_on_2024_04_10(api: Api) -> None:
    old, new = api.under(before("2024-04-10")), api.under("2024-04-10")
    made = old.ok("POST", "/v1/products", name="Hat", features=[{"name": "Warm"}])
    assert (made["features"], "marketing_features" in made) == ([{"name": "Warm"}], False)
    shown = new.get(f"/v1/products/{made['id']}")
    assert (shown["marketing_features"], "features" in shown) == ([{"name": "Warm"}], False)
    changed = old.ok("POST", f"/v1/products/{made['id']}", features=[{"name": "Soft"}])
    assert changed["features"] == [{"name": "Soft"}]
    assert new.post("/v1/products", name="Hat", features=[{"name": "Warm"}]).error["param"] == "features"


def test_rendering_options_of_invoices_were_renamed_on_2024_04_10(api: Api) -> None:
    old, new = api.under(before("2024-04-10")), api.under("2024-04-10")
    customer = api.ok("POST", "/v1/customers")["id"]
    options = {"amount_tax_display": "include_inclusive_tax"}
    made = old.ok("POST", "/v1/invoices", customer=customer, rendering_options=options)
    assert (made["rendering_options"], "rendering" in made) == (options, False)
    shown = new.get(f"/v1/invoices/{made['id']}")
    assert (shown["rendering"]["amount_tax_display"], "rendering_options" in shown) == ("include_inclusive_tax", False)
    assert new.post("/v1/invoices", customer=customer, rendering_options=options).error["param"] == "rendering_options"


def test_an_intent_takes_the_dashboards_payment_methods_since_2023_08_16(api: Api) -> None:
    for path, more in (("/v1/payment_intents", {"amount": 2000, "currency": "usd"}), ("/v1/setup_intents", {})):
        old = api.under(before("2023-08-16")).ok("POST", path, **more)
        new = api.under("2023-08-16").ok("POST", path, **more)
        assert (old["payment_method_types"], old["automatic_payment_methods"]) == (["card"], None)
        assert new["automatic_payment_methods"]["enabled"] is True


def test_a_session_collects_a_payment_method_if_required_since_2023_08_16(api: Api) -> None:
    line = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Hat"}}, "quantity": 1}
    asked = {"mode": "payment", "success_url": "https://example.com", "line_items": [line]}
    old = api.under(before("2023-08-16")).ok("POST", "/v1/checkout/sessions", **asked)
    new = api.under("2023-08-16").ok("POST", "/v1/checkout/sessions", **asked)
    assert (old["payment_method_collection"], new["payment_method_collection"]) == ("always", "if_required")


def test_a_payment_session_always_made_a_customer_before_2022_08_01(api: Api) -> None:
    line = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Hat"}}, "quantity": 1}
    asked = {"mode": "payment", "success_url": "https://example.com", "cancel_url": "https://example.com"}
    made = [
        api.under(version).ok("POST", "/v1/checkout/sessions", **asked, line_items=[line])["customer_creation"]
        for version in (before("2022-08-01"), "2022-08-01")
    ]
    assert made == ["always", "if_required"]


def test_the_capture_method_is_automatic_async_since_2024_04_10(api: Api) -> None:
    asked = {"amount": 2000, "currency": "usd"}
    old = api.under(before("2024-04-10")).ok("POST", "/v1/payment_intents", **asked)
    new = api.under("2024-04-10").ok("POST", "/v1/payment_intents", **asked)
    assert (old["capture_method"], new["capture_method"]) == ("automatic", "automatic_async")


def test_billing_is_flexible_since_2025_09_30(api: Api) -> None:
    price = api.ok(
        "POST",
        "/v1/prices",
        currency="usd",
        unit_amount=500,
        recurring={"interval": "month"},
        product_data={"name": "A"},
    )["id"]
    found = []
    for version in (before("2025-09-30"), "2025-09-30.clover"):
        customer = api.ok("POST", "/v1/customers", source="tok_visa")["id"]
        made = api.under(version).ok("POST", "/v1/subscriptions", customer=customer, items=[{"price": price}])
        found.append(made["billing_mode"]["type"])
    assert found == ["classic", "flexible"]


def test_a_metered_price_needs_a_meter_since_2025_03_31(api: Api) -> None:
    asked = {
        "currency": "usd", "unit_amount": 5, "product_data": {"name": "A"},
        "recurring": {"interval": "month", "usage_type": "metered"},
    }  # fmt: skip
    assert api.under(before("2025-03-31")).post("/v1/prices", **asked).status == 200
    refused = api.under("2025-03-31.basil").post("/v1/prices", **asked)
    message = "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters."
    assert (refused.status, refused.error["message"]) == (400, message)


def test_interac_cannot_be_captured_later_since_2025_03_31(api: Api) -> None:
    asked = {
        "amount": 500, "currency": "cad", "capture_method": "manual",
        "payment_method_types": ["card_present", "interac_present"],
    }  # fmt: skip
    assert api.under(before("2025-03-31")).post("/v1/payment_intents", **asked).status == 200
    refused = api.under("2025-03-31.basil").post("/v1/payment_intents", **asked)
    assert (refused.status, refused.error["param"]) == (400, "capture_method")


def test_an_authorization_that_expires_was_reversed_before_2025_03_31(api: Api) -> None:
    card = issued(api)
    fund(api)
    path = "/v1/test_helpers/issuing/authorizations"
    made = api.ok("POST", path, card=card["id"], amount=100)
    expired = api.ok("POST", f"{path}/{made['id']}/expire")
    assert expired["status"] == "expired"
    old = api.under(before("2025-03-31")).get(f"/v1/issuing/authorizations/{made['id']}")
    assert old["status"] == "reversed"
