"""Nothing is taken in silence, endpoint by endpoint: unknown parameters, wherever they are sent, and properties that
cannot be expanded.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.api import Api, World
from tests.support.recipes import CannotMake, Maker, name_of
from tests.wire.test_isolation import routes
from tollkey.wire import Endpoint

#: Lists of several kinds, or of what is made for the answer: an empty page has nothing to expand, and nothing to refuse
#: by.
EMPTY_PAGES = {
    "GET /v1/accounts/{}/external_accounts", "GET /v1/accounts/{}/persons", "GET /v1/accounts/{}/people",
    "GET /v1/billing/meters/{}/event_summaries", "GET /v1/credit_notes/preview/lines", "GET /v1/credit_notes/{}/lines",
    "GET /v1/payment_intents/{}/amount_details_line_items", "GET /v1/sources/{}/source_transactions",
    "GET /v1/customers/{}/sources",
    "GET /v1/customers/{}/cards", "GET /v1/customers/{}/bank_accounts",
}  # fmt: skip


@pytest.fixture
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def nowhere(endpoint: Endpoint) -> str:
    return re.sub(r"\{\w+\}", "nothing", endpoint.path)


#: Where a parameter can stand; on a GET too, as in the real system.
PLACES: dict[str, Any] = {
    "query": {"query": "no_such_parameter=1"},
    "body": {"body": b"no_such_parameter=1"},
    "multipart": {
        "headers": {"content-type": "multipart/form-data; boundary=x"},
        "body": b'--x\r\nContent-Disposition: form-data; name="no_such_parameter"\r\n\r\n1\r\n--x--\r\n',
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_every_endpoint_refuses_a_parameter_that_it_does_not_know(api: Api, place: str) -> None:
    wrong = []
    for _, endpoint in routes(api):
        answer = api.for_endpoint(endpoint).send(endpoint.method, nowhere(endpoint), **PLACES[place])
        if (answer.status, answer.error.get("param")) != (400, "no_such_parameter"):
            wrong.append(f"{name_of(endpoint)}: {answer.status} {answer.error['message']}")
    assert wrong == []


@pytest.mark.parametrize("path", ["no_such_property", "data.no_such_property"])
def test_every_endpoint_refuses_to_expand_what_is_not_there(api: Api, path: str) -> None:
    maker, taken, tried = Maker(api), set(), 0
    for resource, endpoint in routes(api):
        try:
            planned = maker.plan(endpoint, resource, fresh=endpoint.method != "GET")
        except CannotMake:
            continue
        answer = getattr(api.for_endpoint(endpoint), endpoint.method.lower())(
            planned.path, **{**planned.params, "expand": [path]}
        )
        tried += 1
        if answer.status == 200:
            taken.add(name_of(endpoint))
    assert tried > 400
    assert taken <= (EMPTY_PAGES if path.startswith("data.") else set())


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_other_methods_are_no_endpoint(api: Api, method: str) -> None:
    customer = api.ok("POST", "/v1/customers")["id"]
    answer = api.send(method, f"/v1/customers/{customer}", body=b"name=x")
    assert (answer.status, answer.error["message"].startswith(f"Unrecognized request URL ({method}: ")) == (404, True)


#: Headers that the real system gives no meaning on such a request -> the request. They are left aside, as HTTP has it
#: (RFC 9110, 5.1).
IDLE = {
    "Idempotency-Key": ("GET", "/v1/customers"),  # reference section 1.8: v1 ignores it on GET and DELETE
    "X-HTTP-Method-Override": ("GET", "/v1/customers"),
    "X-Stripe-Client-User-Agent": ("GET", "/v1/customers"),
    "X-Stripe-Client-Telemetry": ("GET", "/v1/customers"),
    "Accept-Language": ("GET", "/v1/customers"),
}


@pytest.mark.parametrize("header", IDLE)
def test_a_header_without_a_meaning_there_changes_nothing(api: Api, header: str) -> None:
    method, path = IDLE[header]
    plain, with_it = api.send(method, path), api.send(method, path, headers={header: "DELETE"})
    assert (with_it.status, with_it.body) == (plain.status, plain.body)
    assert header.lower() not in with_it.headers


def test_an_idempotency_key_on_a_deletion_gives_no_second_answer(api: Api) -> None:
    customer, once = api.ok("POST", "/v1/customers")["id"], {"Idempotency-Key": "once"}
    assert api.delete(f"/v1/customers/{customer}", headers=once).status == 200
    assert api.delete(f"/v1/customers/{customer}", headers=once).status == 404


@pytest.mark.parametrize("name", ["customer_account", "related_customer_account", "owner"])
def test_no_endpoint_takes_an_account_as_customer_which_no_account_is(api: Api, name: str) -> None:
    account = api.account
    given = {"owner[type]": "customer", "owner[customer_account]": account} if name == "owner" else {name: account}
    asked = []
    for _, endpoint in routes(api):
        taken = endpoint.schema.fields
        if name not in taken or (name == "owner" and "tax_ids" not in endpoint.path):
            continue
        answer = api.for_endpoint(endpoint).send(endpoint.method, nowhere(endpoint), body=urlencode(given).encode())
        if not answer.error["message"].startswith("Missing required param"):  # those are looked at first
            asked.append((name_of(endpoint), answer.status, answer.error["message"].partition(";")[0]))
    refusal = "Accounts of this server have no customer configuration"
    assert [one for one in asked if one[1:] != (400, refusal)] == []
    assert asked
