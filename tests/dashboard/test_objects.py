"""Objects: lists, details, and what people do to them by hand."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.dashboard import samples
from tests.support.dashboard import Browser, Site, url
from tollkey.dashboard.acting import ELSEWHERE, fields_of
from tollkey.dashboard.present import Presenter
from tollkey.dashboard.routing import gather_pages
from tollkey.wire.shapes import properties


def pay(site: Site, amount: int = 2000, currency: str = "usd", **more: object) -> dict[str, object]:
    return site.api.ok(
        "POST", "/v1/payment_intents", amount=amount, currency=currency,
        payment_method=more.pop("card", "pm_card_visa"), confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"}, **more,
    )  # fmt: skip


def action(browser: Browser, page: str, label: str) -> str:
    """The address behind a button of an object's page."""
    found = re.search(rf'href="([^"]+)">{label}</a>', browser.get(page).text)
    assert found, f"no button {label}"
    return found[1]


def test_every_kind_of_object_has_a_list(site: Site) -> None:
    browser = site.browser("developer")
    text = browser.get(url(site, "/objects")).text
    for resource in site.core.catalogue.resources:
        if resource.title and resource.stored and resource.object not in ("event", "webhook_endpoint", "balance"):
            assert f'/objects/{resource.object}"' in text, resource.object
            assert browser.get(url(site, f"/objects/{resource.object}")).status == 200, resource.object


def test_amounts_follow_their_currency(site: Site) -> None:
    pay(site, 2050)
    pay(site, 500, "jpy")
    text = site.browser("developer").get(url(site, "/objects/payment_intent")).text
    assert "$20.50 USD" in text
    assert "¥500 JPY" in text


def test_the_search_finds_by_name_and_by_metadata(site: Site) -> None:
    site.api.post("/v1/customers", name="Jenny Rosen", metadata={"order": "6735"})
    site.api.post("/v1/customers", name="Somebody Else")
    browser = site.browser("developer")
    for query in ("jenny", "6735"):
        text = browser.get(url(site, f"/objects/customer?query={query}")).text
        assert "Jenny Rosen" in text
        assert "Somebody Else" not in text


def test_an_indexed_field_filters(site: Site) -> None:
    customer = site.api.post("/v1/customers", name="Jenny")
    mine, other = pay(site, customer=customer["id"]), pay(site)
    text = site.browser("developer").get(url(site, f"/objects/payment_intent?customer={customer['id']}")).text
    assert str(mine["id"]) in text
    assert str(other["id"]) not in text


def test_a_detail_page_links_ids_and_hides_client_secrets(site: Site) -> None:
    made = pay(site)
    text = site.browser("developer").get(url(site, f"/objects/payment_intent/{made['id']}")).text
    assert f"/objects/charge/{made['latest_charge']}" in text
    assert str(made["client_secret"]) not in text
    assert "payment_intent.succeeded" in text


def test_another_account_s_object_and_the_other_mode_s_are_not_there(site: Site) -> None:
    other = site.api.another()
    theirs = other.post("/v1/customers", name="Theirs")["id"]
    live = site.api.post("/v1/customers", name="Live", key=site.api.live_sk)["id"]
    browser = site.browser("developer")
    for id in (theirs, live):
        assert browser.get(url(site, f"/objects/customer/{id}")).status == 404


def test_a_part_of_a_charge_is_refunded_in_major_units(site: Site) -> None:
    made = pay(site, 2000)
    browser = site.browser("administrator")
    page = url(site, f"/objects/payment_intent/{made['id']}")
    form = action(browser, page, "Refund")
    browser.get(form)
    assert browser.post(form, {"amount": "5.50", "reason": "requested_by_customer"}).status == 303
    charge = site.api.get(f"/v1/charges/{made['latest_charge']}")
    assert charge["amount_refunded"] == 550
    assert "$5.50 refunded" in browser.get(page).text
    browser.post(form, {})
    assert ">Refunded</span>" in browser.get(page).text
    assert ">Refund</a>" not in browser.get(page).text


