"""What may be done with an invoice in each of its states, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.payments.subscriptions.steps import clocked
from tests.support.api import NOW, Answer, Api, rule_table

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
    "change its description": (
        _do("", description="Other"),
        ("draft",),
        "Finalized invoices can't be updated in this way",
    ),
    "change its metadata": (_do("", metadata={"a": "b"}), STATES, ""),
    "finalize it": (_do("/finalize"), ("draft",), "can't re-finalize a non-draft invoice"),
    "pay it": (_do("/pay"), ("draft", "open", "uncollectible"), "paid"),
    "void it": (_do("/void"), ("open", "uncollectible"), ""),
    "give it up": (_do("/mark_uncollectible"), ("open",), ""),
    "send it": (_do("/send"), ("draft", "open"), "This invoice cannot be sent right now."),
    "delete it": (
        lambda api, invoice: api.delete(f"/v1/invoices/{invoice['id']}"),
        ("draft",),
        "You can only delete draft",
    ),
    "add lines": (_do("/add_lines", lines=[{"amount": 100}]), ("draft",), EDITABLE),
    "change lines": (_with_line("/update_lines", description="Other"), ("draft",), EDITABLE),
    "change a line": (_with_line("/lines", description="Other"), ("draft",), EDITABLE),
    "remove lines": (_with_line("/remove_lines", behavior="delete"), ("draft",), EDITABLE),
    "add an item": (_add_item, ("draft",), EDITABLE),
    "change an item": (_change_item, ("draft",), EDITABLE),
    "delete an item": (_delete_item, ("draft",), "Can't delete an invoice item"),
    "attach a payment": (_attach, ("open",), "You can only attach payments to open invoices"),
    "credit it": (_credit, ("open", "paid", "uncollectible"), "You can only issue credit notes for open or paid"),
}


@rule_table
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
    assert refused.refusal == (400, None, name, "Finalized invoices can't be updated in this way")


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


NOT_OPEN = "You can only pass in open invoices. This invoice isn't open."
REFINALIZED = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
NOT_SENT = (
    "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so"
    " we can help."
)


@pytest.mark.parametrize(
    ("what", "state", "message"),
    [
        ("finalize it", "open", REFINALIZED),
        ("pay it", "paid", "Invoice is already paid"),
        ("void it", "draft", NOT_OPEN),
        ("void it", "void", NOT_OPEN),
        ("void it", "paid", "Invoices with `paid` payments cannot be voided."),
        ("give it up", "draft", NOT_OPEN),
        ("give it up", "paid", NOT_OPEN),
        ("give it up", "uncollectible", "This invoice has already been marked uncollectible."),
        ("send it", "paid", NOT_SENT),
        ("delete it", "open", "You can only delete draft invoices."),
        (
            "delete an item",
            "open",
            "Can't delete an invoice item that is attached to an invoice that is no longer editable",
        ),
    ],
)
def test_a_step_in_another_state_is_refused_with_a_message_alone(api: Api, what: str, state: str, message: str) -> None:
    act, _, _ = TABLE[what]
    assert act(api, _in(api, state)).refusal == (400, None, None, message)


def test_lines_of_a_finalized_invoice_stay(api: Api) -> None:
    message = "Invalid invoice: This invoice is no longer editable"
    assert TABLE["add lines"][0](api, _in(api, "open")).refusal == (400, EDITABLE, None, message)


#: What is done with an invoice that does not exist -> what the error calls its id.
UNKNOWN = {
    ("GET", ""): "invoice",
    ("DELETE", ""): "invoice",
    ("POST", "/send"): "invoice",
    ("POST", "/add_lines"): "invoice",
    ("POST", ""): "id",
    ("POST", "/finalize"): "id",
    ("POST", "/pay"): "id",
    ("POST", "/void"): "id",
    ("POST", "/mark_uncollectible"): "id",
}


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
def test_an_unknown_invoice_has_the_name_of_its_endpoint(api: Api, method: str, path: str) -> None:
    given = {"lines": [{"amount": 1}]} if path == "/add_lines" else {}
    ask = {"GET": api.get, "POST": api.post, "DELETE": api.delete}[method]
    refused = ask(f"/v1/invoices/in_none{path}", **given)
    assert refused.refusal == (404, "resource_missing", UNKNOWN[method, path], "No such invoice: 'in_none'")


# -- credit notes

ISSUED_ON = ("open", "paid", "uncollectible")


def _noted(api: Api, note: str, state: str) -> tuple[str, Answer]:
    """A note in that status of an invoice in that state: the note's path, and the invoice."""
    invoice = _in(api, "open")
    made = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], amount=300)
    path = f"/v1/credit_notes/{made['id']}"
    if note == "void":
        api.ok("post", f"{path}/void")
    step = {"paid": "pay", "uncollectible": "mark_uncollectible", "void": "void"}.get(state)
    if step:
        api.ok("post", f"/v1/invoices/{invoice['id']}/{step}")
    found = api.get(path)
    assert (found["status"], api.get(f"/v1/invoices/{invoice['id']}")["status"]) == (note, state)
    return path, api.get(f"/v1/invoices/{invoice['id']}")


