"""Request logs, the overview, events, webhook endpoints."""

from __future__ import annotations

import re

from tests.support.dashboard import Site, url
from tollkey import outbox
from tollkey.dashboard import plots


def test_a_request_is_listed_with_its_status_key_and_path(site: Site) -> None:
    site.api.post("/v1/customers", name="Jenny")
    site.api.post("/v1/charges", amount="much")
    site.world.write_logs()
    shown = site.browser("developer").get(url(site, "/logs")).text
    assert "POST /v1/customers" in shown
    assert "parameter_" in shown
    assert site.api.sk not in shown


def test_filters_narrow_the_list(site: Site) -> None:
    site.api.post("/v1/customers", name="Jenny")
    site.api.get("/v1/charges/ch_none")
    site.world.write_logs()
    browser = site.browser("developer")
    assert "/v1/customers" not in _rows(browser.get(url(site, "/logs?status=4")).text)
    assert "/v1/charges" not in _rows(browser.get(url(site, "/logs?method=POST")).text)
    assert "/v1/charges" not in _rows(browser.get(url(site, "/logs?path=/v1/cust")).text)
    assert _rows(browser.get(url(site, "/logs?key=mk_other")).text) == ""
    assert _rows(browser.get(url(site, "/logs?from=2030-01-01")).text) == ""
    assert "/v1/charges" in _rows(browser.get(url(site, "/logs?from=2026-01-01&to=2026-01-01&status=404")).text)


def _rows(text: str) -> str:
    found = re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    return found[1] if found else ""


def test_pages_of_the_list_follow_one_another_without_gap(site: Site) -> None:
    for _ in range(60):
        site.api.get("/v1/balance")
    site.world.write_logs()
    browser = site.browser("developer")
    first = browser.get(url(site, "/logs")).text
    further = re.search(r'href="([^"]*after=req_[^"]*)"', first)
    assert further
    ids = [re.findall(r"/logs/(req_\w+)", _rows(text)) for text in (first, browser.get(further[1]).text)]
    assert [len(page) for page in ids] == [50, 10]
    assert not set(ids[0]) & set(ids[1])


def test_the_address_in_an_error_leads_to_that_request(site: Site) -> None:
    answer = site.api.get("/v1/charges/ch_none")
    site.world.write_logs()
    path = answer.error["request_log_url"].partition("://")[2].partition("/")[2]
    browser = site.browser("developer")
    led = browser.get("/" + path)
    assert led.status == 303
    shown = browser.get(led.location)
    assert shown.status == 200
    assert "resource_missing" in shown.text


def test_the_message_about_a_missing_permission_leads_to_the_key_s_edit_page(site: Site) -> None:
    message = site.api.get("/v1/charges", key=site.api.restricted("customer_read")).error["message"]
    path = "/b/" + message.partition("/b/")[2]
    led = site.browser("developer").get(path)
    assert re.fullmatch(rf"/{site.account}/test/apikeys/mk_\w+/edit", led.location)


def test_a_destination_never_leads_to_another_host_or_account(site: Site) -> None:
    browser = site.browser("developer")
    assert browser.get(f"/b/{site.account}?destination=//evil.example").location == url(site, "/apikeys")
    assert browser.get(f"/b/{site.api.another().account}?destination=/apikeys").status == 404


def test_a_request_of_another_account_or_mode_is_not_there(site: Site) -> None:
    other = site.api.another()
    other.get("/v1/balance")
    site.api.get("/v1/balance", key=site.api.live_sk)
    site.world.write_logs()
    browser = site.browser("developer")
    for scope in ((other.account, 0), (site.account, 1)):
        id = site.core.database.read(
            lambda tx, s=scope: tx.execute("SELECT id FROM request_logs WHERE account = ? AND livemode = ?", s)
        )[0][0]
        assert browser.get(url(site, f"/logs/{id}")).status == 404


def test_a_request_s_page_leads_to_its_object_and_its_events(site: Site) -> None:
    made = site.api.post("/v1/customers", name="Jenny")
    site.world.write_logs()
    shown = site.browser("developer").get(url(site, f"/logs/{made.headers['request-id']}")).text
    assert f"/objects/customer/{made['id']}" in shown
    assert "customer.created" in shown


def test_the_overview_counts_by_status_key_and_hour(site: Site) -> None:
    site.api.get("/v1/balance")
    site.api.get("/v1/nothing")
    site.world.write_logs()
    shown = site.browser("developer").get(url(site, "/developers")).text
    assert "2 in total: 1 succeeded, 1 failed (4xx)" in shown
    assert 'role="img"' in shown
    assert "View as table" in shown


def test_an_empty_plot_says_so() -> None:
    assert "No requests in this period." in plots.columns("p", "Nothing", ["00:00"], [plots.Series("x", "2", [0])])


def test_the_axis_ends_at_a_round_number() -> None:
    assert [plots.ceiling(most) for most in (0, 3, 7, 48, 1_234)] == [(1, 1), (3, 1), (8, 2), (50, 10), (1_500, 500)]


def test_names_in_a_plot_are_text(site: Site) -> None:
    assert "<b>" not in plots.bars("b", "Keys", [plots.Row("<b>bold</b>", 1, "/x")])


def test_an_event_shows_its_object_and_its_deliveries(site: Site) -> None:
    browser = site.browser("developer")
    browser.get(url(site, "/webhooks/new"))
    assert (
        browser.post(url(site, "/webhooks/new"), {"url": "https://example.com/hook", "all_events": "yes"}).status == 303
    )
    made = site.api.post("/v1/customers", name="Jenny")
    event = site.api.events("customer.created")[0]
    shown = browser.get(url(site, f"/events/{event['id']}")).text
    assert made["id"] in shown
    assert "https://example.com/hook" in shown
    delivery = site.core.database.read(lambda tx: outbox.deliveries(tx, _scope(site), event_id=event["id"]))[0]
    assert browser.post(url(site, f"/events/{event['id']}/resend/{delivery.id}")).status == 303
    assert len(site.core.database.read(lambda tx: outbox.deliveries(tx, _scope(site), event_id=event["id"]))) == 2


