"""What may be done with an invoice in each of its states, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.payments.subscriptions.steps import clocked
from tests.support.api import NOW, Answer, Api

STATES = ("draft", "open", "paid", "uncollectible", "void")
EDITABLE = "invoice_not_editable"


def _draft(api: Api) -> Answer:
    """A draft of 10 dollars, to be sent, of a customer with a card."""
    _, who = clocked(api)
    sent = {"collection_method": "send_invoice", "days_until_due": 30}
    invoice = api.ok("post", "/v1/invoices", customer=who, **sent)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd", description="Work")
    return api.get(f"/v1/invoices/{invoice}")


_STEPS = {
    "draft": (),
    "open": ("finalize",),
    "paid": ("finalize", "pay"),
    "uncollectible": ("finalize", "mark_uncollectible"),
    "void": ("finalize", "void"),
}


def _in(api: Api, state: str) -> Answer:
    """An invoice in that state."""
    invoice = _draft(api)
    for step in _STEPS[state]:
        invoice = api.ok("post", f"/v1/invoices/{invoice['id']}/{step}")
    assert invoice["status"] == state
    return invoice


def _do(path: str, **params: object) -> Callable[[Api, Answer], Answer]:
    return lambda api, invoice: api.post(f"/v1/invoices/{invoice['id']}{path}", **params)


def _with_line(path: str, **params: object) -> Callable[[Api, Answer], Answer]:
    def act(api: Api, invoice: Answer) -> Answer:
        line = invoice["lines"]["data"][0]["id"]
        if path == "/lines":
            return api.post(f"/v1/invoices/{invoice['id']}/lines/{line}", **params)
        return api.post(f"/v1/invoices/{invoice['id']}{path}", lines=[{"id": line, **params}])

    return act


def _add_item(api: Api, invoice: Answer) -> Answer:
    new = {"customer": invoice["customer"], "amount": 500, "currency": "usd"}
    return api.post("/v1/invoiceitems", invoice=invoice["id"], **new)


def _item_of(api: Api, invoice: Answer) -> str:
    return str(api.get("/v1/invoiceitems", invoice=invoice["id"])["data"][0]["id"])


def _change_item(api: Api, invoice: Answer) -> Answer:
    return api.post(f"/v1/invoiceitems/{_item_of(api, invoice)}", amount=700)


def _delete_item(api: Api, invoice: Answer) -> Answer:
    return api.delete(f"/v1/invoiceitems/{_item_of(api, invoice)}")


def _attach(api: Api, invoice: Answer) -> Answer:
    intent = api.ok("post", "/v1/payment_intents", amount=100, currency="usd", customer=invoice["customer"])
    return api.post(f"/v1/invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])


def _credit(api: Api, invoice: Answer) -> Answer:
    where = {"credit_amount": 100} if invoice["status"] == "paid" else {}
    return api.post("/v1/credit_notes", invoice=invoice["id"], amount=100, **where)


#: What is done -> how, the states in which it is, and the refusal elsewhere: its code, or words of its message.
TABLE: dict[str, tuple[Callable[[Api, Answer], Answer], tuple[str, ...], str]] = {
    "change its description": (_do("", description="Other"), ("draft",), EDITABLE),
    "change its metadata": (_do("", metadata={"a": "b"}), STATES, ""),
    "finalize it": (_do("/finalize"), ("draft",), EDITABLE),
    "pay it": (_do("/pay"), ("draft", "open", "uncollectible"), "paid"),
    "void it": (_do("/void"), ("open", "uncollectible"), "You can only pass in open or uncollectible invoices"),
    "give it up": (_do("/mark_uncollectible"), ("open",), "You can only mark open invoices as uncollectible"),
    "send it": (_do("/send"), ("draft", "open"), "You can only send open or draft invoices"),
    "delete it": (lambda api, invoice: api.delete(f"/v1/invoices/{invoice['id']}"), ("draft",), EDITABLE),
    "add lines": (_do("/add_lines", lines=[{"amount": 100}]), ("draft",), EDITABLE),
    "change lines": (_with_line("/update_lines", description="Other"), ("draft",), EDITABLE),
    "change a line": (_with_line("/lines", description="Other"), ("draft",), EDITABLE),
    "remove lines": (_with_line("/remove_lines", behavior="delete"), ("draft",), EDITABLE),
    "add an item": (_add_item, ("draft",), EDITABLE),
    "change an item": (_change_item, ("draft",), EDITABLE),
    "delete an item": (_delete_item, ("draft",), EDITABLE),
    "attach a payment": (_attach, ("open",), "You can only attach payments to open invoices"),
    "credit it": (_credit, ("open", "paid", "uncollectible"), "You can only issue credit notes for open or paid"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("what", TABLE)
def test_each_step_is_for_invoices_in_its_states(api: Api, what: str, state: str) -> None:
    act, allowed, refusal = TABLE[what]
    answer = act(api, _in(api, state))
    assert (answer.status == 200) == (state in allowed), answer
    if state not in allowed:
        assert answer.status == 400
        assert refusal in (answer.error.get("code"), refusal if refusal in answer.error["message"] else "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_tax_ids", ""),
        ("automatic_tax", {"enabled": False}),
        ("collection_method", "charge_automatically"),
        ("custom_fields", [{"name": "PO", "value": "1"}]),
        ("days_until_due", 3),
        ("default_tax_rates", ""),
        ("discounts", ""),
        ("due_date", NOW + 86_400),
        ("effective_at", NOW),
        ("footer", "Thanks"),
        ("issuer", {"type": "self"}),
        ("number", "A-1"),
        ("on_behalf_of", ""),
        ("shipping_cost", ""),
        ("statement_descriptor", "SHOP"),
    ],
)
def test_what_is_owed_and_until_when_stays_once_it_is_finalized(api: Api, name: str, value: object) -> None:
    path = f"/v1/invoices/{_draft(api)['id']}"
    assert api.post(path, **{name: value}).status == 200
    api.ok("post", f"/v1/invoices/{_in(api, 'open')['id']}", auto_advance=False)
    refused = api.post(f"/v1/invoices/{_in(api, 'open')['id']}", **{name: value})
    assert (refused.status, refused.error["code"]) == (400, EDITABLE)


def test_the_customers_details_on_a_finalized_invoice_stay(api: Api) -> None:
    invoice = _in(api, "open")
    api.ok("post", f"/v1/customers/{invoice['customer']}", name="Other", address={"country": "FR"})
    after = api.get(f"/v1/invoices/{invoice['id']}")
    assert (after["customer_name"], after["customer_address"]) == (
        invoice["customer_name"],
        invoice["customer_address"],
    )


def test_a_draft_of_a_subscription_is_not_deleted(api: Api) -> None:
    _, who = clocked(api)
    product = api.ok("post", "/v1/products", name="Plan")["id"]
    recurring = {"currency": "usd", "product": product, "unit_amount": 1000, "recurring": {"interval": "month"}}
    sent = {"collection_method": "send_invoice", "days_until_due": 3}
    sub = api.ok("post", "/v1/subscriptions", customer=who, items=[{"price_data": recurring}], **sent)
    refused = api.delete(f"/v1/invoices/{sub['latest_invoice']}")
    assert (refused.status, "created by subscriptions" in refused.error["message"]) == (400, True)
