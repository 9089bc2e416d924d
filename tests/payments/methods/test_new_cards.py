"""New cards: what is known of a saved one."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api
from tests.support.vault import CANARY, Vaulted
from tollkey.payments.methods.new_cards import NewCard


def legacy(**more: Any) -> Any:
    shown = {"brand": "Visa", "last4": "0016", "fingerprint": "abc", "exp_month": 1, "exp_year": 2034}
    return {"object": "card", **shown, **more}


def test_of_a_real_card_whose_number_nobody_has_nothing_is_known() -> None:
    assert NewCard.saved(legacy()) is None


def test_of_one_in_the_vault_its_brand_and_end_are_known() -> None:
    known = NewCard.saved(legacy(_vault="cnum_1", _cvc=True))
    assert known is not None
    assert known.kept is not None
    assert (known.card.brand, known.card.last4, known.kept.fingerprint, known.cvc) == ("visa", "0016", "abc", True)


def test_a_test_card_is_known_by_its_key() -> None:
    known = NewCard.saved(legacy(_card="pm_card_visa"))
    assert known is not None
    assert known.card.number == "4242424242424242"


def test_the_expiry_of_a_card_in_the_vault_can_be_changed(vaulted: Vaulted) -> None:
    customer, made = vaulted.post("/v1/customers")["id"], vaulted.typed(CANARY)["id"]
    vaulted.post(f"/v1/payment_methods/{made}/attach", customer=customer)
    changed = vaulted.post(f"/v1/payment_methods/{made}", card={"exp_month": 3, "exp_year": 2041})
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (3, 2041)
    vaulted.pay(payment_method=made, customer=customer)
    sent: Any = vaulted.network.requests[-1]
    assert (sent.method.exp_month, sent.method.exp_year) == (3, 2041)


def test_a_card_in_test_mode_is_a_test_card(api: Api) -> None:
    refused = api.post("/v1/payment_methods", type="card", card={"number": CANARY, "exp_month": 1, "exp_year": 2034})
    assert (refused.status, refused.error["decline_code"]) == (402, "test_mode_live_card")
