"""The business at the head of its pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.payments.invoices.steps import customer, draft
from tests.support.api import Api


def page(api: Api) -> str:
    invoice = api.ok("POST", f"/v1/invoices/{draft(api, customer(api, None))['id']}/finalize")
    return api.send("GET", urlsplit(invoice["hosted_invoice_url"]).path, key=None).body.decode()


def test_a_page_is_headed_by_the_business_and_says_that_it_is_a_test(api: Api) -> None:
    assert '<p class="brand"><span>Test account</span><span class="badge">Test mode</span></p>' in page(api)


def test_buttons_have_the_colour_of_the_business_with_text_that_can_be_read(api: Api) -> None:
    assert "--on-button:#" not in page(api)
    api.ok("POST", f"/v1/accounts/{api.account}", settings={"branding": {"secondary_color": "#ffee00"}})
    assert ":root{--button:#ffee00;--on-button:#000000;" in page(api)
