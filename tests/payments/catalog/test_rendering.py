"""How an invoice is shown: the template that a customer or an invoice names, and its version."""

from __future__ import annotations

from tests.payments.catalog.steps import template
from tests.payments.invoices.steps import drafted, finalized
from tests.support.api import Api
from tests.support.openapi import assert_valid

PATH = "/v1/invoice_rendering_templates"


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


def test_the_page_size_that_was_asked_for_stays(api: Api) -> None:
    assert finalized(api, drafted(api, rendering={"pdf": {"page_size": "a4"}}))["rendering"]["pdf"] == {
        "page_size": "a4"
    }
    assert finalized(api, drafted(api))["rendering"]["pdf"] == {"page_size": "letter"}


def test_a_version_is_one_of_a_template(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    refused = api.post("/v1/invoices", customer=customer, rendering={"template_version": 1})
    assert (refused.status, refused.error["param"]) == (400, "rendering[template_version]")