Reading = Callable[[Api, str], Answer]
_ALWAYS: dict[str, Reading] = {
    "retrieve it": lambda api, path: api.get(path),
    "list its lines": lambda api, path: api.get(f"{path}/lines"),
    "change its memo": lambda api, path: api.post(path, memo="Sorry"),
    "change its metadata": lambda api, path: api.post(path, metadata={"a": "b"}),
}


@pytest.mark.parametrize("state", ["open", "paid", "uncollectible", "void"])
@pytest.mark.parametrize("note", ["issued", "void"])
def test_a_note_is_read_and_described_in_every_state(api: Api, note: str, state: str) -> None:
    path, _ = _noted(api, note, state)
    for what, act in _ALWAYS.items():
        assert act(api, path).status == 200, what
    assert (api.get(path)["memo"], api.get(path)["metadata"]) == ("Sorry", {"a": "b"})
    assert api.get("/v1/credit_notes", invoice=api.get(path)["invoice"])["data"][0]["status"] == note


@pytest.mark.parametrize("state", ["open", "paid", "uncollectible", "void"])
@pytest.mark.parametrize("note", ["issued", "void"])
def test_only_an_issued_note_of_an_open_invoice_is_voided(api: Api, note: str, state: str) -> None:
    path, invoice = _noted(api, note, state)
    answer = api.post(f"{path}/void")
    after = api.get(f"/v1/invoices/{invoice['id']}")
    if (note, state) == ("issued", "open"):
        assert (answer["status"], after["amount_remaining"]) == ("void", invoice["amount_remaining"] + 300)
        assert (after["pre_payment_credit_notes_amount"], answer["voided_at"]) == (0, NOW)
        return
    refusal = (
        "This credit note has already been voided."
        if note == "void"
        else "You can only void a credit note if the associated invoice is open."
    )
    assert (answer.status, answer.error["message"]) == (400, refusal)
    assert after["amount_remaining"] == invoice["amount_remaining"]


def test_what_was_given_back_of_a_paid_invoice_is_not_taken_back(api: Api) -> None:
    invoice = _in(api, "paid")
    note = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], amount=300, credit_amount=300)
    refused = api.post(f"/v1/credit_notes/{note['id']}/void")
    assert (refused.status, "associated invoice is open" in refused.error["message"]) == (400, True)


@pytest.mark.parametrize("state", STATES)
def test_a_preview_is_refused_where_a_note_is(api: Api, state: str) -> None:
    invoice = _in(api, state)
    asked = {"invoice": invoice["id"], "amount": 300, **({"credit_amount": 300} if state == "paid" else {})}
    previews = [api.get(f"/v1/credit_notes/preview{part}", **asked) for part in ("", "/lines")]
    made = api.post("/v1/credit_notes", **asked)
    assert {answer.status for answer in previews} == {made.status}
    assert (made.status == 200) == (state in ISSUED_ON)