def _scope(site: Site):  # type: ignore[no-untyped-def]
    from tollkey.db import Scope

    return Scope(site.account, False)


def _endpoint(site: Site) -> str:
    return site.api.post("/v1/webhook_endpoints", url="https://example.com/a", enabled_events=["charge.succeeded"])[
        "id"
    ]


def test_an_endpoint_is_changed_switched_off_and_deleted(site: Site) -> None:
    browser, id = site.browser("developer"), _endpoint(site)
    page = url(site, f"/webhooks/{id}")
    browser.post(page + "/edit", {"url": "https://example.com/b", "event": ["charge.failed", "charge.refunded"]})
    assert site.api.get(f"/v1/webhook_endpoints/{id}")["enabled_events"] == ["charge.failed", "charge.refunded"]
    browser.post(page + "/switch")
    assert site.api.get(f"/v1/webhook_endpoints/{id}")["status"] == "disabled"
    browser.sure(page + "/delete")
    assert browser.get(page).status == 404


def test_a_wrong_address_is_refused_beside_its_field(site: Site) -> None:
    browser = site.browser("developer")
    answer = browser.post(url(site, "/webhooks/new"), {"url": "nowhere", "all_events": "yes"})
    assert answer.status == 422
    assert 'id="url-error"' in answer.text
    assert browser.post(url(site, "/webhooks/new"), {"url": "https://example.com"}).status == 422


def test_an_event_that_does_not_exist_is_refused_beside_its_field(site: Site) -> None:
    browser = site.browser("developer")
    answer = browser.post(url(site, "/webhooks/new"), {"url": "https://example.com", "event": "charge.exploded"})
    assert answer.status == 422
    assert "There is no event charge.exploded." in answer.text


def test_the_signing_secret_is_shown_only_when_asked_for(site: Site) -> None:
    browser, id = site.browser("developer"), _endpoint(site)
    page = url(site, f"/webhooks/{id}")
    assert "whsec_" not in browser.get(page).text
    shown = browser.post(page + "/reveal")
    assert "whsec_" in shown.text
    assert "no-store" in shown.headers["cache-control"]


def test_revealing_needs_a_recent_sign_in(site: Site) -> None:
    browser, id = site.browser("developer"), _endpoint(site)
    site.world.clock[0] += 3600
    answer = browser.post(url(site, f"/webhooks/{id}/reveal"))
    assert answer.location.startswith("/confirm")


def test_a_rolled_secret_signs_beside_the_old_one_until_that_is_ended(site: Site) -> None:
    browser, id = site.browser("developer"), _endpoint(site)
    page = url(site, f"/webhooks/{id}")
    old = re.findall(r"whsec_\w+", browser.post(page + "/reveal").text)[0]
    both = list(dict.fromkeys(re.findall(r"whsec_\w+", browser.post(page + "/roll", {"overlap": "yes"}).text)))
    assert len(both) == 2
    assert both[1] == old
    browser.sure(page + "/end_old")
    assert list(dict.fromkeys(re.findall(r"whsec_\w+", browser.post(page + "/reveal").text))) == both[:1]


def test_a_delivery_is_sent_again_under_the_name_of_its_own_event_only(site: Site) -> None:
    _endpoint(site)
    for _ in range(2):
        site.api.ok("POST", "/v1/charges", amount=500, currency="usd", source="tok_visa")
    first, second = site.api.events("charge.succeeded")
    (delivery,) = site.core.database.read(lambda tx: outbox.deliveries(tx, _scope(site), event_id=first["id"]))
    browser = site.browser("developer")
    assert browser.post(url(site, f"/events/{second['id']}/resend/{delivery.id}")).status == 404
    assert browser.post(url(site, f"/events/{first['id']}/resend/{delivery.id}")).status == 303


def test_the_overview_tells_of_versions_that_are_newer_than_what_is_built(site: Site) -> None:
    browser = site.browser("developer")
    site.api.get("/v1/balance")
    site.world.write_logs()
    assert "newer than this server is built for" not in browser.get(url(site, "/developers")).text
    site.api.get("/v1/balance", headers={"Stripe-Version": "2026-11-18.endive"})
    site.world.write_logs()
    assert "2026-11-18.endive is newer than this server supports" in browser.get(url(site, "/developers")).text


def test_people_who_may_only_look_see_no_address_that_lets_its_holder_act(site: Site) -> None:
    session = site.api.ok("POST", "/v1/identity/verification_sessions", type="document")
    event = site.api.get("/v1/events", type="identity.verification_session.created")["data"][0]["id"]
    path = f"/objects/identity.verification_session/{session['id']}"
    shown = {role: site.browser(role).get(url(site, path)).text for role in ("administrator", "view_only")}
    assert session["url"] in shown["administrator"]
    assert session["url"] not in shown["view_only"]
    customer = site.api.ok("POST", "/v1/customers")["id"]
    portal = site.api.ok("POST", "/v1/billing_portal/sessions", customer=customer)["url"]
    opened = site.api.get("/v1/events", type="billing_portal.session.created")["data"][0]["id"]
    browser = site.browser("administrator")
    assert portal not in browser.get(url(site, f"/events/{opened}")).text
    assert session["url"] in browser.get(url(site, f"/events/{event}")).text
