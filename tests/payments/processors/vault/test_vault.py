"""Numbers of cards in live mode: kept in the vault, sent to the processor, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.processor import FEATURES
from tests.support.vault import CANARY, TEST_NUMBER, Vaulted, card, turn
from tollkey.db import Scope, StorageError
from tollkey.payments.processors import backends
from tollkey.payments.processors.vault.vault import typed_cards


def saved(held: Vaulted, number: str = CANARY) -> dict[str, str]:
    """A customer with a card, as parameters of a payment."""
    customer: str = held.post("/v1/customers")["id"]
    method: str = held.typed(number)["id"]
    held.post(f"/v1/payment_methods/{method}/attach", customer=customer)
    return {"payment_method": method, "customer": customer}


def test_a_card_that_is_typed_in_is_paid_with_through_the_processor(vaulted: Vaulted) -> None:
    made = vaulted.typed()
    assert made.status == 200, made
    assert (made["card"]["brand"], made["card"]["last4"], made["card"]["exp_year"]) == ("visa", "0016", 2034)
    paid = vaulted.pay(payment_method=made["id"])
    assert paid["status"] == "succeeded", paid
    assert vaulted.sent() == [(CANARY, "737")]


def test_a_token_of_a_browser_pays_as_a_card_and_as_a_payment_method(vaulted: Vaulted) -> None:
    def token() -> Any:
        return vaulted.api.post("/v1/tokens", card=card(), key=vaulted.api.live_pk)["id"]

    method = vaulted.post("/v1/payment_methods", type="card", card={"token": token()})
    assert method["card"]["brand"] == "visa"
    assert vaulted.pay(payment_method=method["id"])["status"] == "succeeded"
    customer = vaulted.post("/v1/customers", source=token())
    assert vaulted.pay(payment_method=customer["default_source"], customer=customer["id"])["status"] == "succeeded"
    assert vaulted.sent() == [(CANARY, "737")] * 2
    seen = vaulted.get(f"/v1/customers/{customer['id']}/payment_methods")["data"][0]["card"]
    assert (seen["brand"], seen["last4"], seen["fingerprint"]) == ("visa", "0016", method["card"]["fingerprint"])


def test_a_number_is_sent_however_it_was_written(vaulted: Vaulted) -> None:
    for text in ("4532 0100 0000 0016", "4532-0100-0000-0016"):
        vaulted.pay(payment_method=vaulted.typed(text)["id"])
    assert vaulted.sent() == [(CANARY, "737")] * 2


def test_a_security_code_is_sent_once(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    for _ in range(2):
        assert vaulted.pay(**by)["status"] == "succeeded"
    assert vaulted.sent() == [(CANARY, "737"), (CANARY, None)]


def test_the_code_of_a_saved_card_is_asked_for_again_and_sent_once(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    vaulted.pay(**by)
    token = vaulted.api.post("/v1/tokens", cvc_update={"cvc": "481"}, key=vaulted.api.live_pk)
    assert token.status == 200
    options = {"card": {"cvc_token": token["id"]}}
    assert vaulted.pay(payment_method_options=options, **by)["status"] == "succeeded"
    again = vaulted.pay(payment_method_options=options, **by)
    assert (again.status, again.error["code"]) == (400, "token_already_used")
    vaulted.pay(**by)
    assert vaulted.sent() == [(CANARY, "737"), (CANARY, "481"), (CANARY, None)]
    stored = vaulted.api.core.database.read(lambda tx: tx.execute("SELECT body, private FROM obj_token"))
    assert b'"481"' not in b"".join(bytes(part or b"") for row in stored for part in row)


def test_a_code_alone_is_dropped_without_the_vault(vaulted: Vaulted) -> None:
    turn(vaulted.api.core.database, vaulted.scope, False)
    codes = len(vaulted.vault.codes)
    token = vaulted.api.post("/v1/tokens", cvc_update={"cvc": "481"}, key=vaulted.api.live_pk)
    assert (token.status, len(vaulted.vault.codes)) == (200, codes)


def test_a_security_code_waits_for_a_message_that_did_not_leave(vaulted: Vaulted) -> None:
    vaulted.network.script.append("refused")
    assert vaulted.pay(payment_method=vaulted.typed()["id"])["status"] == "succeeded"
    assert vaulted.sent() == [(CANARY, "737")] * 2  # the network of the tests hears what it refuses


def test_a_security_code_is_forgotten_after_a_quarter_of_an_hour(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    vaulted.api.world.clock[0] += 15 * 60
    vaulted.pay(**by)
    assert vaulted.sent() == [(CANARY, None)]


def test_a_number_of_test_mode_is_a_number_like_others(vaulted: Vaulted) -> None:
    made = vaulted.typed(TEST_NUMBER)
    assert (made.status, made["card"]["country"], made["card"]["funding"]) == (200, None, "unknown")
    vaulted.pay(payment_method=made["id"])
    assert vaulted.sent() == [(TEST_NUMBER, "737")]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"number": "4532010000000017"}, "incorrect_number"),
        ({"number": "45320100"}, "invalid_number"),
        ({"exp_year": 2020}, "invalid_expiry_year"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"cvc": "12"}, "invalid_cvc"),
    ],
)
def test_what_is_wrong_is_refused_as_in_test_mode(vaulted: Vaulted, changed: dict[str, Any], code: str) -> None:
    refused = vaulted.post("/v1/payment_methods", type="card", card={**card(), **changed})
    assert (refused.status, refused.error["code"]) == (402, code)
    assert vaulted.numbers() == []


def test_the_same_number_has_one_fingerprint_in_an_account_and_another_elsewhere(vaulted: Vaulted) -> None:
    first, second, third = vaulted.typed(), vaulted.typed("4532 0100 0000 0016"), vaulted.typed("4532010000000008")
    assert first["card"]["fingerprint"] == second["card"]["fingerprint"] != third["card"]["fingerprint"]
    assert len(first["card"]["fingerprint"]) == 16
    turn(vaulted.api.core.database, vaulted.scope, False)
    assert vaulted.typed()["card"]["fingerprint"] != first["card"]["fingerprint"]


@pytest.mark.parametrize("lacking", ["account", "processor"])
def test_without_it_the_refusal_is_as_before(vaulted: Vaulted, lacking: str) -> None:
    core, scope = vaulted.api.core, vaulted.scope
    if lacking == "account":
        turn(core.database, scope, False)
    else:
        core.database.write(
            lambda tx: backends.connect(tx, core.authority.keyring, scope, "scripted", {}, FEATURES, vaulted.api.now)
        )
    made = vaulted.typed()
    refused = vaulted.pay(payment_method=made["id"])
    assert refused.status == 400
    assert refused.error["message"] == (
        "This payment method cannot be charged in live mode: it was not made from a token of the account's processor"
        " (`card[token]`). The numbers of cards are not kept."
    )
    known = vaulted.typed(TEST_NUMBER)
    assert (known.status, known.error["decline_code"]) == (402, "live_mode_test_card")
    assert vaulted.numbers() == []


def test_a_number_is_never_sent_to_a_processor_that_takes_tokens(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    vaulted.network.features = FEATURES
    refused = vaulted.pay(**by)
    assert (refused.status, refused.error["code"]) == (402, "processing_error")
    assert vaulted.network.requests == []


def test_test_mode_keeps_nothing(vaulted: Vaulted) -> None:
    made = vaulted.api.post("/v1/payment_methods", type="card", card=card(TEST_NUMBER))
    assert made["card"]["country"] == "US"
    assert vaulted.numbers() == []


def test_a_request_that_is_repeated_keeps_one_number(vaulted: Vaulted) -> None:
    once = {"headers": {"Idempotency-Key": "typed"}}
    first, again = vaulted.typed(**once), vaulted.typed(**once)
    assert (first["id"], again.headers["idempotent-replayed"]) == (again["id"], "true")
    assert len(vaulted.numbers()) == 1
    other = vaulted.typed("4532010000000008", **once)
    assert (other.status, other.error["type"]) == (400, "idempotency_error")
    assert len(vaulted.numbers()) == 1


def test_captures_and_reversals_name_the_number_too(vaulted: Vaulted) -> None:
    held = vaulted.pay(payment_method=vaulted.typed()["id"], capture_method="manual")
    vaulted.post(f"/v1/payment_intents/{held['id']}/capture")
    capture = vaulted.network.requests[-1]
    assert (capture.operation, capture.original.method.token, capture.original.method.cvc) == (  # type: ignore[union-attr]
        "capture", CANARY, None,
    )  # fmt: skip


def test_a_capture_goes_without_a_number_that_was_deleted(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    held = vaulted.pay(capture_method="manual", **by)
    vaulted.post(f"/v1/payment_methods/{by['payment_method']}/detach")
    vaulted.tidy()
    taken = vaulted.post(f"/v1/payment_intents/{held['id']}/capture")
    sent: Any = vaulted.network.requests[-1]
    assert (taken["status"], sent.operation, sent.original.method.token) == ("succeeded", "capture", "")


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ({"card": card()}, [CANARY]),
        ({"a": {"b": [{"c": card("4532 0100 0000 0016")}]}}, [CANARY]),
        ({"a": card(), "b": card("4532010000000008")}, [CANARY, "4532010000000008"]),
        ({"card": {**card(), "number": int(CANARY)}}, [CANARY]),
        ({"card": {"number": CANARY}}, []),
        ({"card": {"number": [CANARY], "exp_month": 1}}, []),
        ({"card": {"number": None, "exp_month": 1}}, []),
        ({"card": {"number": "٤٥٣٢٠١٠٠٠٠٠٠٠٠١٦", "exp_month": 1}}, []),
        ({"card": {"number": "1" * 5000, "exp_month": 1}}, []),
        ({"number": CANARY}, []),
        ({}, []),
    ],
)
def test_cards_are_found_wherever_they_stand(given: dict[str, Any], numbers: list[str]) -> None:
    assert [one.number for one in typed_cards(given)] == numbers


def test_no_repr_shows_a_number_or_code(vaulted: Vaulted) -> None:
    vaulted.pay(payment_method=vaulted.typed()["id"])
    shown = repr(vaulted.network.requests) + repr(typed_cards({"card": card()})) + repr(vaulted.vault.__dict__)
    assert CANARY not in shown
    assert "737" not in shown


# -- faults


def away(*_: object, **__: object) -> Any:
    raise StorageError("it is away")


def test_without_the_vault_a_card_gets_503_and_nothing_is_half_written(
    vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = vaulted.store()
    monkeypatch.setattr(type(store), "put", away)
    before = vaulted.get("/v1/events", limit=100)["data"]
    refused = vaulted.typed(headers={"Idempotency-Key": "away"})
    assert (refused.status, refused.error["type"]) == (503, "api_error")
    assert vaulted.get("/v1/events", limit=100)["data"] == before
    assert (vaulted.numbers(), vaulted.holders()) == ([], [])
    monkeypatch.undo()
    assert vaulted.typed(headers={"Idempotency-Key": "away"}).status == 200


def test_what_needs_no_number_goes_on_without_the_vault(vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(vaulted.store()), "put", away)
    assert vaulted.post("/v1/customers").status == 200


def test_a_payment_waits_for_the_vault_and_is_then_sent(vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    by, store = saved(vaulted), vaulted.store()
    times = []

    def once(*given: Any, **named: Any) -> Any:
        times.append(1)
        if len(times) == 1:
            raise StorageError("it is away")
        return number(*given, **named)

    number = store.number
    monkeypatch.setattr(store, "number", once)
    assert vaulted.pay(**by)["status"] == "succeeded"
    assert (vaulted.sent(), len(times)) == ([(CANARY, "737")], 2)


def test_a_number_that_was_deleted_fails_its_payment(vaulted: Vaulted) -> None:
    by = saved(vaulted)
    vaulted.store().database.write(
        lambda tx: tx.execute("DELETE FROM card_numbers WHERE account = ?", (vaulted.api.account,))
    )
    refused = vaulted.pay(**by)
    assert (refused.status, refused.error["code"]) == (402, "processing_error")
    assert vaulted.network.requests == []


def test_a_number_that_was_moved_to_another_row_is_not_sent(vaulted: Vaulted) -> None:
    by, other = saved(vaulted), vaulted.typed("4532010000000008")
    first, second = vaulted.numbers()

    def swap(tx: Any) -> None:
        sealed = {row[0]: row[1] for row in tx.execute("SELECT reference, sealed FROM card_numbers")}
        tx.execute("UPDATE card_numbers SET sealed = ? WHERE reference = ?", (sealed[second], first))

    vaulted.store().database.write(swap)
    refused = vaulted.pay(**by)
    assert (other.status, refused.status, refused.error["code"]) == (200, 402, "processing_error")
    assert vaulted.network.requests == []


def test_another_account_gets_no_number_by_its_reference(vaulted: Vaulted) -> None:
    vaulted.typed()
    (reference,) = vaulted.numbers()
    store = vaulted.store()
    for scope in (Scope("acct_other", True), Scope(vaulted.api.account, False)):
        assert store.database.write(lambda tx, scope=scope: store.number(tx, scope, reference, 1)) is None


def test_a_keyring_that_was_rotated_meanwhile_is_read_again(vaulted: Vaulted) -> None:
    by, store = saved(vaulted), vaulted.store()
    rotated = store.keyring.rotate_sealing()
    old, store.keyring = store.keyring, rotated
    newer = saved(vaulted)
    rotated.save(vaulted.held.place.keyring)
    store.keyring = old
    assert [vaulted.pay(**one)["status"] for one in (by, newer)] == ["succeeded", "succeeded"]
    assert store.keyring.sealing_current == rotated.sealing_current


# -- keys


def test_a_restricted_key_without_the_permission_keeps_nothing(vaulted: Vaulted) -> None:
    key = vaulted.api.restricted("customer_write", "payment_method_read", livemode=True)
    refused = vaulted.api.post("/v1/payment_methods", type="card", card=card(), key=key)
    assert refused.status == 403
    assert vaulted.numbers() == []


def test_a_browser_makes_cards_and_reads_no_number(vaulted: Vaulted) -> None:
    pk = {"key": vaulted.api.live_pk}
    made = vaulted.api.post("/v1/payment_methods", type="card", card=card(), **pk)
    token = vaulted.api.post("/v1/tokens", card=card(), **pk)
    assert "fingerprint" not in made["card"]
    for path in (f"/v1/payment_methods/{made['id']}", f"/v1/tokens/{token['id']}"):
        for key in (vaulted.api.live_pk, vaulted.api.live_sk):
            assert CANARY.encode() not in vaulted.api.get(path, key=key).body
