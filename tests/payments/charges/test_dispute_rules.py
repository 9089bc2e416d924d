"""What may follow a successful charge: a dispute, an early fraud warning, a review (reference sections 6.6 and
6.7).
"""

from __future__ import annotations

from tests.payments.charges.steps import charge
from tests.support.api import Api


def test_the_disputed_card_loses_the_amount_and_the_fee_until_the_dispute_is_won(api: Api) -> None:
    made = charge(api, "tok_createDispute")
    assert made["disputed"] is True
    dispute = api.get(f"/v1/disputes/{made['dispute']}")
    assert dispute["balance_transactions"][0]["net"] == -3500
    api.post(f"/v1/disputes/{dispute['id']}", evidence={"uncategorized_text": "winning_evidence"})
    assert api.get(f"/v1/disputes/{dispute['id']}")["status"] == "won"
    assert api.get("/v1/balance")["pending"][0]["amount"] == 1912
