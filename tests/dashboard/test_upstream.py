"""The page about the upstream account: its key, the calls that were passed on, those that wait for a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboard.samples import SAMPLES
from tests.support.api import Api
from tests.support.dashboard import Browser, Shown, Site, url
from tests.upstream.conftest import ID, KEY, There
from tollkey.dashboard import activity
from tollkey.db import Scope, Tx
from tollkey.keys import Key
from tollkey.keys.actors import SYSTEM
from tollkey.upstream import Upstream, hooks, spending, states, store
from tollkey.upstream.store import Passed

OTHER = "_".join(("rk", "test", "another0123456789abcdef"))
LIVE = "_".join(("sk", "live", "upstream0123456789abcdef"))


@pytest.fixture
def site(api: Api) -> Site:
    """A Dashboard on each database."""
    return Site(api)


@pytest.fixture
def dev(site: Site) -> Browser:
    browser = site.browser("developer")
    browser.get(url(site, "/upstream"))
    return browser


def read(site: Site, callback: Callable[[Tx], Any]) -> Any:
    return site.core.database.read(callback)


def found(site: Site, livemode: bool = False) -> Upstream | None:
    result: Upstream | None = read(site, lambda tx: store.find(tx, site.keyring, Scope(site.account, livemode)))
    return result


def disconnected(site: Site) -> None:
    site.core.database.write(lambda tx: store.disconnect(tx, Scope(site.account, False)))


def answers_with(there: There, account: str = ID, status: int = 200) -> None:
    there.body, there.status = f'{{"id": "{account}", "object": "account"}}'.encode(), status


def log(site: Site) -> list[activity.Entry]:
    entries: list[activity.Entry] = read(site, lambda tx: activity.entries(tx, site.account))
    return entries


def error_beside(shown: Shown, field: str) -> str:
    match = re.search(rf'<p class="error" id="{field}-error">(.*?)</p>', shown.text)
    return match[1] if match else ""


# -- connecting


def test_without_an_upstream_account_the_page_says_what_it_is_and_leads_to_the_form(site: Site, dev: Browser) -> None:
    page = dev.get(url(site, "/upstream")).text
    assert "No upstream account" in page
    assert url(site, "/upstream/connect") in page
    assert 'type="password"' in dev.get(url(site, "/upstream/connect")).text


def test_a_key_is_tried_then_stored_and_named_in_the_log_by_its_mask(site: Site, dev: Browser, there: There) -> None:
    disconnected(site)
    answers_with(there)
    assert dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": f" {KEY} "}).status == 303
    (asked,) = there.got
    assert (asked.line, asked.headers["authorization"]) == ("GET /v1/account HTTP/1.1", f"Bearer {KEY}")
    upstream = found(site)
    assert upstream is not None
    assert (upstream.id, upstream.key, upstream.hosts.api) == (ID, KEY, there.url)
    entry = log(site)[0]
    assert (entry.action, entry.about, entry.details["mode"]) == ("upstream_connected", ID, "test")
    page = dev.get(url(site, "/upstream")).text
    assert ID in page
    assert there.url in page
    assert "sk_test_...cdef" in page
    assert KEY not in page + repr(log(site))


def test_a_key_that_the_server_there_refuses_is_not_stored_and_not_shown_again(
    site: Site, dev: Browser, there: There
) -> None:
    disconnected(site)
    answers_with(there, status=401)
    answer = dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": KEY})
    assert answer.status == 422
    assert error_beside(answer, "key") == f"{there.url} refuses the key."
    assert KEY not in answer.text
    assert there.url in answer.text
    assert found(site) is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"object": "account"}', b'{"object": "account", "id": "a\\u0000"}']
)
def test_what_is_no_such_api_is_said_beside_the_url(site: Site, dev: Browser, there: There, body: bytes) -> None:
    disconnected(site)
    there.body = body
    answer = dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": KEY})
    assert (answer.status, bool(error_beside(answer, "url"))) == (422, True)
    assert found(site) is None


def test_a_server_that_does_not_answer_is_said_beside_the_url(site: Site, dev: Browser) -> None:
    answer = dev.post(url(site, "/upstream/connect"), {"url": "http://127.0.0.1:9", "key": KEY})
    assert (answer.status, error_beside(answer, "url")) == (422, "http://127.0.0.1:9 does not answer.")
    assert found(site) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", ""), ("url", "http://pay.example.com"), ("url", "https://pay.example.com/v1"),
        ("url", "https://a:b@pay.example.com"), ("url", "https://[x"), ("key", ""), ("key", "pk_test_1234567890"),
        ("key", LIVE),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_before_anything_is_sent(
    site: Site, dev: Browser, there: There, field: str, value: str
) -> None:
    answer = dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": KEY, field: value})
    assert answer.status == 422
    assert error_beside(answer, field)
    assert there.got == []


def test_a_key_of_live_mode_is_stored_in_live_mode(site: Site, dev: Browser, there: There) -> None:
    answers_with(there)
    assert dev.post(f"/{site.account}/upstream/connect", {"url": there.url, "key": LIVE}).status == 303
    upstream = found(site, livemode=True)
    assert upstream is not None
    assert upstream.key == LIVE


def test_another_key_of_the_same_account_takes_the_place_of_the_first(site: Site, dev: Browser, there: There) -> None:
    answers_with(there)
    assert dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": OTHER}).status == 303
    upstream = found(site)
    assert upstream is not None
    assert upstream.key == OTHER
    assert log(site)[0].action == "upstream_key_stored"


def test_a_key_of_another_account_is_refused_while_one_is_connected(site: Site, dev: Browser, there: There) -> None:
    answers_with(there, "acct_other")
    answer = dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": OTHER})
    assert (answer.status, "disconnect it first" in error_beside(answer, "key")) == (422, True)
    upstream = found(site)
    assert upstream is not None
    assert (upstream.id, upstream.key) == (ID, KEY)


def test_an_account_is_not_connected_to_itself(site: Site, dev: Browser, there: There) -> None:
    disconnected(site)
    answers_with(there, site.account)
    answer = dev.post(url(site, "/upstream/connect"), {"url": there.url, "key": KEY})
    assert (answer.status, "calls would come back to it" in error_beside(answer, "key")) == (422, True)
    assert found(site) is None


# -- testing and disconnecting


def test_a_key_that_works_is_noted_as_taken(site: Site, dev: Browser, there: There) -> None:
    answers_with(there)
    site.world.clock[0] += 60
    assert dev.post(url(site, "/upstream/test")).status == 303
    state = read(site, lambda tx: states.of(tx, Scope(site.account, False)))
    assert (state.succeeded_at, state.refused_at) == (site.now, None)


def test_a_key_that_is_refused_is_an_alarm_on_the_page_and_on_the_overview(
    site: Site, dev: Browser, there: There
) -> None:
    answers_with(there, status=401)
    site.world.clock[0] += 60
    answer = dev.post(url(site, "/upstream/test"))
    assert (answer.status, f"{there.url} refuses the key." in answer.text) == (422, True)
    for path in ("/upstream", "/developers"):
        assert "refused its key when it was last used" in dev.get(url(site, path)).text
    assert "refused its key" not in site.browser("analyst").get(url(site, "/developers")).text


def test_a_server_that_does_not_answer_has_not_refused_the_key(site: Site, dev: Browser, there: There) -> None:
    there.fails = ["cut", "cut"]
    assert dev.post(url(site, "/upstream/test")).status == 422
    assert read(site, lambda tx: states.of(tx, Scope(site.account, False))).refused_at is None


def test_an_account_that_is_not_connected_cannot_be_tested(site: Site, dev: Browser) -> None:
    answer = dev.post(url(site, "/upstream/test"))
    assert (answer.status, "No upstream account is connected" in answer.text) == (422, True)


def test_disconnecting_asks_first_and_deletes_the_key(site: Site, dev: Browser, there: There) -> None:
    asked = dev.post(url(site, "/upstream/disconnect"))
    assert ID in asked.text
    assert found(site) is not None
    assert dev.sure(url(site, "/upstream/disconnect")).status == 303
    assert found(site) is None
    assert (log(site)[0].action, log(site)[0].about) == ("upstream_disconnected", ID)
    again = dev.post(url(site, "/upstream/disconnect"), {"sure": "1"})
    assert again.status == 303


def test_the_page_says_whether_events_arrive_here(site: Site, dev: Browser, there: There) -> None:
    assert "tollkey live webhooks" in dev.get(url(site, "/upstream")).text
    scope, ids = Scope(site.account, False), site.core.setup.ids
    hook = site.core.database.write(lambda tx: hooks.make(tx, site.keyring, ids, scope, site.now))
    page = dev.get(url(site, "/upstream")).text
    assert "last arrived" in page
    assert hook.token not in page


# -- calls


def passed(site: Site, id: str, **changed: object) -> Passed:
    """Record a call."""
    key = read(site, lambda tx: site.core.authority.list(tx, Scope(site.account, False), kind="secret")[0])
    call = Passed(id, key.id, "POST", "/v1/refunds", 5000, "usd", "answered", 200, f"{id}there", site.now)
    made = call._replace(**changed)  # type: ignore[arg-type]
    site.core.database.write(lambda tx: store.add_calls(tx, [(Scope(site.account, False), made)]))
    return made


def test_a_call_is_listed_with_its_key_amount_and_both_request_ids(site: Site, dev: Browser) -> None:
    passed(site, "req_1")
    page = dev.get(url(site, "/upstream")).text
    for said in (
        "POST /v1/refunds",
        "$50.00 USD",
        "answered",
        "req_1there",
        url(site, "/logs/req_1"),
        site.api.sk[-4:],
    ):
        assert said in page


def test_calls_of_unknown_outcome_are_counted_and_listed_alone(site: Site, dev: Browser, there: There) -> None:
    passed(site, "req_known")
    passed(site, "req_lost", state="unknown", status=None, upstream_request=None, currency=None)
    assert "1 call has an unknown outcome" in dev.get(url(site, "/upstream")).text
    overview = dev.get(url(site, "/developers")).text
    assert "1 call to the upstream account has an unknown outcome" in re.sub("<[^>]+>", "", overview)
    assert url(site, "/upstream?outcome=unknown") in overview
    page = dev.get(url(site, "/upstream?outcome=unknown")).text
    assert "req_lost" in page
    assert "5000 in minor units" in page
    assert "req_known" not in page


def test_older_calls_are_on_further_pages(site: Site, dev: Browser) -> None:
    for number in range(53):
        passed(site, f"req_n{number:02}")
    first = dev.get(url(site, "/upstream"))
    assert ("req_n52" in first.text, "req_n02" in first.text) == (True, False)
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older
    second = dev.get(older[1]).text
    assert ("req_n02" in second, "req_n03<" in second, "Newest" in second) == (True, False, True)
    assert dev.get(url(site, "/upstream?after=req_none")).status == 404


def test_calls_of_the_other_mode_and_of_other_accounts_are_not_listed(site: Site, dev: Browser) -> None:
    passed(site, "req_mine")
    assert "req_mine" not in dev.get(f"/{site.account}/upstream").text
    other = Site(site.api.another())
    assert "req_mine" not in other.browser("developer").get(url(other, "/upstream")).text


def test_a_logged_request_names_the_request_there(site: Site, dev: Browser) -> None:
    id = SAMPLES["request"](site, site.account, False)
    assert "Request upstream" not in dev.get(url(site, f"/logs/{id}")).text
    passed(site, id)
    assert f"{id}there" in dev.get(url(site, f"/logs/{id}")).text


def test_a_call_whose_process_was_killed_has_no_link_to_a_log(site: Site, dev: Browser) -> None:
    id = SAMPLES["request"](site, site.account, False)
    passed(site, id, state="unknown")
    passed(site, "req_killed", state="unknown")
    page = dev.get(url(site, "/upstream")).text
    assert url(site, f"/logs/{id}") in page
    assert "req_killed" in page
    assert url(site, "/logs/req_killed") not in page


def test_the_band_above_every_page_tells_that_calls_are_passed_on(site: Site, dev: Browser, there: There) -> None:
    said = "calls go to the upstream account"
    assert said in dev.get(url(site, "/apikeys")).text
    assert said not in dev.get(f"/{site.account}/apikeys").text


# -- approvals


def capped_key(site: Site, **metadata: str) -> tuple[Key, str]:
    return site.core.database.write(
        lambda tx: site.core.authority.create(
            tx, Scope(site.account, False), "restricted", actor=SYSTEM, now=site.now, name="Support agent",
            permissions=["payment_intent_write"], metadata=metadata,
        )
    )  # fmt: skip


def pay(site: Site, key: str) -> Any:
    """Make a payment, always the same call."""
    headers = {"Idempotency-Key": "once"}
    return site.api.send("POST", "/v1/payment_intents", key=key, body=b"amount=9000&currency=usd", headers=headers)


def waiting(site: Site) -> tuple[str, str]:
    """Make a call above a cap. Returns the id of its approval, and the key."""
    _, key = capped_key(site, cap_amount="usd:5000", cap_exceeded="ask")
    assert pay(site, key).error["code"] == "approval_required"
    (one,) = read(site, lambda tx: spending.approvals(tx, Scope(site.account, False), state="pending"))
    return one.id, key


def test_a_call_above_a_cap_is_listed_and_sent_once_a_person_approves_it(site: Site, there: There) -> None:
    person = site.person("developer")
    dev = site.browser().sign_in(person.email)
    id, key = waiting(site)
    page = dev.get(url(site, "/upstream")).text
    for said in (id, "Support agent", "POST /v1/payment_intents", "$90.00 USD", "Largest payment or refund"):
        assert said in page
    assert "$90.00 USD" in dev.post(url(site, f"/upstream/approvals/{id}/approve")).text
    assert pay(site, key).status == 403
    assert dev.sure(url(site, f"/upstream/approvals/{id}/approve")).status == 303
    decided = read(site, lambda tx: spending.approval(tx, Scope(site.account, False), id))
    assert (decided.state, decided.decided_by) == ("approved", f"user:{person.id}")
    assert (log(site)[0].action, log(site)[0].about) == ("upstream_call_approved", id)
    assert pay(site, key).status == 200
    assert len(there.got) == 1
    assert id not in dev.get(url(site, "/upstream")).text


def test_a_call_that_is_refused_stays_refused(site: Site, dev: Browser, there: There) -> None:
    id, key = waiting(site)
    assert dev.sure(url(site, f"/upstream/approvals/{id}/refuse")).status == 303
    late = dev.sure(url(site, f"/upstream/approvals/{id}/approve"))
    assert late.status == 303
    assert read(site, lambda tx: spending.approval(tx, Scope(site.account, False), id)).state == "refused"
    assert pay(site, key).status == 403
    assert there.got == []


# -- keys


def test_the_caps_of_a_key_are_said_in_words(site: Site, dev: Browser) -> None:
    key, _ = capped_key(
        site, cap_amount="usd:5000 jpy:700", cap_refunded_a_day="eur:20000", cap_currencies="usd jpy eur",
        cap_accounts="self acct_1", cap_group="agents", cap_exceeded="ask", dry_run="true",
    )  # fmt: skip
    page = dev.get(url(site, f"/apikeys/{key.id}")).text
    for said in (
        "¥700 JPY, $50.00 USD", "€200.00 EUR", "EUR, JPY, USD", "acct_1, the upstream account itself",
        "all keys of the group agents", "A person is asked", "Nothing that writes is sent",
    ):  # fmt: skip
        assert said in page
    plain, _ = capped_key(site, team="billing")
    assert 'id="caps"' not in dev.get(url(site, f"/apikeys/{plain.id}")).text


def test_the_permission_editor_tells_what_needs_an_upstream_account(site: Site, dev: Browser) -> None:
    page = dev.get(url(site, "/apikeys/create")).text
    row = re.search(r'<span id="l-(treasury_transaction)">.*?</span>', page, re.S)
    assert row
    assert "upstream only" in row[0]
    charge = re.search(r'<span id="l-charge">.*?</span>', page, re.S)
    assert charge
    assert "upstream only" not in charge[0]


def test_permissions_of_the_same_name_are_told_apart_on_a_keys_page(site: Site, dev: Browser) -> None:
    site.api.restricted("treasury_transaction_read", "financial_connections_transaction_read", "refund_read")
    key = read(site, lambda tx: site.core.authority.list(tx, Scope(site.account, False), kind="restricted")[0])
    page = dev.get(url(site, f"/apikeys/{key.id}")).text
    for said in ("Treasury: Transactions Read", "Financial Connections: Transactions Read", ">Refunds Read"):
        assert said in page
