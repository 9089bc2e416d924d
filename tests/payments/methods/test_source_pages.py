"""The page on which a customer authorizes or fails the payment of a redirect source."""

from __future__ import annotations

from tests.support.api import Api


def test_a_redirect_source_becomes_chargeable_on_its_page_and_is_consumed_by_a_charge(api: Api) -> None:
    source = api.ok(
        "post",
        "/v1/sources",
        type="ideal",
        amount=1099,
        currency="eur",
        redirect={"return_url": "https://example.com/back"},
    )
    early = api.post("/v1/charges", amount=1099, currency="eur", source=source["id"])
    assert early.status == 400
    path = "/" + source["redirect"]["url"].split("/", 3)[3]
    assert api.get(path, key=None).status == 200
    sent = api.post(path + "/authorize", key=None)
    assert (sent.status, sent.headers["location"].startswith("https://example.com/back?source=src_")) == (303, True)
    assert api.ok("post", "/v1/charges", amount=1099, currency="eur", source=source["id"])["status"] == "succeeded"
    assert api.get(f"/v1/sources/{source['id']}")["status"] == "consumed"


def test_a_payment_that_was_failed_on_its_page_stays_failed(api: Api) -> None:
    asked = {"type": "ideal", "amount": 1099, "currency": "eur", "redirect": {"return_url": "https://example.com/back"}}
    source = api.ok("POST", "/v1/sources", **asked)
    path = "/" + source["redirect"]["url"].split("/", 3)[3]
    assert api.post(path + "/fail", key=None).status == 303
    assert api.post(path + "/authorize", key=None).status == 303
    assert b"has been answered" in api.get(path, key=None).body
    failed = api.get(f"/v1/sources/{source['id']}")
    assert (failed["status"], failed["redirect"]["failure_reason"]) == ("failed", "user_abort")
    assert len(api.events("source.failed")) == 1
