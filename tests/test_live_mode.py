"""Live mode pretends nothing: without a provider no endpoint, page or job moves money, verifies anybody or makes
anything active.

The endpoints come from the server's catalogue, their parameters from the recipes: a new endpoint without a recipe fails
here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.dashboard.test_objects import action
from tests.payments.intents.recipes import paid_intent
from tests.payments.invoices.recipes import open_invoice, paid_invoice
from tests.support.api import Answer, Api, World
from tests.support.dashboard import Site
from tests.support.live import Stage, real_card
from tests.support.recipes import CARD, Maker, Visit, name_of
from tollkey.wire import Endpoint

#: What only keeps records and refuses even so, and why.
REFUSES = {
    "POST /v1/account/login_links": "a merchant's own account has no Express Dashboard",
    "POST /v1/api_keys/{}/reveal": "a live key that was shown when it was made is not kept",
    "POST /v1/elements/payment_methods/{}/detach": "its customer session ends while all else is made",
    "POST /oauth/deauthorize": "the recipe names no application",
    "POST /oauth/token": "no authorization code is ever given out",
}


@pytest.fixture(scope="module")
def tested(sqlite_world: World) -> Stage:
    """Test values, as they are written in the documentation."""
    return Stage(sqlite_world, real=False)


@pytest.fixture(scope="module")
def real(sqlite_world: World) -> Stage:
    """Values that could be somebody's."""
    return Stage(sqlite_world, real=True)


def refused_as_declared(answer: Answer, endpoint: Endpoint) -> bool:
    """The answer is the refusal of the provider that the endpoint asks for."""
    live = endpoint.live
    assert live is not None
    if "error" not in answer:
        return False
    if live.test_only:
        return answer.status == 400 and "test mode" in answer.error["message"]
    assert live.capability is not None
    expected = live.capability.refusal()
    code = expected.code or ("invalid_request" if endpoint.path.startswith("/v2/") else None)
    return (answer.status, answer.error.get("code"), answer.error["message"]) == (
        expected.status,
        code,
        expected.message,
    )


def always_refused(endpoint: Endpoint) -> bool:
    live = endpoint.live
    return live is not None and (live.test_only or (live.capability is not None and not live.when))


def called(stage: Stage) -> list[str]:
    """Call everything at the time when it was made; what is wrong."""
    wrong = []
    stage.api.world.clock[0] = stage.began
    for endpoint, planned in stage.calls:
        answer = stage.call(endpoint, planned)
        claims = stage.news()
        if claims:
            wrong.append(f"{name_of(endpoint)} pretends: {answer.status} {claims}")
        if always_refused(endpoint) and not refused_as_declared(answer, endpoint):
            wrong.append(f"{name_of(endpoint)} is not refused as it should be: {answer.status} {answer.get('error')}")
        records = endpoint.live is not None and endpoint.live.capability is None and not endpoint.live.test_only
        if stage.real and records and (answer.status == 200) == (name_of(endpoint) in REFUSES):
            wrong.append(f"{name_of(endpoint)} only keeps records: {answer.status} {answer.get('error')}")
    return wrong


def visited(stage: Stage) -> list[str]:
    """Visit everything; what is wrong."""
    wrong = []
    for endpoint, visit in stage.visits:
        answer = stage.visit(endpoint, visit)
        claims = stage.news()
        if claims:
            wrong.append(f"{name_of(endpoint)} pretends: {answer.status} {claims}")
        if always_refused(endpoint) and not refused_as_declared(answer, endpoint):
            wrong.append(f"{name_of(endpoint)} is not refused as it should be: {answer.status} {answer.body[:300]!r}")
        if answer.status >= 500:
            wrong.append(f"{name_of(endpoint)}: {answer.status}")
    return wrong


def told(wrong: list[str]) -> str:
    return "\n" + "\n".join(wrong)


def test_every_endpoint_and_page_that_writes_is_called(tested: Stage) -> None:
    assert tested.unmade == {}


def test_no_endpoint_pretends_and_no_test_value_has_an_effect(tested: Stage) -> None:
    wrong = called(tested)
    assert not wrong, told(wrong)


