"""The types of payment methods: which of them an intent may use, and what its ``payment_method_options`` say of
each.
"""

from __future__ import annotations

from tests.payments.steps import told
from tests.support.api import Api
from tests.support.versions import BEFORE_ENDIVE


def test_a_method_that_is_not_paid_in_the_currency_is_refused(api: Api) -> None:
    old = {"Stripe-Version": BEFORE_ENDIVE}
    given = {"amount": 500, "payment_method_types": ["bancontact"], "headers": old}
    refused = told(api, "/v1/payment_intents", currency="usd", **given)
    message = "The currency provided (usd) is invalid. Payments with bancontact support the following currencies: eur."
    assert refused == ("currency", message)
    assert api.post("/v1/payment_intents", currency="eur", **given).status == 200
