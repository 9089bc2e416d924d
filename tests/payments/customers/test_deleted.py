"""Where a deleted customer may still be named: every operation that takes a customer, from the server's catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.payments.subscriptions.steps import clocked, plan, subscribe
from tests.support.api import Answer, Api
from tests.support.recipes import CannotMake, Maker, Planned, name_of
from tollkey.wire import Endpoint
from tools.make_operations import Operations, operation_name, read_by_handlers

#: Reads that are about the customer itself. Lists only filter by it, and answer what there was of a deleted one.
ABOUT = {
    "GET /v1/billing/credit_balance_summary",
    "GET /v1/billing/meters/{}/event_summaries",
    "GET /v1/entitlements/active_entitlements",
    "GET /v1/invoices/upcoming",
    "GET /v1/invoices/upcoming/lines",
    "GET /v1/payment_methods",
}
#: Operations whose parameter ``customer`` is not asked for with the parameters of their recipe, and why.
UNREAD = {
    "POST /v1/payment_methods": "it names the customer of the method that a connected account copies",
    "POST /v1/quotes/{}": "the customer of a quote stays",
    "POST /v1/sources": "it names the customer of the source that a connected account copies",
    "POST /v1/subscription_schedules": "the schedule is made from a subscription",
    "POST /v1/tokens": "it names the customer of the card that a connected account copies",
}


class Stage:
    """A merchant with a deleted customer."""

    def __init__(self, api: Api) -> None:
        self.api, self.maker = api, Maker(api)
        self.gone: str = api.ok("post", "/v1/customers", email="gone@example.com")["id"]
        api.ok("delete", f"/v1/customers/{self.gone}")

    def planned(self) -> Iterator[tuple[Endpoint, Planned]]:
        """A call of each endpoint that names a customer in its path or its parameters."""
        known = Operations(read_by_handlers()).parameters()
        for resource in self.api.core.catalogue.resources:
            for endpoint in resource.endpoints:
                takes = "customer" in known.get(operation_name(endpoint.method, endpoint.path), ())
                if not endpoint.public and (takes or "{customer}" in endpoint.path):
                    try:
                        yield endpoint, self.maker.plan(endpoint, resource)
                    except CannotMake as reason:
                        raise AssertionError(f"{name_of(endpoint)} cannot be called") from reason

    def call(self, endpoint: Endpoint, planned: Planned) -> Answer:
        """Call an endpoint about the deleted customer."""
        send = getattr(self.api.for_endpoint(endpoint), endpoint.method.lower())
        path, params = planned.path, dict(planned.params)
        if "{customer}" in endpoint.path:
            whose = path.split("/")[endpoint.path.split("/").index("{customer}")]
            path = path.replace(whose, self.gone)
        else:
            params["customer"] = self.gone
        answer: Answer = send(path, **params)
        return answer


@pytest.fixture
def stage(api: Api) -> Stage:
    return Stage(api)


def _expected(endpoint: Endpoint) -> int | None:
    """The status of a call about a deleted customer; None for one that does not ask for it."""
    name = name_of(endpoint)
    if name in UNREAD:
        return None
    if "{customer}" in endpoint.path:
        return 200 if name == "GET /v1/customers/{}" else 404
    return 200 if endpoint.method == "GET" and name not in ABOUT else 400


def test_a_deleted_customer_is_read_and_listed_by_and_takes_part_in_nothing_else(stage: Stage) -> None:
    wrong, seen = [], set()
    for endpoint, planned in stage.planned():
        expected, name = _expected(endpoint), name_of(endpoint)
        seen.add(name)
        if expected is None:
            continue
        answer = stage.call(endpoint, planned)
        error = answer.get("error", {})
        right = answer.status == expected and (expected == 200 or error["code"] == "resource_missing")
        if name == "POST /v1/subscriptions":  # recorded
            right = answer.status == 404 and error["code"] == "resource_missing"
        if expected == 400:
            right = right and (error["param"], error["message"]) == ("customer", f"No such customer: '{stage.gone}'")
        if not right:
            wrong.append(f"{name}: {answer.status} {error.get('param')} {error.get('message')}")
    assert wrong == []
    assert seen >= ABOUT | UNREAD.keys()


def test_a_deleted_customer_gets_no_schedule_and_no_quote(stage: Stage) -> None:
    api = stage.api
    phases = [{"items": [{"price": plan(api)}], "duration": {"interval": "month"}}]
    draft = api.ok("post", "/v1/quotes", line_items=[{"price": plan(api)}])["id"]
    for path, params in (
        ("/v1/subscription_schedules", {"start_date": "now", "phases": phases}),
        (f"/v1/quotes/{draft}", {}),
    ):
        refused = api.post(path, **params, customer=stage.gone)
        assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "resource_missing", "customer")


def test_what_a_customer_had_stays_and_is_not_billed_any_more(api: Api) -> None:
    _, who = clocked(api)
    sub = subscribe(api, who, plan(api))
    draft = api.ok("post", "/v1/invoices", customer=who)["id"]
    api.ok("post", "/v1/invoiceitems", customer=who, invoice=draft, amount=1000, currency="usd")
    api.ok("delete", f"/v1/customers/{who}")
    assert api.get(f"/v1/subscriptions/{sub['id']}")["status"] == "canceled"
    assert [one["status"] for one in api.get("/v1/invoices", customer=who)["data"]] == ["draft", "paid"]
    assert len(api.get("/v1/charges", customer=who)["data"]) == 1
    assert api.get(f"/v1/invoices/{draft}", expand=["customer"])["customer"]["deleted"] is True
    for path in ("finalize", "pay"):
        assert api.post(f"/v1/invoices/{draft}/{path}").error["message"] == f"No such customer: '{who}'"


def test_what_waits_for_a_deleted_customer_names_it_when_it_is_to_go_on(api: Api) -> None:
    who = clocked(api)[1]
    quote = api.ok("post", "/v1/quotes", customer=who, line_items=[{"price": plan(api)}])["id"]
    item = api.ok("post", "/v1/invoiceitems", customer=who, amount=500, currency="usd")["id"]
    invoice = api.ok("post", "/v1/invoices", customer=who, pending_invoice_items_behavior="exclude")["id"]
    line = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Tea"}}, "quantity": 1}
    pay = {"mode": "payment", "success_url": "https://a.example", "line_items": [line]}
    session = api.ok("post", "/v1/checkout/sessions", customer=who, **pay)["id"]
    credit = api.ok("post", f"/v1/customers/{who}/balance_transactions", amount=-5, currency="usd")["id"]
    api.ok("delete", f"/v1/customers/{who}")
    for path, params in (
        (f"/v1/quotes/{quote}/finalize", {}),
        (f"/v1/invoiceitems/{item}", {"amount": 600}),
        (f"/v1/invoices/{invoice}/finalize", {}),
        (f"/v1/payment_pages/{session}/confirm", {"payment_method": "pm_card_visa"}),
    ):
        code, param, message = api.post(path, **params).refusal[1:]
        assert (path, code, param, message) == (path, "resource_missing", "customer", f"No such customer: '{who}'")
    of_credit = f"/v1/customers/{who}/balance_transactions/{credit}"
    assert [api.get(of_credit).status, api.post(of_credit, metadata={"a": "1"}).status] == [404, 404]
