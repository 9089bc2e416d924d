"""The page of an invoice (``hosted_invoice_url``), its document (``invoice_pdf``), and paying it with a card of one's
own.
"""

from __future__ import annotations

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api


def test_the_hosted_page_shows_the_invoice_and_takes_a_card(api: Api) -> None:
    invoice = api.ok("post", f"/v1/invoices/{draft(api, customer(api, None))['id']}/finalize")
    path = "/" + invoice["hosted_invoice_url"].split("/", 3)[3]
    shown = api.send("GET", path, key=None)
    assert (shown.status, b"$20.00" in shown.body) == (200, True)
    browser = {"accept": "text/html"}
    refused = api.send(
        "POST",
        path + "/pay",
        key=None,
        headers=browser,
        body=b"number=4000000000000002&exp_month=12&exp_year=2030&cvc=123",
    )
    assert (refused.status, b"Your card was declined." in refused.body) == (402, True)
    assert f'action="{path}/pay"'.encode() in refused.body
    done = api.send(
        "POST",
        path + "/pay",
        key=None,
        headers=browser,
        body=b"number=4242424242424242&exp_month=12&exp_year=2030&cvc=123",
    )
    assert done.status == 200
    assert api.get(f"/v1/invoices/{invoice['id']}")["status"] == "paid"
    assert api.send("GET", path + "/pdf", key=None).body.startswith(b"%PDF-1.")
