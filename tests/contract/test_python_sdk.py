"""The official Python SDK against a running server."""

from __future__ import annotations

import uuid

import pytest
import stripe

from tests.contract.conftest import Running


def test_customers_are_created_retrieved_updated_and_deleted(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create({"email": "jenny@example.com", "metadata": {"order": "1"}})
    assert sdk.v1.customers.retrieve(customer.id).email == "jenny@example.com"
    updated = sdk.v1.customers.update(customer.id, {"name": "Jenny", "metadata": {"order": "", "size": "m"}})
    assert (updated.name, updated.metadata and updated.metadata.to_dict()) == ("Jenny", {"size": "m"})
    assert sdk.v1.customers.delete(customer.id).deleted is True
    assert sdk.v1.customers.retrieve(customer.id).deleted is True


def test_lists_are_walked_both_ways(sdk: stripe.StripeClient) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    made = [sdk.v1.customers.create({"email": email}).id for _ in range(5)]
    forwards = [c.id for c in sdk.v1.customers.list({"email": email, "limit": 2}).auto_paging_iter()]
    assert forwards == made[::-1]
    last = sdk.v1.customers.list({"email": email, "limit": 2, "ending_before": made[0]})
    assert [c.id for c in last.auto_paging_iter()] == made[1:]


def test_customers_are_found_by_search(sdk: stripe.StripeClient) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    made = [sdk.v1.customers.create({"email": email, "metadata": {"n": str(n)}}).id for n in range(3)]
    found = sdk.v1.customers.search({"query": f"email:'{email}' AND -metadata['n']:'1'", "limit": 1})
    assert sorted(c.id for c in found.auto_paging_iter()) == sorted([made[0], made[2]])


def test_a_token_becomes_a_charge_that_is_captured_and_refunded(sdk: stripe.StripeClient) -> None:
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "314"}
    token = sdk.v1.tokens.create({"card": card})  # type: ignore[typeddict-item]
    charge = sdk.v1.charges.create({"amount": 2000, "currency": "usd", "source": token.id, "capture": False})
    assert (charge.status, charge.captured) == ("succeeded", False)
    captured = sdk.v1.charges.capture(charge.id, {"amount": 1500})
    assert (captured.captured, captured.amount_captured, captured.amount_refunded) == (True, 1500, 500)
    refund = sdk.v1.refunds.create({"charge": charge.id, "amount": 1000})
    assert (refund.status, sdk.v1.charges.retrieve(charge.id).amount_refunded) == ("succeeded", 1500)
    assert charge.id in [c.id for c in sdk.v1.charges.list({"limit": 3})]


def test_a_declined_card_raises_a_card_error_that_names_its_charge(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as caught:
        sdk.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_chargeDeclinedInsufficientFunds"})
    error = caught.value.error
    assert error is not None
    assert (error.code, error.decline_code, error.message) == (
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
    )
    assert sdk.v1.charges.retrieve(str(error.charge)).status == "failed"


def test_a_payment_method_is_attached_listed_and_detached(sdk: stripe.StripeClient) -> None:
    customer = sdk.v1.customers.create()
    method = sdk.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert sdk.v1.payment_methods.attach(method.id, {"customer": customer.id}).customer == customer.id
    assert [m.id for m in sdk.v1.payment_methods.list({"customer": customer.id, "type": "card"})] == [method.id]
    assert sdk.v1.payment_methods.detach(method.id).customer is None


def test_the_balance_follows_from_its_transactions(sdk: stripe.StripeClient) -> None:
    before = sdk.v1.balance.retrieve()
    charge = sdk.v1.charges.create({"amount": 5000, "currency": "usd", "source": "tok_visa"})
    transaction = sdk.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (transaction.amount, transaction.fee, transaction.net) == (5000, 175, 4825)
    after = sdk.v1.balance.retrieve()
    usd = [sum(b.amount for b in balance.pending if b.currency == "usd") for balance in (before, after)]
    assert usd[1] - usd[0] == 4825


def test_the_account_and_its_events_are_there(sdk: stripe.StripeClient, server: Running) -> None:
    assert sdk.v1.accounts.retrieve_current().id == server.account
    customer = sdk.v1.customers.create()
    (event,) = [
        e for e in sdk.v1.events.list({"type": "customer.created", "limit": 5}) if e.data.object["id"] == customer.id
    ]
    assert event.request is not None
    assert event.request.idempotency_key


def test_a_wrong_key_raises_an_authentication_error(server: Running) -> None:
    client = stripe.StripeClient("sk_test_" + "x" * 24, base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError) as caught:
        client.v1.customers.list()
    assert caught.value.user_message == "Invalid API Key provided: sk_test_" + "*" * 20 + "xxxx"


def test_a_publishable_key_makes_tokens_and_nothing_else(server: Running) -> None:
    client = stripe.StripeClient(server.publishable_key, base_addresses={"api": server.url}, max_network_retries=0)
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "314"}
    assert client.v1.tokens.create({"card": card}).id.startswith("tok_")  # type: ignore[typeddict-item]
    with pytest.raises(stripe.PermissionError) as caught:
        client.v1.customers.list()
    assert caught.value.error is not None
    assert caught.value.error.code == "secret_key_required"
