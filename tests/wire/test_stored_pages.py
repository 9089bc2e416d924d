from __future__ import annotations

import json

from tests.support.api import Api
from tollkey.db import Scope, Tx
from tollkey.platform.country_specs import spec_of
from tollkey.settings import Settings
from tollkey.wire import Call, Json
from tollkey.wire.call import Origin
from tollkey.wire.objects import encode
from tollkey.wire.pages import page_of_list


def test_a_page_of_stored_objects_is_written_as_any_other_answer(api: Api) -> None:
    for number in range(3):
        api.ok(
            "POST",
            "/v1/customers",
            email=f"{number}@example.com",
            description='a "quoted"\nline',
            **{"metadata[data]": "[]"},
        )
    page = api.ok("GET", "/v1/customers", limit="2")
    assert page.body == encode(json.loads(page.body))
    assert [c["email"] for c in page["data"]] == ["2@example.com", "1@example.com"]
    empty = api.ok("GET", "/v1/customers", email="nobody@example.com")
    assert empty.body == encode({"object": "list", "data": [], "has_more": False, "url": "/v1/customers"})


def test_callers_without_a_version_get_pages_of_all_unchanged_types_as_stored(api: Api) -> None:
    renderer, version = api.world.server.service.renderer, Settings().default_version[:10]
    assert renderer.versions.current(version) is False  # something has changed since, or this test says nothing
    for kind in ("customer", "charge", "payment_intent", "invoice", "subscription"):
        assert renderer.versions.marks(version, kind) == ()
    assert renderer.versions.marks(version, "account") is None


def test_what_is_inside_a_stored_object_is_converted_for_callers_of_an_older_version(api: Api) -> None:
    """A discount names its coupon otherwise since 2025-09-30; a customer, which has it inside, is the same."""
    old = {"Stripe-Version": "2025-08-27.basil"}
    coupon = api.ok("POST", "/v1/coupons", percent_off="10", duration="forever")
    plain = api.ok("POST", "/v1/customers")
    customer = api.ok("POST", "/v1/customers", headers={"Stripe-Version": "2024-06-20"}, coupon=coupon["id"])
    path = f"/v1/customers/{customer['id']}"
    assert "source" in api.ok("GET", path)["discount"]
    assert api.ok("GET", path, headers=old)["discount"]["coupon"]["id"] == coupon["id"]
    page = api.ok("GET", "/v1/customers", headers=old)["data"]
    assert [one["id"] for one in page] == [customer["id"], plain["id"]]
    assert page[0]["discount"]["coupon"]["id"] == coupon["id"]


def test_a_page_in_memory_is_not_copied_for_callers_of_a_version_that_changes_nothing_in_it(api: Api) -> None:
    """Country specs are 220 KB: copying and looking through them held up everybody's writes."""
    renderer, origin = api.world.server.service.renderer, Origin(version=Settings().default_version[:10])
    assert renderer.versions.current(origin.version) is False
    page = page_of_list([spec_of(country) for country in ("AT", "DE")], "/v1/country_specs")
    items = page.data

    def render(tx: Tx) -> Json:
        return renderer.render(Call(api.core.setup, tx, Scope(api.account, False), 0, origin=origin), page, [])

    shown = api.core.database.read(render)["data"]
    assert [one is item for one, item in zip(shown, items, strict=True)] == [True, True]
