"""Rules between the parameters of invoices, their lines and credit notes, and other objects."""

from __future__ import annotations

import pytest

from tests.payments.subscriptions.steps import clocked, customer, ok, plan, subscribe
from tests.support.api import NOW, Answer, Api, rule_table

YEAR = 366 * 86_400
BANK = {"us_bank_account": {"financial_connections": {"permissions": ["balances"]}}}
PLAN = {"card": {"installments": {"enabled": True, "plan": {"type": "fixed_count", "interval": "month"}}}}


def _draft(api: Api, **params: object) -> Answer:
    _, who = clocked(api)
    invoice = ok(api, "POST", "/v1/invoices", customer=who, **params)["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd", description="Work")
    return api.get(f"/v1/invoices/{invoice}")


def _rate(api: Api) -> str:
    return str(ok(api, "POST", "/v1/tax_rates", display_name="VAT", percentage=20, inclusive=False)["id"])


REFUSED: list[tuple[str, object]] = [
    ("custom_fields", [{"name": f"F{number}", "value": "1"} for number in range(5)]),
    ("application_fee_amount", 10),
    ("automatically_finalizes_at", NOW + 6 * YEAR),
    ("statement_descriptor", "1234567"),
    ("payment_settings[payment_method_options][us_bank_account][financial_connections][permissions]", BANK),
    ("payment_settings[payment_method_options][card][installments][plan][count]", PLAN),
    ("default_payment_method", "another's"),
    ("default_source", "another's"),
]


def _params(api: Api, name: str, value: object) -> dict[str, object]:
    """Parameters of an invoice that hold the value. ``another's`` is an object of another customer."""
    if name.startswith("payment_settings"):
        return {"payment_settings": {"payment_method_options": value}}
    if value == "another's":
        other = api.ok("post", "/v1/customers")["id"]
        if name == "default_source":
            return {name: api.ok("post", f"/v1/customers/{other}/sources", source="tok_visa")["id"]}
        return {name: api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=other)["id"]}
    return {name: value}


@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
@pytest.mark.parametrize(("name", "value"), REFUSED, ids=[name.split("]")[0][-24:] for name, _ in REFUSED])
def test_settings_that_cannot_be_are_refused_by_name(api: Api, name: str, value: object, new: bool) -> None:
    params = _params(api, name, value)
    invoice = _draft(api)
    path = "/v1/invoices" if new else f"/v1/invoices/{invoice['id']}"
    refused = api.post(path, **({"customer": invoice["customer"]} if new else {}), **params)
    assert (refused.status, refused.error["param"]) == (400, name)


def test_settings_at_their_bounds_are_taken(api: Api) -> None:
    fields = [{"name": f"F{number}", "value": "1"} for number in range(4)]
    made = _draft(
        api,
        custom_fields=fields,
        statement_descriptor="12A",
        auto_advance=True,
        automatically_finalizes_at=NOW + 4 * YEAR,
    )
    assert (len(made["custom_fields"]), made["statement_descriptor"]) == (4, "12A")


def _tax(place: int = 0) -> dict[str, object]:
    data = {"display_name": "VAT", "percentage": 20, "inclusive": False}
    return {"amount": 10 + place, "taxable_amount": 100, "tax_rate_data": data}


@pytest.mark.parametrize("how", ["too many", "default_tax_rates", "automatic_tax", "tax_rates"])
def test_tax_amounts_of_a_line_go_with_no_other_taxes(api: Api, how: str) -> None:
    _, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address={"country": "US", "postal_code": "94111", "state": "CA"})
    settings: dict[str, object] = {
        "default_tax_rates": {"default_tax_rates": [_rate(api)]},
        "automatic_tax": {"automatic_tax": {"enabled": True}},
    }.get(how, {})
    invoice = ok(api, "POST", "/v1/invoices", customer=who, **settings)["id"]
    own = {"tax_rates": [_rate(api)]} if how == "tax_rates" else {}
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd", **own)
    line = api.get(f"/v1/invoices/{invoice}")["lines"]["data"][0]["id"]
    amounts = [_tax(place) for place in range(11 if how == "too many" else 1)]
    refused = api.post(f"/v1/invoices/{invoice}/lines/{line}", tax_amounts=amounts)
    assert (refused.status, refused.error["param"]) == (400, "tax_amounts")