def test_too_large_a_refund_is_refused_beside_the_field(site: Site) -> None:
    made = pay(site, 2000)
    browser = site.browser("administrator")
    form = action(browser, url(site, f"/objects/charge/{made['latest_charge']}"), "Refund")
    for typed in ("99.00", "1.234", "much"):
        answer = browser.post(form, {"amount": typed})
        assert answer.status == 422
        assert 'id="amount-error"' in answer.text
    assert site.api.get(f"/v1/charges/{made['latest_charge']}")["amount_refunded"] == 0


def test_an_uncaptured_payment_is_captured_or_canceled(site: Site) -> None:
    browser = site.browser("developer")
    first, second = pay(site, capture_method="manual"), pay(site, capture_method="manual")
    form = action(browser, url(site, f"/objects/payment_intent/{first['id']}"), "Capture")
    browser.get(form)
    assert browser.post(form, {"amount_to_capture": "12.00"}).status == 303
    assert site.api.get(f"/v1/payment_intents/{first['id']}")["amount_received"] == 1200
    form = action(browser, url(site, f"/objects/payment_intent/{second['id']}"), "Cancel")
    assert browser.post(form, {"cancellation_reason": "duplicate"}).status == 303
    assert site.api.get(f"/v1/payment_intents/{second['id']}")["status"] == "canceled"
    assert ">Cancel</a>" not in browser.get(url(site, f"/objects/payment_intent/{second['id']}")).text
    assert browser.post(form, {}).status == 404


def test_a_dispute_is_answered(site: Site) -> None:
    pay(site, card="pm_card_createDispute")
    dispute = site.api.get("/v1/disputes")["data"][0]
    browser = site.browser("analyst")
    assert "needs a response" in browser.get(url(site, "/home")).text
    form = action(browser, url(site, f"/objects/dispute/{dispute['id']}"), "Submit evidence")
    browser.get(form)
    assert browser.post(form, {"evidence[uncategorized_text]": "winning_evidence"}).status == 303
    assert site.api.get(f"/v1/disputes/{dispute['id']}")["status"] != "needs_response"


def test_who_may_not_refund_sees_no_button_and_is_refused(site: Site) -> None:
    made = pay(site)
    page = url(site, f"/objects/charge/{made['latest_charge']}")
    form = action(site.browser("administrator"), page, "Refund")
    viewer = site.browser("view_only")
    assert ">Refund</a>" not in viewer.get(page).text
    assert viewer.post(form, {}).status == 403
    assert site.api.get(f"/v1/charges/{made['latest_charge']}")["refunded"] is False


def test_an_action_without_its_token_is_refused(site: Site) -> None:
    made = pay(site)
    browser = site.browser("administrator")
    form = action(browser, url(site, f"/objects/charge/{made['latest_charge']}"), "Refund")
    assert browser.post(form, {}, csrf="").status == 403
    assert site.api.get(f"/v1/charges/{made['latest_charge']}")["refunded"] is False


def test_an_action_under_another_name_in_the_matrix_is_not_there(site: Site) -> None:
    made = pay(site)
    browser = site.browser("developer")
    form = action(site.browser("administrator"), url(site, f"/objects/charge/{made['latest_charge']}"), "Refund")
    assert browser.post(form.replace("refunds-make", "objects-change"), {}).status == 404


def test_every_declared_action_has_its_endpoint_and_its_fields(site: Site) -> None:
    endpoints = {(e.method, e.path): e for r in site.core.catalogue.resources for e in r.endpoints}
    for resource in site.core.catalogue.resources:
        for one in resource.actions:
            endpoint = endpoints[one.method, one.path]
            assert all(field.label for field in fields_of(endpoint, one)), (resource.object, one.label)


def test_home_shows_the_balance_and_the_latest_payments(site: Site) -> None:
    pay(site, 4321)
    text = site.browser("view_only").get(url(site, "/home")).text
    assert "$43.21 USD" in text
    assert "Balance pending" in text


def test_every_page_of_objects_names_an_action_of_the_matrix() -> None:
    assert all(page.action for page in gather_pages() if page.scope == "mode")


def test_a_value_is_never_markup(site: Site) -> None:
    made = site.api.post("/v1/customers", name="<script>alert(1)</script>", metadata={"<b>": "<i>"})
    browser = site.browser("developer")
    for page in ("/objects/customer", f"/objects/customer/{made['id']}"):
        assert b"<script>alert" not in browser.get(url(site, page)).body
        assert b"<i>" not in browser.get(url(site, page)).body


