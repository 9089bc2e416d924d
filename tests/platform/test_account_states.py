"""What a platform may do with a connected account, by the account's state.

restricted   requirements are due    pending   they are being checked    active   nothing is due
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.api import Answer, Api, rule_table
from tests.support.connected import LINK, connected, fund, in_state

STATES = ("restricted", "pending", "active", "rejected", "deleted")
Request = Callable[[Api, str], Answer]

#: Request -> the states in which it is refused.
REQUESTS: dict[str, tuple[Request, set[str]]] = {
    "retrieve": (lambda api, id: api.get(f"/v1/accounts/{id}"), {"deleted"}),
    "update": (lambda api, id: api.post(f"/v1/accounts/{id}", metadata={"a": "b"}), {"deleted"}),
    "person": (lambda api, id: api.post(f"/v1/accounts/{id}/persons", first_name="Anna"), {"deleted"}),
    "people": (lambda api, id: api.get(f"/v1/accounts/{id}/persons"), {"deleted"}),
    "bank account": (
        lambda api, id: api.post(f"/v1/accounts/{id}/external_accounts", external_account="btok_us"),
        {"deleted"},
    ),
    "capability": (
        lambda api, id: api.post(f"/v1/accounts/{id}/capabilities/transfers", requested=True),
        {"deleted"},
    ),
    "link": (lambda api, id: api.post("/v1/account_links", account=id, **LINK), {"deleted"}),
    "login link": (lambda api, id: api.post(f"/v1/accounts/{id}/login_links"), set(STATES)),  # not of Express
    "charge": (
        lambda api, id: api.post(
            "/v1/charges", amount=500, currency="usd", source="tok_visa", headers={"Stripe-Account": id}
        ),
        {"restricted", "rejected", "deleted"},
    ),
    "transfer": (
        lambda api, id: api.post("/v1/transfers", amount=100, currency="usd", destination=id),
        {"restricted", "rejected", "deleted"},
    ),
    "reject": (lambda api, id: api.post(f"/v1/accounts/{id}/reject", reason="fraud_other"), {"deleted"}),
    "delete": (lambda api, id: api.delete(f"/v1/accounts/{id}"), {"deleted"}),
}


def account_in(api: Api, state: str) -> str:
    if state == "deleted":
        id = connected(api)["id"]
        api.ok("delete", f"/v1/accounts/{id}")
        return str(id)
    names = {"restricted": "inactive", "active": "active"}
    return str(in_state(api, names.get(state, state))["id"])


@rule_table
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_request_about_an_account_by_its_state(api: Api, state: str, request_name: str) -> None:
    fund(api, 1_000)
    request, refused = REQUESTS[request_name]
    answer = request(api, account_in(api, state))
    assert (answer.status != 200) == (state in refused)
    if state == "deleted":
        code = (400, "resource_missing") if request_name == "transfer" else (403, "account_invalid")
        assert (answer.status, answer.error["code"]) == code