def test_a_proration_is_never_discountable(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    items = [{"id": sub["items"]["data"][0]["id"], "quantity": 3}]
    api.ok("post", f"/v1/subscriptions/{sub['id']}", items=items)
    item = api.get("/v1/invoiceitems", customer=who, pending=True)["data"][0]["id"]
    of_item = api.post(f"/v1/invoiceitems/{item}", discountable=True)
    assert (of_item.status, of_item.error["param"]) == (400, "discountable")
    draft = ok(api, "POST", "/v1/invoices", customer=who, subscription=sub["id"])
    line = draft["lines"]["data"][0]
    assert (line["parent"]["subscription_item_details"] or line["parent"]["invoice_item_details"])["proration"]
    refused = api.post(f"/v1/invoices/{draft['id']}/lines/{line['id']}", discountable=True)
    assert (refused.status, refused.error["param"]) == (400, "discountable")


def test_an_invoice_has_at_most_250_items(api: Api) -> None:
    invoice = _draft(api)
    path = f"/v1/invoices/{invoice['id']}"
    for _ in range(2):
        api.ok("post", f"{path}/add_lines", lines=[{"amount": 1} for _ in range(100)])
    api.ok("post", f"{path}/add_lines", lines=[{"amount": 1} for _ in range(49)])
    assert api.post(f"{path}/add_lines", lines=[{"amount": 1}]).status == 400
    one = {"customer": invoice["customer"], "invoice": invoice["id"], "amount": 1, "currency": "usd"}
    refused = api.post("/v1/invoiceitems", **one)
    assert (refused.status, refused.error["param"]) == (400, "invoice")


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("amount", "custom_line_item", 100),
        ("invoice_line_item", "custom_line_item", "line"),
        ("description", "invoice_line_item", "Other"),
        ("tax_rates", "invoice_line_item", ["rate"]),
        ("unit_amount", "invoice_line_item", 100),
    ],
)
def test_lines_of_credit_notes_have_what_their_type_may_have(api: Api, name: str, kind: str, value: object) -> None:
    invoice = _draft(api)
    open_one = api.ok("post", f"/v1/invoices/{invoice['id']}/finalize", auto_advance=False)
    line = open_one["lines"]["data"][0]["id"]
    base = {"invoice_line_item": line} if kind == "invoice_line_item" else {"description": "Rest", "unit_amount": 100}
    sent = {"line": line, "rate": [_rate(api)]}.get(value if isinstance(value, str) else "", value)
    entry = {"type": kind, "quantity": 1, **base, name: [_rate(api)] if name == "tax_rates" else sent}
    refused = api.post("/v1/credit_notes", invoice=invoice["id"], lines=[entry])
    assert (refused.status, refused.error["param"]) == (400, f"lines[0][{name}]")