def test_no_endpoint_pretends_with_real_values_and_records_are_kept(real: Stage) -> None:
    wrong = called(real)
    assert not wrong, told(wrong)


def test_no_page_without_a_key_pretends(tested: Stage, real: Stage) -> None:
    wrong = visited(tested) + visited(real)
    assert not wrong, told(wrong)


def test_no_scheduled_work_pretends_as_time_goes_by(tested: Stage) -> None:
    for days in (0, 1, 7, 30, 300):
        assert tested.pass_time(days * 86_400 + 60) == []
        wrong = [str(claim) for claim in tested.news()]
        assert not wrong, told(wrong)


SEEN = frozenset({
    "POST /v1/climate/orders", "POST /v1/issuing/cards", "POST /v1/payouts/{}/reverse", "POST /v1/refunds",
    "POST /v1/terminal/readers",
    "POST /v1/customers/{}/sources/{}/verify", "POST /v1/setup_intents/{}/verify_microdeposits",
    "POST /v1/invoices/{}/attach_payment",
})  # fmt: skip


def test_these_tests_would_see_pretence(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every provider said to be there, the simulation answers live calls, and each of these is caught."""
    monkeypatch.setitem(vars(sqlite_world.core.setup), "provided", lambda scope, capability: True)
    wrong = called(Stage(sqlite_world, real=False, only=SEEN))
    assert {text.partition(" pretends")[0] for text in wrong if " pretends: " in text} == SEEN


def _one_of_each(m: Maker) -> dict[str, str]:
    return {
        "held": paid_intent(m, capture_method="manual")["id"],
        "paid": paid_intent(m)["id"],
        "open": open_invoice(m)["id"],
        "paid invoice": paid_invoice(m)["id"],
        "session": m.make("checkout.session")["id"],
    }


def _card(stage: Stage) -> dict[str, object]:
    return {
        "payment_method": stage.live.ok(
            "post", "/v1/payment_methods", type="card", card={**CARD, "number": real_card()}
        )["id"]
    }


#: For each endpoint that asks for a provider in one case only: a call in that case.
CASES: dict[str, Callable[[Stage], Answer]] = {
    "POST /v1/payment_intents": lambda s: s.live.post(
        "/v1/payment_intents",
        amount=2000,
        currency="usd",
        allowed_payment_method_types=["card"],
        confirm=True,
        **_card(s),
    ),
    "POST /v1/payment_intents/{}/cancel": lambda s: s.live.post(f"/v1/payment_intents/{s.made['held']}/cancel"),
    "POST /v1/setup_intents": lambda s: s.live.post(
        "/v1/setup_intents", allowed_payment_method_types=["card"], confirm=True, **_card(s)
    ),
    "POST /v1/credit_notes": lambda s: s.live.post(
        "/v1/credit_notes", invoice=s.made["paid invoice"], amount=100, refund_amount=100
    ),
    "POST /v1/invoices/{}/attach_payment": lambda s: s.live.post(
        f"/v1/invoices/{s.made['open']}/attach_payment", payment_intent=s.made["paid"]
    ),
    "POST /v1/invoices/{}/pay": lambda s: s.live.post(f"/v1/invoices/{s.made['open']}/pay"),
    "POST /v1/payment_pages/{}/confirm": lambda s: s.live.post(
        f"/v1/payment_pages/{s.made['session']}/confirm", **_card(s)
    ),
    "POST /pay/{}": lambda s: s.visit(
        next(
            e
            for r in s.api.core.catalogue.resources
            for e in r.endpoints
            if e.path == "/pay/{token}" and e.method == "POST"
        ),
        Visit(
            s.made["session"],
            {"number": real_card(), "cvc": "123", "expiry": "12 / 34", "email": "jo@example.com", "name": "Jo"},
        ),
    ),
}


def test_what_asks_in_one_case_is_refused_in_that_case(sqlite_world: World) -> None:
    stage = Stage(sqlite_world, real=True, only=frozenset({"none"}), before=_one_of_each)
    asking = {
        name_of(e): e
        for r in stage.api.core.catalogue.resources
        for e in r.endpoints
        if e.live is not None and e.live.when
    }
    assert CASES.keys() == asking.keys()
    for name, case in CASES.items():
        answer = case(stage)
        assert stage.news() == [], name
        if "error" in answer:
            assert refused_as_declared(answer, asking[name]), (name, answer)
        else:  # a page that people read
            assert b"cannot take payments here" in answer.body, (name, answer.body)


def test_a_person_at_the_dashboard_is_refused_as_a_key_is(sqlite_world: World) -> None:
    stage = Stage(sqlite_world, real=False, only=frozenset({"POST /v1/payouts/{}/reverse"}))
    payout = stage.calls[0][1].path.split("/")[3]
    site = Site(stage.api)
    browser = site.browser("administrator")
    form = action(browser, f"/{stage.api.account}/objects/payout/{payout}", "Reverse")
    browser.get(form)
    answer = browser.post(form, {})
    assert answer.status == 422
    assert "no provider for payouts" in answer.text
    assert stage.news() == []


def test_a_live_account_says_that_it_cannot_charge_or_pay_out(api: Api) -> None:
    account = api.get("/v1/account", key=api.live_sk)
    assert (account["charges_enabled"], account["payouts_enabled"], account["details_submitted"]) == (
        False,
        False,
        False,
    )
    assert set(account["capabilities"].values()) == {"inactive"}
    assert set(api.get("/v1/account")["capabilities"].values()) == {"active"}


def test_a_connected_account_that_told_everything_waits_for_somebody_to_check_it(api: Api) -> None:
    person = {
        "first_name": "Jo", "last_name": "Doe", "email": "jo@shop.example.com", "phone": "+14155550123",
        "id_number": "123456788",
        "dob": {"day": 3, "month": 4, "year": 1985},
        "address": {"line1": "1 Main Street", "city": "San Francisco", "state": "CA", "postal_code": "94107"},
    }  # fmt: skip
    bank = {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "account_number": "9412345678",
        "routing_number": "021000021",
    }
    made = api.ok(
        "post", "/v1/accounts", key=api.live_sk, type="custom", country="US", business_type="individual",
        individual=person,
        business_profile={"url": "https://shop.example.com", "mcc": "5734"}, external_account=bank,
        capabilities={"card_payments": {"requested": True}, "transfers": {"requested": True}},
        tos_acceptance={"date": api.now, "ip": "203.0.113.12"},
    )  # fmt: skip
    api.advance(86_400)
    account = api.get(f"/v1/accounts/{made['id']}", key=api.live_sk)
    assert account["requirements"]["currently_due"] == []
    assert account["requirements"]["disabled_reason"] == "requirements.pending_verification"
    assert (account["charges_enabled"], account["payouts_enabled"]) == (False, False)
    assert account["capabilities"] == {"card_payments": "pending", "transfers": "pending"}
    assert account["individual"]["verification"]["status"] == "pending"


#: What a merchant's live mode answers before anything was done in it, and why that is no pretence.
THERE_FROM_THE_START = {
    "/v1/account": "the merchant's own account",
    "/v1/api_keys": "the keys that it was made with",
    "/v1/api_key_audit_entries": "what was done with them",
    "/v1/balance": "nothing in it",
    "/v1/balance_settings": "what its own account shows as well, and nothing set",
    "/v1/country_specs": "facts about countries",
    "/v1/payment_method_configurations": "the default that every account has",
    "/v1/reporting/report_types": "what can be asked for",
    "/v1/tax_codes": "facts about goods and services",
    "/v1/tax/settings": "pending",
}


def test_a_new_merchant_s_live_mode_shows_nothing_that_nobody_provides(api: Api) -> None:
    shown = []
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            if endpoint.method == "GET" and "{" not in endpoint.path and not endpoint.public and endpoint.host is None:
                answer = api.get(endpoint.path, key=api.live_sk)
                if answer.status == 200 and answer.get("data") != []:
                    shown.append(endpoint.path)
    assert sorted(shown) == sorted(THERE_FROM_THE_START)
    assert api.get("/v1/balance", key=api.live_sk)["available"][0]["amount"] == 0
    assert api.get("/v1/climate/products/climsku_frontier_offtake_portfolio_2027", key=api.live_sk).status == 400
