"""Every endpoint that takes the number of a card in test mode takes it in live mode too, and the vault keeps it.

The endpoints come from the server's catalogue: a new one with such a parameter fails here until it is in the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.vault import CANARY, Vaulted, card, turn
from tollkey.db import Scope
from tollkey.wire import Endpoint

Answered = Callable[[Vaulted], Any]
_DATA = {"type": "card", "card": card()}
_OBJECT = {"object": "card", **card()}
_CUSTOMER = "/v1/customers/{customer}"
_NEVER = {"enabled": True, "allow_redirects": "never"}
_INTENT = {"amount": 500, "currency": "usd", "automatic_payment_methods": _NEVER}


def customer(held: Vaulted) -> str:
    found: str = held.post("/v1/customers")["id"]
    return found


def intent(held: Vaulted) -> Any:
    return held.post("/v1/payment_intents", **_INTENT)


def confirmed_in_a_browser(held: Vaulted) -> Any:
    made = intent(held)
    secret = {"client_secret": made["client_secret"], "key": held.api.live_pk}
    return held.api.post(f"/v1/payment_intents/{made['id']}/confirm", payment_method_data=_DATA, **secret)


def subscribed(held: Vaulted, path: str, name: str) -> Any:
    product = held.post("/v1/products", name="P")["id"]
    price = {"currency": "usd", "product": product, "unit_amount": 100, "recurring": {"interval": "month"}}
    return held.post(path, items=[{"price_data": price}], trial_period_days=3, **{name: _OBJECT})


#: Path -> what takes the number there.
TAKES: dict[str, Answered] = {
    "/v1/tokens": lambda held: held.post("/v1/tokens", card=card()),
    "/v1/payment_methods": lambda held: held.post("/v1/payment_methods", **_DATA),
    "/v1/confirmation_tokens": lambda held: held.api.post(
        "/v1/confirmation_tokens", payment_method_data=_DATA, key=held.api.live_pk
    ),
    "/v1/payment_intents": lambda held: held.post(
        "/v1/payment_intents", payment_method_data=_DATA, confirm=True, **_INTENT
    ),
    "/v1/payment_intents/{intent}": lambda held: held.post(
        f"/v1/payment_intents/{intent(held)['id']}", payment_method_data=_DATA
    ),
    "/v1/payment_intents/{intent}/confirm": confirmed_in_a_browser,
    "/v1/charges": lambda held: held.post("/v1/charges", amount=500, currency="usd", source=_OBJECT),
    "/v1/customers": lambda held: held.post("/v1/customers", source=_OBJECT),
    _CUSTOMER: lambda held: held.post(f"/v1/customers/{customer(held)}", source=_OBJECT),
    f"{_CUSTOMER}/sources": lambda held: held.post(f"/v1/customers/{customer(held)}/sources", source=_OBJECT),
    f"{_CUSTOMER}/cards": lambda held: held.post(f"/v1/customers/{customer(held)}/cards", card=card()),
    f"{_CUSTOMER}/bank_accounts": lambda held: held.post(
        f"/v1/customers/{customer(held)}/bank_accounts", source=_OBJECT
    ),
}
#: Path -> why the number is not held by an object as in ``TAKES``.
TAKES_NOT = {
    "/v1/accounts": "a debit card that is paid out to: processors pay out to bank accounts",
    "/v1/accounts/{account}": "as above",
    "/v1/accounts/{account}/external_accounts": "as above",
    "/v1/accounts/{account}/bank_accounts": "as above",
    "/v1/sources": "a source that is chargeable at once needs a provider of sources",
    "/v1/setup_intents": "a number is held by the payment method that is made of it, where live mode takes it",
    "/v1/setup_intents/{intent}": "as above",
    "/v1/setup_intents/{intent}/confirm": "as above",
    "/v1/payment_methods/{payment_method}": "changes an expiry or network, takes no number",
    "/v1/payment_method_configurations": "which types are offered",
    "/v1/payment_method_configurations/{configuration}": "as above",
    "/v1/subscriptions": "names a token or source of API versions before 2018",
    "/v1/subscriptions/{subscription_exposed_id}": "as above",
    f"{_CUSTOMER}/subscriptions": "as above",
    f"{_CUSTOMER}/subscriptions/{{subscription_exposed_id}}": "as above",
}
_NAMED = re.compile(r"(^|\[payment_method_data\]\[|payment_method_data\[|^)(card|source|external_account)\]?$")


def names(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The parameters of a schema, with their types."""
    if depth > 6:
        return
    if hasattr(node, "fields"):
        for name, inner in node.fields.items():
            here = f"{path}[{name}]" if path else name
            yield here, inner
            yield from names(inner, here, depth + 1)
    for inner in (getattr(node, "inner", None), *(getattr(node, "options", None) or ())):
        if inner is not None:
            yield from names(inner, path, depth + 1)


def takes_a_card(endpoint: Endpoint) -> bool:
    """Whether a live key may send it an object with a name under which a card stands."""
    if endpoint.schema is None or endpoint.method != "POST" or (endpoint.live and endpoint.live.test_only):
        return False
    return any(_NAMED.search(name) and type(kind).__name__ not in ("Text", "Refused")
               for name, kind in names(endpoint.schema))  # fmt: skip


def test_the_table_has_every_endpoint_that_may_take_a_number(vaulted: Vaulted) -> None:
    found = {
        endpoint.path
        for resource in vaulted.api.core.catalogue.resources
        for endpoint in resource.endpoints
        if takes_a_card(endpoint)
    }
    assert found == TAKES.keys() | TAKES_NOT.keys()
    assert not TAKES.keys() & TAKES_NOT.keys()


@pytest.mark.parametrize("path", TAKES)
def test_the_number_is_kept_in_the_vault_and_its_object_holds_it(vaulted: Vaulted, path: str) -> None:
    answer = TAKES[path](vaulted)
    assert answer.status == 200, answer
    assert CANARY.encode() not in answer.body
    assert len(vaulted.numbers()) == 1
    assert [ended for _, ended in vaulted.holders()] == [False]


@pytest.mark.parametrize("path", TAKES)
def test_nothing_is_kept_for_an_account_that_takes_no_numbers(vaulted: Vaulted, path: str) -> None:
    turn(vaulted.api.core.database, Scope(vaulted.api.account, True), False)
    TAKES[path](vaulted)
    assert (vaulted.numbers(), vaulted.holders()) == ([], [])


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/sources", {"type": "card", "card": card()}),
        ("/v1/accounts", {"type": "custom", "country": "US", "external_account": {**_OBJECT, "currency": "usd"}}),
        ("/v1/products", {"name": "P", "metadata": card()}),
        ("/v1/tokens", {"card": card("4532010000000017")}),
        ("/v1/payment_methods", {"type": "card", "card": {**card(), "exp_year": 2020}}),
    ],
)
def test_what_holds_no_number_leaves_none(vaulted: Vaulted, path: str, params: dict[str, Any]) -> None:
    codes = len(vaulted.vault.codes)
    vaulted.post(path, **params)
    assert vaulted.numbers() == []
    assert len(vaulted.vault.codes) == codes
