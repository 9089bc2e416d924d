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
