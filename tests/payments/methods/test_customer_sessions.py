"""CustomerSessions: what a browser may show of one customer's saved payment methods, for half an hour."""

from __future__ import annotations

from tests.support.api import Api
from tests.support.openapi import assert_valid


def test_a_customer_session_names_what_is_enabled(api: Api) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    session = api.ok(
        "POST", "/v1/customer_sessions", customer=customer, components={"payment_element": {"enabled": True}}
    )
    assert_valid("POST", "/v1/customer_sessions", 200, dict(session))
    assert session["components"]["payment_element"]["enabled"] is True
    assert session["components"]["pricing_table"]["enabled"] is False
    assert session["expires_at"] == api.now + 1800