def test_ids_lead_to_their_pages(site: Site) -> None:
    presenter = Presenter(site.core.catalogue)
    assert presenter.address("cus_1") == "/objects/customer/cus_1"
    assert presenter.address("evt_1") == "/events/evt_1"
    assert presenter.address("nothing") == ""


def test_an_export_is_whole_where_it_is_read_in_pieces(site: Site) -> None:
    made = [site.api.ok("POST", "/v1/coupons", percent_off=5, duration="once")["id"] for _ in range(260)]
    answer = site.browser("analyst").get(url(site, "/objects/coupon/export"))
    ids = [line.partition(",")[0] for line in answer.text.splitlines()[1:]]
    assert ids == made[::-1]


def test_a_list_is_exported_as_it_is_filtered_and_no_cell_is_a_formula(site: Site) -> None:
    site.api.post("/v1/customers", name="=cmd()", email="a@example.com")
    site.api.post("/v1/customers", name="Otto", email="b@example.com")
    answer = site.browser("analyst").get(url(site, "/objects/customer/export"))
    assert answer.headers["content-type"].startswith("text/csv")
    assert "'=cmd()" in answer.text
    assert len(answer.text.splitlines()) == 3
    filtered = site.browser("analyst").get(url(site, "/objects/customer/export?email=b@example.com")).text
    assert "Otto" in filtered
    assert "cmd" not in filtered
    assert site.browser("view_only").get(url(site, "/objects/customer/export")).status == 403


def test_a_query_in_the_language_of_the_api_is_understood(site: Site) -> None:
    pay(site, 2000)
    pay(site, 700)
    text = site.browser("developer").get(url(site, "/payments?query=amount%3E1000")).text
    assert "$20.00" in text
    assert "$7.00" not in text
    assert "must be quoted" in site.browser("developer").get(url(site, "/payments?query=amount%3E%3E")).text


def test_a_refused_payment_names_the_request_that_made_it(site: Site) -> None:
    refused = site.api.post(
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        payment_method="pm_card_chargeDeclined",
        confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
    )
    intent = refused["error"]["payment_intent"]["id"]
    site.world.write_logs()
    text = site.browser("developer").get(url(site, f"/objects/payment_intent/{intent}")).text
    assert "POST /v1/payment_intents" in text
    assert '<p class="soft">None.</p>' not in text


def test_the_sidebar_marks_the_list_that_an_object_belongs_to(site: Site) -> None:
    browser = site.browser("developer")
    for object, label in (
        ("payment_intent", "Payments"),
        ("test_helpers.test_clock", "Test clocks"),
        ("coupon", "All objects"),
    ):
        marked = re.findall(r'aria-current="page">([^<]+)</a>', browser.get(url(site, f"/objects/{object}")).text)
        assert marked == [label]


def test_evidence_typed_into_a_dispute_s_page_is_handed_in(site: Site) -> None:
    pay(site, 5500, card="pm_card_createDispute")
    dispute = site.api.get("/v1/disputes")["data"][0]["id"]
    browser = site.browser("developer")
    page = action(browser, url(site, f"/objects/dispute/{dispute}"), "Submit evidence")
    browser.post(page, {"evidence[uncategorized_text]": "They signed for it."})
    assert site.api.get(f"/v1/disputes/{dispute}")["status"] == "under_review"


def test_who_may_not_see_webhooks_or_events_does_not_see_them_as_objects_either(site: Site) -> None:
    endpoint = site.api.post("/v1/webhook_endpoints", url="https://example.com/?token=abc", enabled_events=["*"])
    site.api.post("/v1/customers", name="Jenny")
    looker = site.browser("view_only")
    destination = samples.stored(site, site.account, False, site.core.catalogue.by_object["v2.core.event_destination"])
    assert site.browser("developer").get(url(site, f"/objects/v2.core.event_destination/{destination}")).status == 200
    assert "Event destinations" not in looker.get(url(site, "/objects")).text
    assert looker.get(url(site, f"/objects?id={destination}")).status == 200
    for object, id in (
        ("webhook_endpoint", endpoint["id"]),
        ("event", site.api.events()[0]["id"]),
        ("v2.core.event_destination", destination),
    ):
        assert looker.get(url(site, f"/objects/{object}/{id}")).status == 404
        assert looker.get(url(site, f"/objects/{object}")).status == 404


