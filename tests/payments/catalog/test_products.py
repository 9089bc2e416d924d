"""Products: their default price, and when they can be deleted."""

from __future__ import annotations

from tests.support.api import Api

PRICE = {"currency": "usd", "unit_amount": 1000}


def test_a_default_price_may_be_made_with_the_product(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Gold", default_price_data=PRICE)
    assert api.get(f"/v1/prices/{product['default_price']}")["product"] == product["id"]


def test_a_default_price_is_one_of_the_product_s_own(api: Api) -> None:
    gold, silver = (api.ok("POST", "/v1/products", name=name)["id"] for name in ("Gold", "Silver"))
    price = api.ok("POST", "/v1/prices", product=silver, **PRICE)["id"]
    refused = api.post(f"/v1/products/{gold}", default_price=price)
    assert (refused.status, refused.error["param"]) == (400, "default_price")
    assert api.ok("POST", f"/v1/products/{silver}", default_price=price)["default_price"] == price


def test_a_product_is_deleted_while_it_has_no_prices(api: Api) -> None:
    free, priced = (api.ok("POST", "/v1/products", name=name)["id"] for name in ("Free", "Priced"))
    api.ok("POST", "/v1/prices", product=priced, active=False, **PRICE)
    assert api.ok("DELETE", f"/v1/products/{free}")["deleted"] is True
    assert api.get(f"/v1/products/{free}").status == 404
    assert api.delete(f"/v1/products/{priced}").status == 400


def test_before_2025_03_31_a_product_told_its_type(api: Api) -> None:
    product = api.ok("POST", "/v1/products", name="Hat", type="good", headers={"Stripe-Version": "2025-02-24.acacia"})
    old = api.get(f"/v1/products/{product['id']}", headers={"Stripe-Version": "2025-02-24.acacia"})
    new = api.get(f"/v1/products/{product['id']}")
    assert (old["type"], old["attributes"], "type" in new) == ("good", [], False)


def test_products_are_listed_by_their_ids_or_page_by_page(api: Api) -> None:
    gold = api.ok("POST", "/v1/products", name="Gold")["id"]
    assert [one["id"] for one in api.get("/v1/products", ids=[gold])["data"]] == [gold]
    for cursor in ("starting_after", "ending_before"):
        refused = api.get("/v1/products", ids=[gold], **{cursor: gold})
        assert (refused.status, refused.error["message"]) == (
            400,
            f"You may only specify one of these parameters: ids, {cursor}.",
        )


def test_before_2025_03_31_goods_had_a_caption_and_places_where_they_were_not_sold(api: Api) -> None:
    old = api.under("2025-02-24.acacia")
    hat = old.ok("POST", "/v1/products", name="Hat", type="good", caption="Warm", deactivate_on=["app"])
    assert (hat["caption"], hat["deactivate_on"]) == ("Warm", ["app"])
    path = f"/v1/products/{hat['id']}"
    changed = old.ok("POST", path, caption="Very warm", attributes=["size"])
    assert (changed["caption"], changed["attributes"], changed["deactivate_on"]) == ("Very warm", ["size"], ["app"])
    assert not {"caption", "deactivate_on"} & api.get(path).keys()
    assert "caption" not in old.ok("POST", "/v1/products", name="Support", type="service")