def test_no_custom_line_is_credited_on_an_invoice_with_automatic_tax(api: Api) -> None:
    _, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address={"country": "US", "postal_code": "94111", "state": "CA"})
    invoice = ok(api, "POST", "/v1/invoices", customer=who, automatic_tax={"enabled": True})["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    api.ok("post", f"/v1/invoices/{invoice}/finalize", auto_advance=False)
    entry = {"type": "custom_line_item", "quantity": 1, "description": "Rest", "unit_amount": 100}
    refused = api.post("/v1/credit_notes", invoice=invoice, lines=[entry])
    assert (refused.status, refused.error["param"]) == (400, "lines[0][type]")


def test_attempts_by_hand_after_the_first_do_not_count(api: Api) -> None:
    _, who = clocked(api, None)
    bad = api.ok("post", "/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=who)["id"]
    api.ok("post", f"/v1/customers/{who}", invoice_settings={"default_payment_method": bad})
    invoice = ok(api, "POST", "/v1/invoices", customer=who)["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    counts = []
    for _ in range(3):
        assert api.post(f"/v1/invoices/{invoice}/pay").status == 402
        counts.append(api.get(f"/v1/invoices/{invoice}")["attempt_count"])
    assert counts == [1, 1, 1]


@pytest.mark.parametrize("percentage", ["-1", "100.5", "1.23456"])
def test_the_percentage_of_a_tax_amount_is_between_0_and_100_with_four_decimals(api: Api, percentage: str) -> None:
    invoice = _draft(api)
    data = {"display_name": "VAT", "percentage": percentage, "inclusive": False}
    amounts = [{"amount": 1, "taxable_amount": 10, "tax_rate_data": data}]
    refused = api.post(f"/v1/invoices/{invoice['id']}/lines/{invoice['lines']['data'][0]['id']}", tax_amounts=amounts)
    assert refused.status == 400


@pytest.mark.parametrize("which", ["currency", "invoice", "price"])
def test_an_item_is_one_of_its_invoices_customer_and_currency_and_is_billed_once(api: Api, which: str) -> None:
    invoice = _draft(api)
    item: dict[str, object] = {"customer": invoice["customer"], "invoice": invoice["id"], "amount": 100}
    if which == "currency":
        item["currency"] = "eur"
    elif which == "invoice":
        item["customer"] = api.ok("post", "/v1/customers")["id"]
    else:
        item = {"customer": invoice["customer"], "pricing": {"price": plan(api)}}
    refused = api.post("/v1/invoiceitems", **item)
    param = None if which == "currency" else which  # recorded: the error of another currency names no parameter
    assert (refused.status, refused.error.get("param")) == (400, param)


@pytest.mark.parametrize("name", ["payment_method", "source"])
def test_an_invoice_is_paid_with_what_its_customer_has(api: Api, name: str) -> None:
    invoice = _draft(api)
    other = api.ok("post", "/v1/customers")["id"]
    if name == "source":
        id = api.ok("post", f"/v1/customers/{other}/sources", source="tok_visa")["id"]
    else:
        id = api.ok("post", "/v1/payment_methods/pm_card_visa/attach", customer=other)["id"]
    assert api.post(f"/v1/invoices/{invoice['id']}/pay", **{name: id}).status in (400, 402)
    assert api.get(f"/v1/invoices/{invoice['id']}")["amount_paid"] == 0


def test_an_invoice_of_a_subscription_takes_its_own_pending_items(api: Api) -> None:
    _, who = clocked(api)
    one, other = (subscribe(api, who, plan(api))["id"] for _ in range(2))
    for amount, sub in ((100, one), (200, other), (300, "")):
        own = {"subscription": sub} if sub else {}
        ok(api, "POST", "/v1/invoiceitems", customer=who, amount=amount, currency="usd", **own)
    draft = ok(api, "POST", "/v1/invoices", customer=who, subscription=one)
    assert sorted(line["amount"] for line in draft["lines"]["data"]) == [100, 300]


def test_the_tax_rates_of_an_item_replace_the_invoices(api: Api) -> None:
    invoice = _draft(api, default_tax_rates=[_rate(api)])
    half = ok(api, "POST", "/v1/tax_rates", display_name="Half", percentage=10, inclusive=False)["id"]
    own = {"customer": invoice["customer"], "invoice": invoice["id"], "tax_rates": [half]}
    ok(api, "POST", "/v1/invoiceitems", amount=1000, currency="usd", **own)
    taxes = [
        sum(tax["amount"] for tax in line["taxes"])
        for line in api.get(f"/v1/invoices/{invoice['id']}")["lines"]["data"]
    ]
    assert taxes == [200, 100]


def test_a_list_of_invoices_has_at_most_a_hundred(api: Api) -> None:
    assert api.get("/v1/invoices", limit=101).error["param"] == "limit"


def test_a_credit_note_of_a_paid_invoice_is_not_voided(api: Api) -> None:
    invoice = _draft(api)
    api.ok("post", f"/v1/invoices/{invoice['id']}/pay")
    note = api.ok("post", "/v1/credit_notes", invoice=invoice["id"], amount=100, credit_amount=100)["id"]
    assert api.post(f"/v1/credit_notes/{note}/void").status == 400


@pytest.mark.parametrize("path", ["", "/preview"])
def test_a_credit_note_says_what_it_credits(api: Api, path: str) -> None:
    invoice = _draft(api)
    api.ok("post", f"/v1/invoices/{invoice['id']}/finalize", auto_advance=False)
    ask = api.get if path else api.post
    refused = ask(f"/v1/credit_notes{path}", invoice=invoice["id"])
    assert (refused.status, "`amount`, `lines`, or `shipping_cost`" in refused.error["message"]) == (400, True)


def test_a_mandate_is_one_of_the_payment_method_that_pays(api: Api) -> None:
    _, who = clocked(api)
    bank = api.ok(
        "post",
        "/v1/payment_methods",
        type="sepa_debit",
        sepa_debit={"iban": "DE89370400440532013000"},
        billing_details={"name": "Jenny", "email": "jenny@example.com"},
    )["id"]
    accepted = {"type": "online", "online": {"ip_address": "1.2.3.4", "user_agent": "Test"}}
    saved = api.ok(
        "post",
        "/v1/setup_intents",
        customer=who,
        payment_method=bank,
        allowed_payment_method_types=["sepa_debit"],
        mandate_data={"customer_acceptance": accepted},
        confirm=True,
    )
    invoice = ok(api, "POST", "/v1/invoices", customer=who)["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    refused = api.post(f"/v1/invoices/{invoice}/pay", mandate=saved["mandate"])
    assert (refused.status, refused.error["param"]) == (400, "mandate")
    unknown = api.post(f"/v1/invoices/{invoice}/pay", mandate="mandate_none")
    assert (unknown.status, unknown.error["param"]) == (400, "mandate")
    unknown = api.post(f"/v1/invoices/{invoice}", payment_settings={"default_mandate": "mandate_none"})
    assert (unknown.status, unknown.error["param"]) == (400, "payment_settings[default_mandate]")


def test_tax_amounts_of_a_credited_line_go_with_no_automatic_tax(api: Api) -> None:
    _, who = clocked(api)
    api.ok("post", f"/v1/customers/{who}", address={"country": "US", "postal_code": "94111", "state": "CA"})
    invoice = ok(api, "POST", "/v1/invoices", customer=who, automatic_tax={"enabled": True})["id"]
    ok(api, "POST", "/v1/invoiceitems", customer=who, invoice=invoice, amount=1000, currency="usd")
    done = api.ok("post", f"/v1/invoices/{invoice}/finalize", auto_advance=False)
    taxes = [{"amount": 10, "tax_rate": _rate(api), "taxable_amount": 100}]
    entry = {"type": "invoice_line_item", "invoice_line_item": done["lines"]["data"][0]["id"], "quantity": 1}
    refused = api.post("/v1/credit_notes", invoice=invoice, lines=[{**entry, "tax_amounts": taxes}])
    assert (refused.status, refused.error["param"]) == (400, "lines[0][tax_amounts]")


@rule_table
@pytest.mark.parametrize("new", [True, False], ids=["new", "changed"])
@pytest.mark.parametrize("name", ["due_date", "automatically_finalizes_at"])
def test_a_time_that_has_passed_is_refused(api: Api, name: str, new: bool) -> None:
    how = {"collection_method": "send_invoice", **({} if name == "due_date" and new else {"days_until_due": 3})}
    _, who = clocked(api)
    path = "/v1/invoices"
    if not new:
        path += f"/{api.ok('post', path, customer=who, auto_advance=True, **how)['id']}"
    for at, status in ((NOW - 1, 400), (NOW, 400), (NOW + 5, 200)):
        given = {**({"customer": who, "auto_advance": True, **how} if new else {}), name: at}
        answer = api.post(path, **given)
        assert answer.status == status
        if status == 400:
            assert answer.error["param"] == name
            assert answer.error["message"] == "Invalid timestamp: must be an integer Unix timestamp in the future"


def test_an_invoice_is_due_at_one_time(api: Api) -> None:
    _, who = clocked(api)
    both = {"collection_method": "send_invoice", "due_date": NOW + 5, "days_until_due": 3}
    refused = api.post("/v1/invoices", customer=who, **both)
    assert (refused.status, refused.error["param"]) == (400, "due_date")


@rule_table
@pytest.mark.parametrize("path", ["/v1/invoices", "/v1/invoiceitems"])
def test_a_subscription_of_another_customer_is_refused(api: Api, path: str) -> None:
    sub = subscribe(api, clocked(api)[1], plan(api))["id"]
    other = customer(api)
    refused = api.post(path, customer=other, subscription=sub, **({"amount": 5} if "items" in path else {}))
    assert (refused.status, refused.error["param"]) == (400, "subscription")


def test_a_line_takes_pending_items_of_its_own_customer_only(api: Api) -> None:
    mine, other = _draft(api), _draft(api)
    for owner, status in ((other["customer"], 400), (mine["customer"], 200)):
        item = ok(api, "POST", "/v1/invoiceitems", customer=owner, amount=100, currency="usd")["id"]
        answer = api.post(f"/v1/invoices/{mine['id']}/add_lines", lines=[{"invoice_item": item}])
        assert answer.status == status
    again = api.post(f"/v1/invoices/{mine['id']}/add_lines", lines=[{"invoice_item": item}])
    assert (again.status, again.error["param"]) == (400, "lines[0][invoice_item]")


@rule_table
@pytest.mark.parametrize("archived", ["price", "product"])
def test_an_item_takes_no_price_that_is_not_sold(api: Api, archived: str) -> None:
    product = ok(api, "POST", "/v1/products", name="Thing")["id"]
    price = ok(api, "POST", "/v1/prices", product=product, unit_amount=100, currency="usd")["id"]
    given = {"customer": _draft(api)["customer"], "pricing": {"price": price}}
    assert api.post("/v1/invoiceitems", **given).status == 200
    api.ok("post", f"/v1/prices/{price}" if archived == "price" else f"/v1/products/{product}", active=False)
    refused = api.post("/v1/invoiceitems", **given)
    assert (refused.status, refused.error["param"]) == (400, "pricing[price]")
