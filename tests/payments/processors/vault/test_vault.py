"""Numbers of cards in live mode: kept in the vault, sent to the processor, and nowhere else."""

from __future__ import annotations

from tests.support.vault import CANARY, TEST_NUMBER, Vaulted


def test_a_card_that_is_typed_in_is_paid_with_through_the_processor(vaulted: Vaulted) -> None:
    made = vaulted.typed()
    assert made.status == 200, made
    assert (made["card"]["brand"], made["card"]["last4"], made["card"]["exp_year"]) == ("visa", "0016", 2034)
    paid = vaulted.pay(payment_method=made["id"])
    assert paid["status"] == "succeeded", paid
    assert vaulted.sent() == [(CANARY, "737")]


def test_a_security_code_is_sent_once(vaulted: Vaulted) -> None:
    customer = vaulted.post("/v1/customers")["id"]
    method = vaulted.typed()["id"]
    vaulted.post(f"/v1/payment_methods/{method}/attach", customer=customer)
    for _ in range(2):
        assert vaulted.pay(payment_method=method, customer=customer)["status"] == "succeeded"
    assert vaulted.sent() == [(CANARY, "737"), (CANARY, None)]


def test_a_number_of_test_mode_is_a_number_like_others(vaulted: Vaulted) -> None:
    made = vaulted.typed(TEST_NUMBER)
    assert (made.status, made["card"]["country"], made["card"]["funding"]) == (200, None, "unknown")
    vaulted.pay(payment_method=made["id"])
    assert vaulted.sent() == [(TEST_NUMBER, "737")]