def test_looking_at_a_portal_session_does_not_open_the_customer_s_portal(site: Site) -> None:
    customer = site.api.post("/v1/customers", name="Jenny")
    made = site.api.ok(
        "POST", "/v1/billing_portal/sessions", customer=customer["id"], return_url="https://shop.example/"
    )
    text = site.browser("view_only").get(url(site, f"/objects/billing_portal.session/{made['id']}")).text
    assert made["id"] in text
    assert made["url"].rpartition("/")[2] not in text
    event = site.api.events("billing_portal.session.created")[0]["id"]
    assert made["url"].rpartition("/")[2] not in site.browser("support").get(url(site, f"/events/{event}")).text


JUNK = (
    "", " ", "_", "__", "x", "mk_", "_1", "mk_1", "acct_", "1234", "ä_ß", "cus_" + "9" * 5000, "cus_'; --", "%00", "\0",
    "cus_\0",
    "../..", "cus_1/2", "pi_1?x=1", "<b>", "\ud7ff\uffff", "nobody_1", "sk_" + "test_1", "req_1", "a b c", "cus_\n1",
)  # fmt: skip


@pytest.mark.parametrize("livemode", [False, True])
def test_looking_for_an_id_finds_its_page_or_says_that_there_is_none(site: Site, livemode: bool) -> None:
    browser = site.browser("administrator")
    base = f"/{site.account}{'' if livemode else '/test'}"
    prefixes = {prefix for r in site.core.catalogue.resources for prefix in (r.prefix, *r.prefixes) if prefix}
    assert {"cus", "mk", "evt", "we"} <= prefixes
    for id in [
        *JUNK,
        *(f"{prefix}{tail}" for prefix in sorted(prefixes) for tail in ("", "_", "_1", "_1AbCdEfGhIjKlMnO")),
    ]:
        answer = browser.get(f"{base}/objects?{urlencode({'id': id})}")
        assert answer.status == 200, id[:50]
        assert "Object types" in answer.text


def test_every_object_that_has_a_page_is_found_by_its_id(site: Site) -> None:
    browser = site.browser("administrator")
    without: list[str] = []
    for resource in site.core.catalogue.resources:
        if not resource.stored or resource.object in ELSEWHERE or not (resource.prefix or resource.title):
            continue
        if "id" not in properties(resource.object):
            continue
        id = samples.stored(site, site.account, False, resource)
        answer = browser.get(url(site, f"/objects?id={id}"))
        if answer.status == 303:
            assert browser.get(answer.location).status == 200, resource.object
        else:
            assert answer.status == 200, resource.object
            without.append(resource.object)
    titled = {r.object for r in site.core.catalogue.resources if r.title and r.stored}
    assert [object for object in without if object in titled] == []


def test_keys_requests_and_events_are_found_by_their_ids_by_who_may_see_them(site: Site) -> None:
    admin, support = site.browser("administrator"), site.browser("view_only")
    for name, page in (("key", "/apikeys/"), ("request", "/logs/"), ("event", "/events/"), ("endpoint", "/webhooks/")):
        id = samples.SAMPLES[name](site, site.account, False)
        answer = admin.get(url(site, f"/objects?id={id}"))
        assert (answer.status, answer.location) == (303, url(site, f"{page}{id}"))
        assert admin.get(answer.location).status == 200
        if name in ("key", "request"):
            assert support.get(url(site, f"/objects?id={id}")).status == 200
        other = samples.SAMPLES[name](site, site.api.another().account, False)
        assert admin.get(url(site, f"/objects?id={other}")).status == 200


def test_a_coupon_is_found_by_the_name_that_its_maker_chose(site: Site) -> None:
    site.api.ok("POST", "/v1/coupons", id="SUMMER 25", percent_off=25, duration="once")
    answer = site.browser("administrator").get(url(site, "/objects?id=SUMMER+25"))
    assert (answer.status, answer.location) == (303, url(site, "/objects/coupon/SUMMER%2025"))
    assert "/objects/coupon/SUMMER%2025" in site.browser("administrator").get(url(site, "/objects/coupon")).text
