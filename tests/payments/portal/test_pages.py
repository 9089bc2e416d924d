"""The pages of the customer portal: what there is, and what comes of cancelling before it is done."""

from __future__ import annotations

from tests.payments.portal.steps import confirm, linked, look, opened
from tests.support.api import Api

MONTH_END = b"February 1, 2026"


def test_cancelling_asks_first_and_says_what_will_happen_and_when(api: Api) -> None:
    path, subscription = opened(api)
    page = look(api, linked(look(api, path), "Cancel subscription"))
    assert page.status == 200
    assert MONTH_END in page.body
    assert b"T-shirt &lt;b&gt;" in page.body
    assert b"<script" not in page.body
    assert linked(page, "Keep it") == path
    assert api.get(f"/v1/subscriptions/{subscription}")["cancel_at_period_end"] is False  # looking cancels nothing
    assert confirm(api, f"{path}/cancel?subscription={subscription}").headers["location"] == path
    assert api.get(f"/v1/subscriptions/{subscription}")["cancel_at_period_end"] is True
    assert b"February 1, 2026" in look(api, path).body


def test_a_portal_that_cancels_at_once_says_so(api: Api) -> None:
    path, subscription = opened(api, mode="immediately")
    question = f"{path}/cancel?subscription={subscription}"
    page = look(api, question)
    assert b"It ends now" in page.body
    assert b"is not refunded" in page.body
    assert MONTH_END not in page.body
    confirm(api, question)
    assert api.get(f"/v1/subscriptions/{subscription}")["status"] == "canceled"
    assert look(api, question).status == 400
    assert api.send("POST", f"{path}/cancel", key=None, body=f"subscription={subscription}".encode()).status == 400


def test_the_portal_is_headed_by_the_business_and_speaks_the_session_s_language(api: Api) -> None:
    path, subscription = opened(api)
    assert b'<p class="brand"><span>Test account</span><span class="badge">Test mode</span></p>' in look(api, path).body
    customer = api.get(f"/v1/subscriptions/{subscription}")["customer"]
    french = api.ok("POST", "/v1/billing_portal/sessions", customer=customer, locale="fr")
    page = look(api, "/" + french["url"].split("/", 3)[3]).body.decode()
    assert '<html lang="fr">' in page
    assert "<h2>Abonnements</h2>" in page
    assert "par mois" in page
