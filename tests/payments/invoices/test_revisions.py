"""Revisions: a draft made out of a finalized invoice."""

from __future__ import annotations

from tests.payments.invoices.steps import drafted, finalized, posted, read
from tests.support.api import Api


def test_finalizing_a_revision_voids_the_invoice_that_it_replaces(api: Api) -> None:
    first = finalized(api, drafted(api, description="First"))
    revision = posted(
        api, "/v1/invoices", from_invoice={"action": "revision", "invoice": first["id"]}, description="Second"
    )
    assert (revision["status"], revision["total"], revision["description"]) == ("draft", 1_200, "Second")
    assert revision["from_invoice"] == {"action": "revision", "invoice": first["id"]}
    assert revision["lines"]["data"][0]["id"] != first["lines"]["data"][0]["id"]
    assert read(api, first)["status"] == "open"
    done = finalized(api, revision)
    old = read(api, first)
    assert (done["status"], old["status"], old["latest_revision"]) == ("open", "void", done["id"])
    again = api.post("/v1/invoices", from_invoice={"action": "revision", "invoice": first["id"]})
    assert again.error["param"] == "from_invoice[invoice]"


def test_a_revision_takes_nothing_that_it_would_drop(api: Api) -> None:
    invoice = finalized(api, drafted(api))
    source = {"action": "revision", "invoice": invoice["id"]}
    for name, value in (("customer", invoice["customer"]), ("currency", "usd"), ("days_until_due", 3)):
        refused = api.post("/v1/invoices", from_invoice=source, **{name: value})
        assert (refused.status, refused.error["param"]) == (400, name)
    assert api.ok("POST", "/v1/invoices", from_invoice=source)["from_invoice"] == source
