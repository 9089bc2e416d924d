"""A review of a payment with elevated risk is closed once."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api


def reviewed(api: Api) -> tuple[Answer, str]:
    """A charge with elevated risk, and the path of its review."""
    charge = api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_riskLevelElevated")
    api.advance(1)
    return charge, f"/v1/reviews/{api.get('/v1/reviews')['data'][0]['id']}"


def test_an_approved_review_is_closed_and_its_charge_counts_as_authorized(api: Api) -> None:
    charge, review = reviewed(api)
    assert (api.get(review)["open"], api.get(review)["charge"]) == (True, charge["id"])
    closed = api.ok("POST", f"{review}/approve")
    assert (closed["open"], closed["closed_reason"]) == (False, "approved")
    assert api.get(f"/v1/charges/{charge['id']}")["outcome"]["type"] == "authorized"
    assert len(api.events("review.closed")) == 1
    assert api.post(f"{review}/approve").status == 400


@pytest.mark.parametrize(
    ("reason", "closed"), [("requested_by_customer", "refunded"), ("fraudulent", "refunded_as_fraud")]
)
def test_a_refund_closes_the_review(api: Api, reason: str, closed: str) -> None:
    charge, review = reviewed(api)
    api.ok("POST", "/v1/refunds", charge=charge["id"], reason=reason)
    assert (api.get(review)["open"], api.get(review)["closed_reason"]) == (False, closed)


def test_an_ordinary_charge_is_not_reviewed(api: Api) -> None:
    api.ok("POST", "/v1/charges", amount=1000, currency="usd", source="tok_visa")
    api.advance(1)
    assert api.get("/v1/reviews")["data"] == []
