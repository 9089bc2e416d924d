"""The customer's own details in the portal: what the configuration lets them change of name, address, e-mail and tax
ids.
"""

from __future__ import annotations

from urllib.parse import urlencode

from tests.payments.checkout.steps import path_of
from tests.support.api import Api


def test_details_are_changed_as_far_as_the_portal_allows(api: Api) -> None:
    who = api.ok("POST", "/v1/customers", email="old@shop.example", name="Old")["id"]
    features = {"customer_update": {"enabled": True, "allowed_updates": ["email", "address", "tax_id"]}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    path = path_of(api.ok("POST", "/v1/billing_portal/sessions", customer=who, configuration=configuration))
    body = {
        "email": "new@shop.example",
        "name": "New",
        "address_line1": "1 Way",
        "address_country": "de",
        "tax_id": "eu_vat DE123456789",
    }
    wrong = api.send("POST", path + "/details", key=None, body=urlencode({**body, "tax_id": "eu_vat ?"}).encode())
    assert wrong.status == 400
    assert api.get(f"/v1/customers/{who}")["email"] == "old@shop.example"
    assert api.send("POST", path + "/details", key=None, body=urlencode(body).encode()).status == 303
    changed = api.get(f"/v1/customers/{who}", expand=["tax_ids"])
    assert (changed["email"], changed["name"], changed["address"]["country"]) == ("new@shop.example", "Old", "DE")
    assert changed["tax_ids"]["data"][0]["value"] == "DE123456789"


def test_a_tax_id_of_a_type_that_does_not_exist_is_refused(api: Api) -> None:
    who = api.ok("POST", "/v1/customers", email="jenny@shop.example")["id"]
    features = {"customer_update": {"enabled": True, "allowed_updates": ["tax_id"]}}
    configuration = api.ok("POST", "/v1/billing_portal/configurations", features=features)["id"]
    path = path_of(api.ok("POST", "/v1/billing_portal/sessions", customer=who, configuration=configuration))
    body = urlencode({"tax_id": "eu_vta DE123456789"}).encode()
    assert api.send("POST", path + "/details", key=None, body=body).status == 400
    assert api.get(f"/v1/customers/{who}/tax_ids")["data"] == []
