"""What an accountant looks for in the PDF of an invoice or a credit note, read back with another library."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.documents.steps import line_of, text_of
from tests.payments.invoices.steps import customer
from tests.payments.subscriptions.steps import plan, subscribe
from tests.support.api import Answer, Api

BERLIN = {"line1": "Chausseestr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}
MARCH = {"start": 1_772_323_200, "end": 1_775_001_600}


def rate(api: Api, percentage: float, **more: Any) -> str:
    return str(api.ok("POST", "/v1/tax_rates", display_name="VAT", percentage=percentage, **more)["id"])


def invoice(api: Api, who: str, items: list[dict[str, Any]], currency: str = "eur", **more: Any) -> Answer:
    for item in items:
        api.ok("POST", "/v1/invoiceitems", customer=who, currency=currency, **item)
    made = api.ok(
        "POST", "/v1/invoices", customer=who, pending_invoice_items_behavior="include", currency=currency, **more
    )
    return api.ok("POST", f"/v1/invoices/{made['id']}/finalize")


def document(api: Api, url: str, **headers: str) -> bytes:
    answer = api.send("GET", "/" + url.split("/", 3)[3], key=None, headers=headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    return answer.body


def buyer(api: Api, **more: Any) -> str:
    who = customer(api, None, name="Zoë Łukasz", address=BERLIN, phone="+49 30 1", **more)
    api.ok("POST", f"/v1/customers/{who}/tax_ids", type="eu_vat", value="DE123456789")
    return who


SENT = {"collection_method": "send_invoice", "days_until_due": 30}


def test_an_invoice_names_both_sides_with_their_addresses_and_tax_ids(api: Api) -> None:
    mine = api.ok("POST", "/v1/tax_ids", type="gb_vat", value="GB123456789")["id"]
    address = {"line1": "1 High Street", "city": "London", "postal_code": "N1 1AA", "country": "GB"}
    profile = {"support_address": address, "name": "Tea House", "support_email": "help@tea.example"}
    ours = {"invoices": {"default_account_tax_ids": [mine]}}
    api.ok("POST", f"/v1/accounts/{api.account}", business_profile=profile, settings=ours)
    text = text_of(document(api, invoice(api, buyer(api), [{"amount": 1_000}], **SENT)["invoice_pdf"]))
    wanted = ["1 High Street", "London N1 1AA", "United Kingdom", "help@tea.example", "GB VAT GB123456789"]
    wanted += ["Zoë Łukasz", "Chausseestr. 1", "10115 Berlin", "Germany", "a@example.com", "+49 30 1"]
    wanted.append("EU VAT DE123456789")
    assert [part for part in wanted if part not in text] == []


def test_an_invoice_has_number_dates_fields_texts_and_its_payment_page(api: Api) -> None:
    fields = [{"name": "Purchase order", "value": "PO-77"}]
    made = invoice(api, buyer(api), [{"amount": 1_000}], custom_fields=fields, footer="Register HRB 1",
                   description="Thank you for your order", **SENT)  # fmt: skip
    pdf = document(api, made["invoice_pdf"])
    assert line_of(pdf, "Invoice number", made["number"])
    assert line_of(pdf, "Date of issue", "January 1, 2026")
    assert line_of(pdf, "Due date", "January 31, 2026")
    assert line_of(pdf, "Purchase order", "PO-77")
    text = text_of(pdf)
    for part in (
        "€10.00 due January 31, 2026",
        "Pay online",
        "Register HRB 1",
        "Thank you for your order",
        "Page 1 of 1",
    ):
        assert part in text
    assert made["hosted_invoice_url"].encode() in pdf


def test_a_line_has_quantity_unit_price_tax_and_the_period_of_its_service(api: Api) -> None:
    vat = rate(api, 19, inclusive=False, country="DE")
    item = {"quantity": 3, "unit_amount_decimal": "33.5", "description": "Seats", "period": MARCH, "tax_rates": [vat]}
    pdf = document(api, invoice(api, buyer(api), [item], **SENT)["invoice_pdf"])
    assert line_of(pdf, "Seats", "3", "€0.335", "19%", "€1.01", "Mar 1, 2026 – Apr 1, 2026")


def test_taxes_are_listed_by_rate_and_say_when_the_price_includes_them(api: Api) -> None:
    on_top = rate(api, 19, inclusive=False, country="DE")
    within = rate(api, 7, inclusive=True, jurisdiction="Books")
    items = [{"amount": 10_000, "tax_rates": [on_top]}, {"amount": 10_700, "tax_rates": [within]}]
    pdf = document(api, invoice(api, buyer(api), items, **SENT)["invoice_pdf"])
    assert line_of(pdf, "Subtotal", "€207.00", "Total excluding tax", "€200.00")
    assert line_of(pdf, "VAT – Germany 19% on €100.00", "€19.00")
    assert line_of(pdf, "VAT – Books 7% on €100.00 (included)", "€7.00")
    assert line_of(pdf, "Total", "€226.00", "Amount due", "€226.00")


@pytest.mark.parametrize(
    ("status", "note"),
    [
        ("reverse", "Tax to be paid on reverse charge basis"),
        ("exempt", "The customer is exempt from tax"),
        ("none", ""),
    ],
)
def test_an_invoice_without_tax_says_why(api: Api, status: str, note: str) -> None:
    who = buyer(api, tax_exempt=status)
    text = text_of(document(api, invoice(api, who, [{"amount": 1_000}], **SENT)["invoice_pdf"]))
    assert [one for one in ("reverse charge", "exempt from tax") if one in text] == [
        one for one in ("reverse charge", "exempt from tax") if one in note
    ]


def test_discounts_balance_and_payment_lead_from_the_subtotal_to_nothing_due(api: Api) -> None:
    api.ok("POST", "/v1/coupons", id="ten", percent_off=12.5, duration="once", name="Welcome")
    who = customer(api)
    api.ok("POST", f"/v1/customers/{who}/balance_transactions", amount=-500, currency="usd")
    made = invoice(api, who, [{"amount": 8_000}], "usd", discounts=[{"coupon": "ten"}])
    api.ok("POST", f"/v1/invoices/{made['id']}/pay")
    pdf = document(api, made["invoice_pdf"])
    assert line_of(
        pdf, "Subtotal", "$80.00", "Welcome (12.5%)", "-$10.00", "Total", "$70.00", "Applied balance", "-$5.00"
    )
    assert line_of(pdf, "Amount paid", "-$65.00", "Amount due", "$0.00")
    assert "$65.00 paid on January 1, 2026" in text_of(pdf)
    assert "Pay online" not in text_of(pdf)


@pytest.mark.parametrize(("currency", "shown"), [("jpy", "¥1,200"), ("kwd", "1.200"), ("usd", "$12.00")])
def test_amounts_have_the_digits_of_their_currency(api: Api, currency: str, shown: str) -> None:
    made = invoice(api, customer(api, None), [{"amount": 1_200}], currency, **SENT)
    assert shown in text_of(document(api, made["invoice_pdf"]))


@pytest.mark.parametrize(("locales", "header", "title"), [
    (["de"], "fr", "Rechnung"), ([], "fr-CH, fr;q=0.9", "Facture"), (["xx", "ja"], "", "請求書"), ([], "", "Invoice"),
])  # fmt: skip
def test_an_invoice_is_in_the_language_of_its_customer(api: Api, locales: list[str], header: str, title: str) -> None:
    who = customer(api, None, **({"preferred_locales": locales} if locales else {}))
    pdf = document(api, invoice(api, who, [{"amount": 1_000}], **SENT)["invoice_pdf"], **{"accept-language": header})
    assert text_of(pdf).startswith(title) or title in text_of(pdf).split("\n")[:3]


def test_a_subscription_s_invoice_shows_the_period_that_is_billed(api: Api) -> None:
    who = customer(api)
    latest = subscribe(api, who, plan(api))["latest_invoice"]
    text = text_of(document(api, api.get(f"/v1/invoices/{latest}")["invoice_pdf"]))
    assert "Jan 1, 2026 – Feb 1, 2026" in text


def test_an_invoice_of_many_lines_has_pages_with_numbers(api: Api) -> None:
    items = [{"amount": 100 + number, "description": f"Part {number}"} for number in range(60)]
    text = text_of(document(api, invoice(api, customer(api, None), items, **SENT)["invoice_pdf"]))
    assert "Page 2 of 3" in text
    assert "Part 59" in text


def test_the_paper_is_that_of_the_account_s_country_or_the_one_that_was_asked_for(api: Api) -> None:
    asked = invoice(api, customer(api, None), [{"amount": 100}], rendering={"pdf": {"page_size": "a4"}}, **SENT)
    assert b"595.28 841.89" in document(api, asked["invoice_pdf"])
    usual = invoice(api, customer(api, None), [{"amount": 100}], **SENT)
    assert b"0 612 792" in document(api, usual["invoice_pdf"])


def test_a_credit_note_names_its_invoice_reason_lines_and_total(api: Api) -> None:
    vat = rate(api, 19, inclusive=False, country="DE")
    made = invoice(api, buyer(api), [{"amount": 10_000, "description": "Seats", "tax_rates": [vat]}], **SENT)
    line = {"type": "invoice_line_item", "invoice_line_item": made["lines"]["data"][0]["id"], "amount": 5_000}
    note = api.ok("POST", "/v1/credit_notes", invoice=made["id"], lines=[line], reason="duplicate", memo="Sorry.")
    pdf = document(api, note["pdf"])
    assert line_of(pdf, "Credit note number", note["number"])
    assert line_of(pdf, "Invoice number", made["number"], "Reason", "Duplicate")
    assert line_of(pdf, "VAT – Germany 19% on €50.00", "€9.50", "Total credited", "€59.50")
    for part in ("Seats", "Sorry.", "Zoë Łukasz", "€59.50 credited on January 1, 2026"):
        assert part in text_of(pdf)
    text = text_of(document(api, made["invoice_pdf"]))
    assert "Credit notes\n-€59.50" in text
    assert "Amount due\n€59.50" in text


def test_a_void_invoice_says_so_and_asks_for_nothing(api: Api) -> None:
    made = invoice(api, customer(api, None), [{"amount": 1_000}], **SENT)
    api.ok("POST", f"/v1/invoices/{made['id']}/void")
    text = text_of(document(api, made["invoice_pdf"]))
    assert "Status\nVoid" in text
    assert "Pay online" not in text
