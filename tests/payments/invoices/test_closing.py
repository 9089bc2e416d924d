"""How invoices were closed, forgiven or marked as paid under versions that had no statuses."""

from __future__ import annotations

import pytest

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api

OLDEST = {"Stripe-Version": "2018-10-31"}


@pytest.mark.parametrize(("name", "status"), [("paid", "paid"), ("forgiven", "uncollectible")])
def test_before_2018_11_08_an_invoice_was_marked_as_paid_or_forgiven(api: Api, name: str, status: str) -> None:
    path = f"/v1/invoices/{draft(api, customer(api))['id']}"
    api.ok("POST", path, headers=OLDEST, **{name: False})
    api.ok("POST", path, headers=OLDEST, **{name: True})
    assert api.get(path)["status"] == status
    api.ok("POST", path, headers=OLDEST, **{name: True})
    refused = api.post(path, headers=OLDEST, **{name: False})
    assert (refused.status, refused.error["param"]) == (400, name)
    both = api.post(path, headers=OLDEST, paid=True, forgiven=True)
    assert (both.status, both.error["param"]) == (400, "paid")
    assert api.post(path, **{name: True}).error["code"] == "parameter_unknown"


def test_before_2018_11_08_a_closed_invoice_is_not_collected_until_it_is_opened_again(api: Api) -> None:
    who = customer(api, "pm_card_chargeCustomerFail")
    path = f"/v1/invoices/{draft(api, who, auto_advance=True)['id']}"
    api.advance(2 * 3_600)
    assert api.get(path)["next_payment_attempt"] is not None
    closed = api.ok("POST", path, headers=OLDEST, closed=True)
    assert (closed["closed"], closed["next_payment_attempt"]) == (True, None)
    attempts = api.get(path)["attempt_count"]
    api.advance(10 * 86_400)
    assert api.get(path)["attempt_count"] == attempts
    assert api.ok("POST", path, headers=OLDEST, closed=False)["closed"] is False
    api.advance(2 * 3_600)
    assert api.get(path)["attempt_count"] == attempts + 1
