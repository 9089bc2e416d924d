"""Caps: what a key may move through an upstream account, counted once, and never more than was allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.upstream.conftest import Asked, There, at_once
from tollkey.db import Scope
from tollkey.keys import KeyRefused
from tollkey.keys.actors import SYSTEM
from tollkey.upstream import spending, store

CHARGES = ("charge_write", "payment_intent_write", "refund_write", "payout_write", "customer_write")


def capped(api: Api, **caps: str) -> str:
    """The text of a key that may move money, with these caps."""
    return api.restricted(*CHARGES, metadata=caps)


def spent(api: Api) -> dict[tuple[str, str], int]:
    """What was moved today, by kind and currency."""
    api.world.runner.run(api.world.server.gateway.stop())
    rows = api.core.database.read(lambda tx: spending.spent(tx, Scope(api.account, False), api.now))
    return {(row.kind, row.currency): row.amount for row in rows}


def told(there: There, **objects: dict[str, Any]) -> None:
    """Let the server elsewhere answer a path that ends with such a name with that object."""

    def answer(asked: Asked) -> None:
        path = asked.line.split()[1].partition("?")[0]
        found = objects.get(path.rpartition("/")[2])
        there.body = json.dumps(found).encode() if found is not None else b'{"id": "obj_1", "object": "thing"}'

    there.before = answer


@pytest.mark.parametrize("path", ["/v1/charges", "/v1/payment_intents"])
def test_a_payment_above_the_largest_amount_is_not_sent(api: Api, there: There, path: str) -> None:
    key = capped(api, cap_amount="usd:5000 eur:4000")
    assert api.post(path, key=key, amount=5000, currency="USD").status == 200
    for amount, currency in ((5001, "usd"), (4001, "eur"), (1, "gbp")):
        refused = api.post(path, key=key, amount=amount, currency=currency)
        assert (refused.status, refused.error["code"], refused.error["cap"]) == (403, "cap_exceeded", "cap_amount")
    assert len(there.got) == 1


def test_the_sum_of_a_day_is_never_exceeded_and_begins_anew_the_next_day(api: Api, there: There) -> None:
    key = capped(api, cap_charged_a_day="usd:1000")
    assert api.post("/v1/charges", key=key, amount=600, currency="usd").status == 200
    refused = api.post("/v1/charges", key=key, amount=401, currency="usd")
    assert (refused.error["cap"], "400 usd more today" in refused.error["message"]) == ("cap_charged_a_day", True)
    assert api.post("/v1/charges", key=key, amount=400, currency="usd").status == 200
    assert spent(api) == {("charge", "usd"): 1000}
    api.world.clock[0] += 86400
    assert api.post("/v1/charges", key=key, amount=1000, currency="usd").status == 200


def test_calls_at_once_do_not_exceed_the_sum_together(api: Api, there: There) -> None:
    key = capped(api, cap_charged_a_day="usd:1000")
    service, body = api.world.server.service, b"amount=300&currency=usd"
    assert at_once(api.world.runner, [service], there, 8, key, body=body) == [200] * 3 + [403] * 5
    assert spent(api) == {("charge", "usd"): 900}


def test_a_definite_refusal_gives_the_amount_back_and_an_unknown_outcome_keeps_it(api: Api, there: There) -> None:
    key = capped(api, cap_charged_a_day="usd:1000")
    there.status, there.body = 402, b'{"error": {"code": "card_declined"}}'
    assert api.post("/v1/charges", key=key, amount=900, currency="usd").status == 402
    assert spent(api) == {("charge", "usd"): 0}
    there.status, there.body = 500, b"{}"
    api.post("/v1/charges", key=key, amount=100, currency="usd")
    there.fails = ["cut", "cut"]
    there.status = 200
    assert api.post("/v1/charges", key=key, amount=200, currency="usd").status == 504
    assert spent(api) == {("charge", "usd"): 300}


def test_a_call_that_is_repeated_with_its_idempotency_key_counts_once(api: Api, there: There) -> None:
    key, headers = capped(api, cap_charged_a_day="usd:1000"), {"Idempotency-Key": "order"}
    there.fails = ["cut"]
    assert api.post("/v1/charges", key=key, headers=headers, amount=900, currency="usd").status == 504
    assert spent(api) == {("charge", "usd"): 900}
    assert api.post("/v1/charges", key=key, headers=headers, amount=900, currency="usd").status == 200
    assert spent(api) == {("charge", "usd"): 900}


def test_a_payment_that_was_counted_when_it_was_created_is_not_counted_again(api: Api, there: There) -> None:
    key = capped(api, cap_charged_a_day="usd:1000")
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 700, "currency": "usd"}
    told(there, payment_intents=intent, pi_1=intent, pi_2={**intent, "id": "pi_2", "amount": 500})
    assert api.post("/v1/payment_intents", key=key, amount=700, currency="usd").status == 200
    assert spent(api) == {("charge", "usd"): 700}
    assert api.post("/v1/payment_intents/pi_1/confirm", key=key).status == 200
    assert api.post("/v1/payment_intents/pi_1/capture", key=key, amount_to_capture=600).status == 200
    assert spent(api) == {("charge", "usd"): 700}
    refused = api.post("/v1/payment_intents/pi_2/confirm", key=key)
    assert refused.error["cap"] == "cap_charged_a_day"


def test_a_payment_that_is_raised_counts_what_is_added(api: Api, there: There) -> None:
    key = capped(api, cap_amount="usd:900 eur:900", cap_charged_a_day="usd:1000 eur:1000")
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 1, "currency": "usd"}
    told(there, payment_intents=intent, pi_1=intent, increment_authorization=intent)
    assert api.post("/v1/payment_intents", key=key, amount=1, currency="usd").status == 200
    for path in ("/v1/payment_intents/pi_1", "/v1/payment_intents/pi_1/increment_authorization"):
        assert api.post(path, key=key, amount=901).error["cap"] == "cap_amount"
    assert api.post("/v1/payment_intents/pi_1", key=key, amount=800).status == 200
    assert spent(api) == {("charge", "usd"): 800}
    assert api.post("/v1/payment_intents/pi_1", key=key, amount=700).status == 200
    assert api.post("/v1/payment_intents/pi_1", key=key, amount=900).status == 200
    assert spent(api) == {("charge", "usd"): 900}
    assert api.post("/v1/payment_intents/pi_1", key=key, amount=900, currency="eur").status == 200
    assert spent(api) == {("charge", "usd"): 900, ("charge", "eur"): 900}


def test_an_idempotency_key_counts_once_only_for_the_same_call_on_the_same_day(api: Api, there: There) -> None:
    caps = {"cap_charged_a_day": "usd:1000"}
    key = api.restricted("charge_write", connect_permissions=("charge_write",), metadata=caps)

    def send(amount: int = 600, **headers: str) -> int:
        given = {"Idempotency-Key": "order", **headers}
        return api.post("/v1/charges", key=key, headers=given, amount=amount, currency="usd").status

    assert (send(), send()) == (200, 200)
    assert send(**{"Stripe-Account": "acct_2"}) == 403  # its keys are apart: it would be done once more
    assert send(amount=601) == 403
    api.world.clock[0] += 86400  # the key is forgotten
    assert (send(), send()) == (200, 200)
    assert spent(api) == {("charge", "usd"): 600}


@pytest.mark.parametrize(("status", "amount"), [(400, 601), (409, 600), (429, 600), (402, 600)])
def test_a_refusal_gives_back_only_what_its_own_call_reserved(api: Api, there: There, status: int, amount: int) -> None:
    key, headers = capped(api, cap_charged_a_day="usd:2000"), {"Idempotency-Key": "order"}
    assert api.post("/v1/charges", key=key, headers=headers, amount=600, currency="usd").status == 200
    there.status, there.body = status, b'{"error": {}}'
    assert api.post("/v1/charges", key=key, headers=headers, amount=amount, currency="usd").status == status
    assert spent(api) == {("charge", "usd"): 600}


def test_a_call_that_is_under_way_elsewhere_stays_counted(api: Api, there: There) -> None:
    there.status, there.body = 409, b'{"error": {"code": "idempotency_key_in_use"}}'
    assert api.post("/v1/charges", key=capped(api, cap_charged_a_day="usd:9"), amount=9, currency="usd").status == 409
    assert spent(api) == {("charge", "usd"): 9}


def test_an_unknown_outcome_is_given_back_once_its_refusal_is_repeated(api: Api, there: There) -> None:
    key, headers = capped(api, cap_charged_a_day="usd:1000"), {"Idempotency-Key": "order"}
    there.fails = ["cut"]
    assert api.post("/v1/charges", key=key, headers=headers, amount=600, currency="usd").status == 504
    there.status, there.body = 402, b'{"error": {"code": "card_declined"}}'
    there.headers = {"Content-Type": "application/json", "Idempotent-Replayed": "true"}
    assert api.post("/v1/charges", key=key, headers=headers, amount=600, currency="usd").status == 402
    assert spent(api) == {("charge", "usd"): 0}


@pytest.mark.parametrize("name", ["plan", "account_balance", "balance", "coupon", "promotion_code", "cash_balance[x]"])
@pytest.mark.parametrize("path", ["/v1/customers", "/v1/customers/cus_1"])
def test_what_gives_a_customer_credit_or_a_subscription_is_money(api: Api, there: There, path: str, name: str) -> None:
    key = api.restricted("customer_write", "subscription_write", metadata={"cap_amount": "usd:1"})
    assert api.post(path, key=key, **{name: 1}).error["code"] == "cap_not_countable"
    assert there.got == []


@pytest.mark.parametrize("path", ["/v1/products/../charges", "/v1/products/%2e%2e/charges", "/v1/plans/x%2fy"])
def test_a_secret_key_with_caps_sends_no_path_that_servers_read_differently(api: Api, there: There, path: str) -> None:
    scope, database, authority = Scope(api.account, False), api.core.database, api.core.authority
    _, text = database.write(
        lambda tx: authority.create(
            tx, scope, "secret", name="x", actor=SYSTEM, now=api.now, metadata={"cap_amount": "usd:1"}
        )
    )
    assert api.post(path, key=text, amount=1).error["code"] == "cap_not_countable"
    assert there.got == []


def test_a_refund_without_an_amount_counts_what_is_left_of_the_charge(api: Api, there: There) -> None:
    key = capped(api, cap_refunded_a_day="usd:1000")
    charge = {"id": "ch_1", "amount": 900, "amount_refunded": 100, "currency": "usd"}
    told(there, ch_1=charge, pi_1={"id": "pi_1", "amount": 900, "currency": "usd", "latest_charge": "ch_1"})
    assert api.post("/v1/refunds", key=key, charge="ch_1").status == 200
    assert spent(api) == {("refund", "usd"): 800}
    assert api.post("/v1/refunds", key=key, payment_intent="pi_1", amount=201).error["cap"] == "cap_refunded_a_day"
    assert api.post("/v1/charges/ch_1/refunds", key=key, amount=200).status == 200
    assert api.post("/v1/refunds", key=key, charge="ch_none").error["code"] == "cap_not_countable"
    assert spent(api) == {("refund", "usd"): 1000}


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("POST", "/v1/payouts", {"amount": 1, "currency": "usd"}),
        ("POST", "/v1/customers/cus_1", {"balance": -100}),
        ("POST", "/v1/customers/cus_1/subscriptions", {}),
        ("DELETE", "/v1/customers/cus_1/subscriptions/sub_1", {}),
        ("POST", "/v1/payment_intents/pi_1/apply_customer_balance", {}),
    ],
)
def test_a_key_with_caps_makes_no_call_whose_amount_nobody_can_tell(
    api: Api, there: There, method: str, path: str, params: dict[str, Any]
) -> None:
    key = api.restricted(*CHARGES, "subscription_write", metadata={"cap_amount": "usd:5000"})
    refused = getattr(api, method.lower())(path, key=key, **params)
    assert (refused.status, refused.error["code"]) == (403, "cap_not_countable"), refused
    assert there.got == []


def test_a_key_with_caps_does_what_moves_no_money(api: Api, there: There) -> None:
    key = capped(api, cap_amount="usd:5000")
    assert api.post("/v1/customers", key=key, email="a@b.de").status == 200
    assert api.get("/v1/charges", key=key).status == 200
    assert api.delete("/v1/customers/cus_1", key=key).status == 200


def test_an_amount_that_is_sent_twice_is_refused(api: Api, there: There) -> None:
    key = capped(api, cap_amount="usd:5000")
    for second in (b"&amount=9000", b"&%61mount=9000", b";amount=9000"):
        body = b"currency=usd&amount=1" + second
        assert api.send("POST", "/v1/charges", key=key, body=body).status == 400
    assert there.got == []


def test_a_key_for_some_accounts_acts_for_no_other(api: Api, there: There) -> None:
    key = api.restricted(
        *CHARGES, connect_permissions=("charge_write", "charge_read"), metadata={"cap_accounts": "acct_1 self"}
    )
    assert api.get("/v1/charges", key=key, headers={"Stripe-Account": "acct_1"}).status == 200
    assert api.get("/v1/charges", key=key).status == 200
    for headers, params in (
        ({"Stripe-Account": "acct_2"}, {}),
        ({"Stripe-Context": "acct_2"}, {}),
        ({}, {"transfer_data": {"destination": "acct_2"}}),
        ({}, {"on_behalf_of": "acct_2"}),
    ):
        refused = api.post("/v1/charges", key=key, headers=headers, amount=1, currency="usd", **params)
        assert (refused.status, refused.error["cap"]) == (403, "cap_accounts")
    key = api.restricted("connected_account_write", metadata={"cap_accounts": "acct_1 self"})
    for path in ("/v1/accounts/acct_2", "/v1/accounts/%61cct_2/external_accounts"):
        assert api.post(path, key=key).error["cap"] == "cap_accounts"
    assert api.post("/v1/accounts/acct_1", key=key).status == 200


def test_a_successor_has_the_same_caps_and_the_same_sum(api: Api, there: There) -> None:
    scope, database, authority = Scope(api.account, False), api.core.database, api.core.authority
    key = capped(api, cap_charged_a_day="usd:1000")
    assert api.post("/v1/charges", key=key, amount=600, currency="usd").status == 200
    for _ in range(2):
        (found,) = database.read(lambda tx: authority.list(tx, scope, kind="restricted", active_at=api.now))
        rolled = api.post(f"/v1/api_keys/{found.id}/roll")
        api.world.clock[0] += 1
    assert api.post("/v1/charges", key=rolled["secret"], amount=600, currency="usd").error["cap"] == "cap_charged_a_day"
    assert api.post("/v1/charges", key=rolled["secret"], amount=400, currency="usd").status == 200


def test_keys_of_a_group_share_their_sum(api: Api, there: There) -> None:
    first, second = (capped(api, cap_charged_a_day="usd:1000", cap_group="agents") for _ in range(2))
    assert api.post("/v1/charges", key=first, amount=600, currency="usd").status == 200
    assert api.post("/v1/charges", key=second, amount=600, currency="usd").status == 403


def test_a_key_with_caps_cannot_make_or_change_keys(api: Api, there: There) -> None:
    key = api.restricted("api_key_write", metadata={"cap_amount": "usd:1"})
    for path in ("/v1/api_keys", "/v1/api_keys/mk_1", "/v1/api_keys/mk_1/roll"):
        assert api.post(path, key=key).status == 403


def test_caps_do_not_stay_silent_where_nothing_is_passed_on(api: Api) -> None:
    refused = api.post("/v1/charges", key=capped(api, cap_amount="usd:1"), amount=1, currency="usd")
    assert (refused.status, refused.error["code"]) == (403, "cap_not_countable")


@pytest.mark.parametrize(
    "caps",
    [
        {"cap_amount": "5000"}, {"cap_amount": "usd:-1"}, {"cap_amount": "usd:1 usd:2"}, {"cap_amount": "USD:1"},
        {"cap_amounts": "usd:1"}, {"cap_currencies": "dollars"}, {"cap_accounts": "cus_1"}, {"cap_exceeded": "maybe"},
        {"cap_group": "a b"}, {"dry_run": "yes"},
    ],
)  # fmt: skip
def test_a_cap_that_cannot_be_read_is_refused_when_it_is_set(api: Api, caps: dict[str, str]) -> None:
    with pytest.raises(KeyRefused) as refused:
        api.restricted(metadata=caps)
    assert (refused.value.code, refused.value.param) == ("metadata_invalid", "metadata")


# -- dry run and approval


def test_a_dry_run_sends_no_write_and_says_what_it_would_have_done(api: Api, there: There) -> None:
    key = capped(api, dry_run="true", cap_amount="usd:5000")
    answer = api.post("/v1/charges", key=key, amount=100, currency="usd")
    assert (answer.status, answer.error["code"]) == (403, "dry_run")
    assert "POST /v1/charges (charge_write)" in answer.error["message"]
    assert "100 usd" in answer.error["message"]
    assert there.got == []
    assert api.get("/v1/charges", key=key).status == 200
    (call,) = api.core.database.read(lambda tx: store.calls(tx, Scope(api.account, False), state="dry_run"))
    assert (call.method, call.path, call.amount, call.currency) == ("POST", "/v1/charges", 100, "usd")


def test_a_call_above_a_cap_waits_for_a_person_and_is_sent_once_it_is_approved(api: Api, there: There) -> None:
    scope, headers = Scope(api.account, False), {"Idempotency-Key": "big"}
    key = capped(api, cap_amount="usd:100", cap_exceeded="ask")

    def send(**more: Any) -> Any:
        return api.post("/v1/charges", key=key, headers=headers, **{"amount": 900, "currency": "usd", **more})

    first, second = send(), send()
    assert (first.status, first.error["code"]) == (403, "approval_required")
    assert first.error["approval"] == second.error["approval"]
    (waiting,) = api.core.database.read(lambda tx: spending.approvals(tx, scope, state="pending"))
    assert (waiting.amount, waiting.currency, waiting.kind, waiting.cap) == (900, "usd", "charge", "cap_amount")
    assert there.got == []
    decided = api.core.database.write(
        lambda tx: spending.decide(tx, scope, waiting.id, "approved", "person:p", api.now)
    )
    assert decided
    assert send(amount=901).status == 400
    assert send().status == 200
    assert len(there.got) == 1
    assert send().status == 200  # the same call again: the server elsewhere repeats its answer
    headers["Idempotency-Key"] = "other"
    assert send().status == 403


def test_a_call_that_a_person_refused_stays_refused(api: Api, there: There) -> None:
    scope, headers = Scope(api.account, False), {"Idempotency-Key": "big"}
    key = capped(api, cap_amount="usd:100", cap_exceeded="ask")
    id = api.post("/v1/charges", key=key, headers=headers, amount=900, currency="usd").error["approval"]
    assert api.core.database.write(lambda tx: spending.decide(tx, scope, id, "refused", "person:p", api.now))
    assert not api.core.database.write(lambda tx: spending.decide(tx, scope, id, "approved", "person:p", api.now))
    assert api.post("/v1/charges", key=key, headers=headers, amount=900, currency="usd").error["code"] == "cap_exceeded"


def test_an_approval_is_for_no_more_than_what_was_shown(api: Api, there: There) -> None:
    """What a refund without an amount moves is what is left of the charge: more once another refund is cancelled."""
    scope, headers = Scope(api.account, False), {"Idempotency-Key": "big"}
    key = capped(api, cap_amount="usd:50", cap_exceeded="ask")
    charge = {"id": "ch_1", "amount": 5000, "amount_refunded": 4900, "currency": "usd"}
    told(there, ch_1=charge)
    id = api.post("/v1/refunds", key=key, headers=headers, charge="ch_1").error["approval"]
    assert api.core.database.write(lambda tx: spending.decide(tx, scope, id, "approved", "person:p", api.now))
    charge["amount_refunded"] = 0
    assert api.post("/v1/refunds", key=key, headers=headers, charge="ch_1").status == 400
    charge["amount_refunded"] = 4901
    assert api.post("/v1/refunds", key=key, headers=headers, charge="ch_1").status == 200
    assert spent(api) == {("refund", "usd"): 99}


def test_a_call_without_an_idempotency_key_cannot_wait(api: Api, there: There) -> None:
    key = capped(api, cap_amount="usd:100", cap_exceeded="ask")
    refused = api.post("/v1/charges", key=key, amount=900, currency="usd")
    assert (refused.status, refused.error["code"]) == (400, "approval_needs_idempotency_key")
