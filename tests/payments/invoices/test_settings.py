"""What may be set on a draft besides its lines, and until when an invoice that is sent is due."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import drafted, finalized, read
from tests.support.api import Api


@pytest.mark.parametrize(
    "given", [{"days_until_due": 5}, {"due_date": 2_000_000_000}], ids=lambda given: next(iter(given))
)
def test_only_an_invoice_that_is_sent_has_a_day_on_which_it_is_due(api: Api, given: dict[str, int]) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    refused = api.post("/v1/invoices", customer=who, collection_method="charge_automatically", **given)
    sent = "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
    assert refused.refusal == (400, None, None, sent)
    draft = api.ok("post", "/v1/invoices", customer=who)
    changed = api.post(f"/v1/invoices/{draft['id']}", **given)
    assert changed.refusal == (400, None, None, sent)
    assert read(api, draft)["due_date"] is None


def test_an_invoice_that_is_sent_needs_a_day_on_which_it_is_due(api: Api) -> None:
    who = api.ok("post", "/v1/customers")["id"]
    refused = api.post("/v1/invoices", customer=who, collection_method="send_invoice")
    assert refused.refusal == (
        400,
        None,
        None,
        "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
    )
    made = api.ok("post", "/v1/invoices", customer=who, collection_method="send_invoice", due_date=2_000_000_000)
    assert made["due_date"] == 2_000_000_000


def test_settings_of_payments_are_merged_and_the_number_stays_when_it_is_finalized(api: Api) -> None:
    draft = drafted(api, payment_settings={"payment_method_types": ["card"]}, number="A-7")
    options = {"card": {"request_three_d_secure": "any"}}
    changed = api.ok("post", f"/v1/invoices/{draft['id']}", payment_settings={"payment_method_options": options})
    assert changed["payment_settings"]["payment_method_types"] == ["card"]
    assert changed["payment_settings"]["payment_method_options"]["card"]["request_three_d_secure"] == "any"
    assert finalized(api, draft)["number"] == "A-7"


def test_automatic_tax_is_turned_on_and_off_with_its_liability(api: Api) -> None:
    draft = drafted(api)
    path = f"/v1/invoices/{draft['id']}"
    taxed = api.ok("post", path, automatic_tax={"enabled": True})["automatic_tax"]
    assert (taxed["enabled"], taxed["liability"]["type"]) == (True, "self")
    plain = api.ok("post", path, automatic_tax={"enabled": False})["automatic_tax"]
    assert (plain["enabled"], plain["liability"]) == (False, None)
