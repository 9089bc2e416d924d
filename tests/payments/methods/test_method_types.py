"""The types of payment methods: which of them an intent may use, and what its ``payment_method_options`` say of
each.
"""

from __future__ import annotations

import pytest

from tests.payments.steps import told
from tests.support.api import Api, rule_table
from tests.support.versions import BEFORE_ENDIVE


def test_a_method_that_is_not_paid_in_the_currency_is_refused(api: Api) -> None:
    old = {"Stripe-Version": BEFORE_ENDIVE}
    given = {"amount": 500, "payment_method_types": ["bancontact"], "headers": old}
    refused = told(api, "/v1/payment_intents", currency="usd", **given)
    message = "The currency provided (usd) is invalid. Payments with bancontact support the following currencies: eur."
    assert refused == ("currency", message)
    assert api.post("/v1/payment_intents", currency="eur", **given).status == 200


#: Type -> what it needs beside its name; the types that customers keep, and those that pay once.
_KEPT = {"cashapp": {}, "klarna": {"billing_details": {"email": "jo@example.com", "address": {"country": "US"}}}}
_ONCE = {"bancontact": {}, "eps": {}, "giropay": {}, "ideal": {}, "oxxo": {}, "paynow": {}, "promptpay": {}, "zip": {}}


@rule_table
@pytest.mark.parametrize("kind", [*_KEPT, *_ONCE])
def test_a_customer_keeps_only_methods_that_can_be_used_again(api: Api, kind: str) -> None:
    method = api.ok("POST", "/v1/payment_methods", type=kind, **{kind: {}}, **{**_KEPT, **_ONCE}[kind])["id"]
    answer = api.post(f"/v1/payment_methods/{method}/attach", customer=api.ok("POST", "/v1/customers")["id"])
    if kind in _KEPT:
        assert answer.status == 200, answer.error
    else:
        assert answer.refusal == (400, None, None, f"PaymentMethods of type '{kind}' cannot be saved to customers.")


@rule_table
@pytest.mark.parametrize("kind", ["card", "card_present", "ideal", "sepa_debit", "eps", "giropay", "oxxo", "nonsense"])
def test_a_setup_intent_takes_the_types_that_can_be_set_up(api: Api, kind: str) -> None:
    answer = api.under(BEFORE_ENDIVE).post("/v1/setup_intents", payment_method_types=["card", kind])
    if kind in ("card", "card_present", "ideal", "sepa_debit"):
        assert answer.status == 200, answer.error
    else:
        message = f'The payment method type "{kind}" is invalid. See https://stripe.com/docs/api/setup_intents/create'
        assert (answer.status, answer.error["param"]) == (400, "payment_method_types")
        assert answer.error["message"].startswith(message)
