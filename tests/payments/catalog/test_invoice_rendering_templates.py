"""Customers and invoices name rendering templates, which can be archived."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid, object_problems

PATH = "/v1/invoice_rendering_templates"


def template(api: Api, **more: object) -> str:
    made = api.ok("POST", "/v1/test_helpers/invoice_rendering_templates", **more)
    assert object_problems("invoice_rendering_template", made, strict=True) == []
    found: str = made["id"]
    return found


def test_templates_are_listed_by_status(api: Api) -> None:
    first, second = template(api, nickname="Plain", metadata={"a": "1"}), template(api)
    gone = api.ok("POST", f"{PATH}/{first}/archive")
    assert_valid("POST", PATH + "/{template}/archive", 200, gone)
    assert (gone["status"], gone["nickname"], gone["version"]) == ("archived", "Plain", 1)
    assert [one["id"] for one in api.ok("GET", PATH, status="active")["data"]] == [second]
    assert_valid("GET", PATH, 200, api.ok("GET", PATH))
    assert api.post(f"{PATH}/{first}/archive").status == 400
    assert api.ok("POST", f"{PATH}/{first}/unarchive")["status"] == "active"
    assert api.ok("GET", f"{PATH}/{first}", version=1)["id"] == first
    assert api.get(f"{PATH}/{first}", version=2).status == 404


def test_an_invoice_takes_its_customer_s_template_unless_it_names_its_own(api: Api) -> None:
    usual, own = template(api), template(api)
    customer = api.ok("POST", "/v1/customers", invoice_settings={"rendering_options": {"template": usual}})
    assert customer["invoice_settings"]["rendering_options"] == {"amount_tax_display": None, "template": usual}
    assert_valid("POST", "/v1/customers", 200, customer)
    invoice = api.ok("POST", "/v1/invoices", customer=customer["id"])
    assert (invoice["rendering"]["template"], invoice["rendering"]["template_version"]) == (usual, 1)
    changed = api.ok("POST", f"/v1/invoices/{invoice['id']}", rendering={"template": own})
    assert (changed["rendering"]["template"], changed["rendering"]["pdf"]) == (own, {"page_size": "auto"})
    wrong = api.post(f"/v1/invoices/{invoice['id']}", rendering={"template": own, "template_version": 2})
    assert wrong.error["param"] == "rendering[template_version]"


def test_an_archived_template_stays_where_it_is_and_cannot_be_named_anew(api: Api) -> None:
    id = template(api)
    customer = api.ok("POST", "/v1/customers", invoice_settings={"rendering_options": {"template": id}})["id"]
    api.ok("POST", f"{PATH}/{id}/archive")
    refused = api.post("/v1/customers", invoice_settings={"rendering_options": {"template": id}})
    assert (refused.status, refused.error["param"]) == (400, "invoice_settings[rendering_options][template]")
    assert api.ok("POST", "/v1/invoices", customer=customer)["rendering"]["template"] == id
    other = api.ok("POST", "/v1/customers")["id"]
    assert api.post("/v1/invoices", customer=other, rendering={"template": id}).error["param"] == "rendering[template]"
    assert (
        api.post("/v1/invoices", customer=other, rendering={"template": "inrtem_none"}).error["code"]
        == "resource_missing"
    )
