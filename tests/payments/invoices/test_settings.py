"""What may be set on a draft besides its lines, and until when an invoice that is sent is due."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import drafted, finalized, read
from tests.payments.subscriptions.steps import DAY, advance, clocked, ok
from tests.support.api import NOW, Api
from tests.support.connected import connected


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


def _later(api: Api, at: int | None, **params: object) -> tuple[str, str]:
    """A clock, and a draft that is finalized by itself at that time, if there is one."""
    clock, who = clocked(api)
    sent = {"collection_method": "send_invoice", "days_until_due": 30, **params}
    if at is not None:
        sent["automatically_finalizes_at"] = at
    made = ok(api, "POST", "/v1/invoices", customer=who, **sent)
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=made["id"], amount=1000, currency="usd")
    return clock, f"/v1/invoices/{made['id']}"


def test_a_draft_is_finalized_and_sent_at_the_time_it_names(api: Api) -> None:
    clock, path = _later(api, NOW + 28 * DAY, auto_advance=True)
    assert api.get(path)["automatically_finalizes_at"] == NOW + 28 * DAY
    advance(api, clock, NOW + 28 * DAY - 1)
    assert api.get(path)["status"] == "draft"
    advance(api, clock, NOW + 28 * DAY)
    done = api.get(path)
    assert (done["status"], done["automatically_finalizes_at"]) == ("open", None)
    assert done["status_transitions"]["finalized_at"] == NOW + 28 * DAY
    assert len(api.events("invoice.sent")) == 1


def test_the_time_is_moved_and_nothing_happens_without_automatic_advancement(api: Api) -> None:
    clock, path = _later(api, None)
    assert api.get(path)["automatically_finalizes_at"] is None
    for wanted in ({}, {"auto_advance": False}):
        idle = api.post(path, automatically_finalizes_at=NOW + 28 * DAY, **wanted)
        assert (idle.status, idle.error["param"]) == (400, "automatically_finalizes_at")
    assert api.ok("post", path, auto_advance=True)["automatically_finalizes_at"] == NOW + 3_600
    moved = api.ok("post", path, automatically_finalizes_at=NOW + 2 * DAY)
    assert (moved["auto_advance"], moved["automatically_finalizes_at"]) == (True, NOW + 2 * DAY)
    assert api.ok("post", path, auto_advance=False)["automatically_finalizes_at"] is None
    advance(api, clock, NOW + 3 * DAY)
    assert api.get(path)["status"] == "draft"
    api.ok("post", path, auto_advance=True, automatically_finalizes_at=NOW + 4 * DAY)
    advance(api, clock, NOW + 4 * DAY)
    assert api.get(path)["status"] == "open"
    refused = api.post(path, automatically_finalizes_at=NOW + 5 * DAY)
    assert refused.status == 400


@pytest.mark.parametrize("days", [36_501, 2 * 10**14, 10**17])
def test_an_invoice_is_due_within_a_century(api: Api, days: int) -> None:
    """Beyond, the due date was no date, and at last no integer that the database takes."""
    customer = api.ok("POST", "/v1/customers")["id"]
    given = {"customer": customer, "collection_method": "send_invoice"}
    assert api.post("/v1/invoices", **given, days_until_due=days).refusal[:3] == (
        400, "parameter_invalid_integer", "days_until_due"
    )  # fmt: skip
    assert api.ok("POST", "/v1/invoices", **given, days_until_due=36_500)["due_date"] == api.now + 36_500 * 86_400


def test_a_fee_and_the_amount_of_a_transfer_exclude_each_other(api: Api) -> None:
    to = {"destination": connected(api)["id"], "amount": 5}
    who = api.ok("post", "/v1/customers")["id"]
    refused = api.post("/v1/invoices", customer=who, transfer_data=to, application_fee_amount=5)
    assert (refused.status, "application_fee_amount" in refused.error["message"]) == (400, True)
