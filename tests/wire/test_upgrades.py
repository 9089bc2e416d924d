"""What a request that was answered under one version would meet under a newer one."""

from __future__ import annotations

import json

import pytest

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire.changelog import PAGES
from tollkey.wire.resource import Catalogue
from tollkey.wire.upgrades import Asked, Difference, Upgrades

UPGRADES = Upgrades(Catalogue(gather(tollkey.platform, tollkey.payments)))
OLD, NEW = "2022-08-01", "2026-05-27"


def compare(
    method: str, path: str, body: str = "", query: str = "", response: str = "{}", before: str = OLD, after: str = NEW
) -> list[Difference]:
    return UPGRADES.differences(Asked(method, path, query, body, response), before, after)


def test_an_endpoint_that_is_gone_is_refused() -> None:
    (found,) = compare("GET", "/v1/invoices/upcoming", query="customer=cus_1")
    assert (found.kind, found.version, found.operation) == (
        "refused", "2025-03-31.basil", "GET /v1/invoices/upcoming",
    )  # fmt: skip
    assert found.link == PAGES + "basil/2025-03-31/invoice-preview-api-deprecations"


@pytest.mark.parametrize(
    ("method", "path", "body", "version", "names"),
    [
        ("POST", "/v1/customers", "coupon=x", "2025-03-31.basil", "`coupon`"),
        ("POST", "/v1/subscriptions/sub_1", "promotion_code=x&metadata[a]=b", "2025-03-31.basil", "`promotion_code`"),
        ("POST", "/v1/subscription_schedules", "phases[0][iterations]=3", "2025-09-30.clover", "`phases[].iterations`"),
        ("POST", "/v1/products", "name=a&features[0][name]=b", "2024-04-10", "`features`"),
        ("POST", "/v1/checkout/sessions", "ui_mode=custom", "2026-03-25.dahlia", "custom"),
        ("GET", "/v1/payment_intents", "expand[]=data.charges", "2022-11-15", "`data.charges`"),
        ("GET", "/v1/payment_intents/pi_1", "expand[]=charges.data.refunds", "2022-11-15", "`charges.data.refunds`"),
        ("GET", "/v1/invoices/in_1", "expand[]=payment_intent", "2025-03-31.basil", "`payment_intent`"),
        ("GET", "/v1/customers", "expand[0]=total_count", "2025-03-31.basil", "`total_count`"),
        ("POST", "/v1/prices", "recurring[aggregate_usage]=sum", "2025-03-31.basil", "`recurring.aggregate_usage`"),
    ],
)
def test_what_a_version_removed_is_refused(method: str, path: str, body: str, version: str, names: str) -> None:
    found = compare(method, path, body) if method == "POST" else compare(method, path, query=body)
    assert {each.kind for each in found} == {"refused"}
    assert (found[0].version, names in found[0].what) == (version, True)


def test_what_is_still_taken_is_not_refused() -> None:
    assert compare("POST", "/v1/checkout/sessions", "ui_mode=hosted", before="2026-03-25") == []
    assert compare("GET", "/v1/customers/search", query="query=x&expand[]=total_count") == []
    assert all(each.kind != "refused" for each in compare("POST", "/v1/customers", "email=a@example.com"))


def test_every_object_of_a_response_may_have_another_form() -> None:
    response = {"object": "list", "data": [{"object": "invoice", "lines": {"data": [{"object": "line_item"}]}}]}
    found = compare("GET", "/v1/invoices", response=json.dumps(response), before="2025-02-24")
    assert {each.kind for each in found} == {"form"}
    assert {each.what.partition(":")[0] for each in found} == {"invoice", "line_item"}
    cut = compare("GET", "/v1/invoices/in_1", response=json.dumps(response)[:40], before="2025-02-24")
    assert {each.what.partition(":")[0] for each in cut} == {"invoice"}


def test_a_default_that_has_changed_is_found_unless_the_parameter_is_sent() -> None:
    asked = "amount=500&currency=usd&payment_method_types[]=card"
    (found,) = compare("POST", "/v1/payment_intents", asked, before="2024-01-01", after="2024-05-01")
    assert (found.kind, found.version) == ("behavior", "2024-04-10")
    assert compare("POST", "/v1/payment_intents", asked + "&capture_method=manual", before="2024-01-01") == []


def test_nothing_differs_between_one_version_and_itself_or_at_unknown_urls() -> None:
    assert compare("POST", "/v1/customers", "coupon=x", before=NEW) == []
    assert compare("POST", "/v1/nothing") == []


def test_bodies_that_cannot_be_read_are_passed_over() -> None:
    assert all(each.kind != "refused" for each in compare("POST", "/v1/customers", "a[b=%zz&coupon"))
    assert compare("POST", "/v1/customers", '{"coupon": "x"}')[0].kind == "refused"
