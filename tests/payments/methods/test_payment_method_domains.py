"""PaymentMethodDomains and Apple Pay domains: the web sites on which wallets may be shown."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_domain_is_registered_once_and_switched_off(api: Api) -> None:
    made = api.ok("POST", "/v1/payment_method_domains", domain_name="Shop.example")
    assert_valid("POST", "/v1/payment_method_domains", 200, dict(made))
    assert api.ok("POST", "/v1/payment_method_domains", domain_name="shop.example")["id"] == made["id"]
    off = api.ok("POST", f"/v1/payment_method_domains/{made['id']}", enabled=False)
    assert off["apple_pay"]["status"] == "inactive"
    assert api.post("/v1/payment_method_domains", domain_name="not a domain").error["param"] == "domain_name"


def test_an_apple_pay_domain_comes_and_goes(api: Api) -> None:
    made = api.ok("POST", "/v1/apple_pay/domains", domain_name="shop.example")
    assert api.delete(f"/v1/apple_pay/domains/{made['id']}") == {
        "id": made["id"],
        "object": "apple_pay_domain",
        "deleted": True,
    }
    error = api.delete("/v1/apple_pay/domains/none").error
    assert (error["message"], error["param"]) == ("No such apple_pay_domain: 'none'", "domain")
