"""The page of an invoice (``hosted_invoice_url``), its document (``invoice_pdf``), and paying it with a card of one's
own.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Answer, Api

GOOD = {"number": "4242424242424242", "expiry": "12 / 30", "cvc": "123"}


def opened(api: Api, who: str, **more: object) -> Answer:
    return api.ok("post", f"/v1/invoices/{draft(api, who, **more)['id']}/finalize")


def path_of(invoice: Answer) -> str:
    return "/" + str(invoice["hosted_invoice_url"]).split("/", 3)[3]


def shown(api: Api, invoice: Answer, **headers: str) -> str:
    answer = api.send("GET", path_of(invoice), key=None, headers=headers)
    assert answer.status == 200
    return answer.body.decode()


def pay(api: Api, invoice: Answer, **typed: str) -> tuple[int, str]:
    body = "&".join(f"{name}={quote(value)}" for name, value in typed.items()).encode()
    answer = api.send("POST", path_of(invoice) + "/pay", key=None, headers={"accept": "text/html"}, body=body)
    return answer.status, answer.body.decode()


def test_the_hosted_page_shows_the_invoice_and_takes_a_card(api: Api) -> None:
    invoice = opened(api, customer(api, None))
    assert "$20.00" in shown(api, invoice)
    status, text = pay(api, invoice, **{**GOOD, "number": "4000000000000002"})
    assert (status, "Your card was declined." in text) == (402, True)
    assert f'action="{path_of(invoice)}/pay"' in text
    assert pay(api, invoice, **GOOD)[0] == 200
    assert api.get(f"/v1/invoices/{invoice['id']}")["status"] == "paid"
    assert api.send("GET", path_of(invoice) + "/pdf", key=None).body.startswith(b"%PDF-1.")


def test_the_page_says_who_owes_what_until_when(api: Api) -> None:
    who = customer(api, None, name="Zoë <Łukasz>", address={"line1": "Chausseestr. 1", "country": "DE"})
    text = shown(api, opened(api, who, collection_method="send_invoice", days_until_due=30, description="<b>Hi</b>"))
    wanted = ("$20.00 due January 31, 2026", "<dt>Due date</dt><dd>January 31, 2026</dd>", "&lt;b&gt;Hi",
              "<dt>Date of issue</dt><dd>January 1, 2026</dd>", "Zoë &lt;Łukasz&gt;<br>Chausseestr. 1<br>Germany",
              "Download invoice as PDF")  # fmt: skip
    assert [part for part in wanted if part not in text] == []


def test_a_paid_invoice_links_to_the_receipt_of_its_payment(api: Api) -> None:
    invoice = opened(api, customer(api, None))
    text = pay(api, invoice, **GOOD)[1]
    receipt = api.get("/v1/charges")["data"][0]["receipt_url"]
    assert f'href="{receipt}">Receipt for $20.00</a>' in text
    assert 'name="number"' not in text
    assert "$20.00 paid on January 1, 2026" in shown(api, invoice)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"number": "4242424242424241"}, "number"),
        ({"expiry": "13 / 30"}, "expiry"),
        ({"expiry": "12 / 20"}, "expiry"),
        ({"expiry": "soon"}, "expiry"),
        ({"expiry": ""}, "expiry"),
        ({"cvc": ""}, "cvc"),
        ({"cvc": "1"}, "cvc"),
        ({"number": ""}, "number"),
    ],
)
def test_what_is_wrong_with_a_card_stands_beside_its_field(api: Api, typed: dict[str, str], field: str) -> None:
    status, text = pay(api, opened(api, customer(api, None)), **{**GOOD, **typed})
    assert status == 402
    assert f'id="{field}-error" role="alert"' in text
    assert "4242424242424242" not in text


def test_the_page_is_in_the_language_of_its_customer_else_of_the_browser(api: Api) -> None:
    german = opened(api, customer(api, None, preferred_locales=["de"]))
    assert '<html lang="de">' in shown(api, german)
    assert "20,00\xa0$ bezahlen" in shown(api, german, **{"accept-language": "fr"})
    assert "Ihre Karte wurde abgelehnt." in pay(api, german, **{**GOOD, "number": "4000000000000002"})[1]
    assert "<h2>Payer par carte</h2>" in shown(api, opened(api, customer(api, None)), **{"accept-language": "fr-FR"})
