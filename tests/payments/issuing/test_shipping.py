"""Physical cards on their way, moved on by test helpers."""

from __future__ import annotations

import pytest

from tests.payments.issuing.steps import HELP, issued
from tests.support.api import Answer, Api, rule_table
from tests.support.openapi import assert_valid

#: Status -> the helpers that lead to it.
WAYS: dict[str, tuple[str, ...]] = {
    "pending": (), "submitted": ("submit",), "shipped": ("ship",), "delivered": ("ship", "deliver"),
    "returned": ("ship", "return"), "failure": ("ship", "fail"),
}  # fmt: skip
#: Helper -> where it leads, and the statuses in which it may be called.
STEPS = {
    "submit": ("submitted", ("pending",)),
    "ship": ("shipped", ("pending", "submitted")),
    **{name: (to, ("pending", "submitted", "shipped"))
       for name, to in (("deliver", "delivered"), ("return", "returned"), ("fail", "failure"))},
}  # fmt: skip
TO = {"name": "Jo Li", "address": {"line1": "1 Main St", "city": "Colma", "state": "CA", "postal_code": "94111",
                                   "country": "US"}}  # fmt: skip


def physical(api: Api, status: str = "pending") -> str:
    """A physical card on its way."""
    holder = issued(api)["cardholder"]["id"]
    made = api.ok("POST", "/v1/issuing/cards", currency="usd", type="physical", cardholder=holder, shipping=TO)
    for name in WAYS[status]:
        move(api, made["id"], name)
    id: str = made["id"]
    assert api.get(f"/v1/issuing/cards/{id}")["shipping"]["status"] == status
    return id


def move(api: Api, card: str, name: str) -> Answer:
    return api.post(f"{HELP}/cards/{card}/shipping/{name}")


@rule_table
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("status", WAYS)
def test_a_card_on_its_way_goes_on_and_never_back(api: Api, status: str, name: str) -> None:
    card = physical(api, status)
    to, allowed = STEPS[name]
    answer = move(api, card, name)
    if status in allowed:
        assert_valid("POST", f"{HELP}/cards/{{card}}/shipping/{name}", 200, answer)
        assert answer["shipping"]["status"] == to
        newest = api.events("issuing_card.updated")[-1]["data"]
        assert newest["previous_attributes"] == {"shipping": {"status": status}}
    else:
        assert answer.status == 400
        assert api.get(f"/v1/issuing/cards/{card}")["shipping"]["status"] == status


def test_a_virtual_card_is_not_shipped(api: Api) -> None:
    refused = move(api, issued(api)["id"], "ship")
    assert (refused.status, refused.error["param"]) == (400, "card")


def test_another_address_does_not_bring_a_card_back(api: Api) -> None:
    card = physical(api, "shipped")
    changed = api.ok("POST", f"/v1/issuing/cards/{card}", shipping={**TO, "name": "Jo Lee"})
    assert (changed["shipping"]["name"], changed["shipping"]["status"]) == ("Jo Lee", "shipped")


def test_cards_are_submitted_since_september_2024(api: Api) -> None:
    card = physical(api)
    assert move(api.under("2024-06-20"), card, "submit").status == 400
    assert move(api.under("2024-09-30.acacia"), card, "submit")["shipping"]["status"] == "submitted"
