"""Bad input: never a 500, never an exception, always the wire's own form. Seeded, so each run tries the same."""

from __future__ import annotations

import json
import os
import random
import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.api import Api, World, form
from tests.support.odd_values import odd_value, with_value
from tests.support.parameters import parameters_of
from tests.support.recipes import CannotMake, Maker
from tollkey.wire import Endpoint
from tollkey.wire.messages import Request
from tollkey.wire.params import FormError, decode_form, decode_json, operation_params

FEW = settings(
    max_examples=150, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

SEED = int(os.environ.get("TOLLKEY_FUZZ_SEED", "20260527"))
TRIES = int(os.environ.get("TOLLKEY_FUZZ_TRIES", "6"))  # for each endpoint; more by hand
ODDITIES = [
    "", " ", "0", "-1", "1", "true", "null", "NaN", "1e999", "9" * 25, "-9223372036854775809",
    "\u202e", "é" * 20, "'; DROP TABLE x;--", "%00",
    "[]", "{}", "[", "]", "a[b]", "cus_nothing", "pi_1", "acct_1", "pm_card_visa", "tok_visa", "usd", "xxx",
    "\U0001f4a9",
    "a" * 600, "2147483648",
    "..", "../../etc/passwd", "now", "card", "0.1", "100", "999999999999",
]  # fmt: skip
ODD = st.sampled_from(ODDITIES)
TEXT = st.one_of(ODD, st.text(max_size=30))
KNOWN_NAMES = [
        "amount", "currency", "customer", "metadata", "metadata[a]", "expand", "expand[]", "expand[0]", "limit",
        "starting_after",
        "ending_before", "created", "created[gte]", "created[x]", "type", "card", "card[number]", 
    "items", "items[0][price]", "items[][price]",
        "items[1]", "payment_method", "source", "email", "address[line1]", "address", "shipping[address][city]",
        "frozen_time",
    "query", "a[b][c]",
        "line_items[0][price_data][currency]", "off_session", "confirm", "url", "enabled_events[]", "permissions[]",
        "key",
    "ip_allowlist[]",
]  # fmt: skip
NAMES = st.one_of(st.sampled_from(KNOWN_NAMES), st.text(alphabet="abz[]_.0", min_size=1, max_size=12))
PAIRS = st.lists(st.tuples(NAMES, TEXT), max_size=8)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4),
    st.dictionaries(NAMES, inner, max_size=4)), max_leaves=12)  # fmt: skip


@pytest.fixture(scope="module")
def api(sqlite_world: World) -> Api:
    return Api(sqlite_world)


def ask(
    api: Api,
    method: str,
    path: str,
    query: bytes = b"",
    body: bytes = b"",
    kind: str = "application/x-www-form-urlencoded",
    **more: str,
) -> int:
    """Send it, and judge the form of the answer. Returns the status."""
    headers = {"authorization": f"Bearer {api.sk}", "content-type": kind, **more}
    response = api.world.runner.run(
        api.world.server.service.answer(Request(method, path, query, headers, body, "127.0.0.1"))
    )
    said = f"{method} {path} ?{query!r} {body!r}: {response.status} {response.body[:300]!r}"
    assert response.status in (200, 302, 303, 400, 401, 402, 403, 404, 409, 410, 413, 429), said
    if response.status >= 400 and response.content_type == "application/json" and not path.startswith("/oauth"):
        error = json.loads(response.body)["error"]
        if not (path.startswith("/v2/") and error.get("code") == "invalid_fields"):
            assert error["type"] in ("card_error", "idempotency_error", "invalid_request_error"), said
        assert isinstance(error["message"], str), said
        assert error["message"], said
    for value in response.headers.values():
        assert "\n" not in value, said
        assert "\r" not in value, said
    return response.status


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_as_a_form_are_answered(api: Api, body: bytes) -> None:
    ask(api, "POST", "/v1/customers", body=body)
    ask(api, "GET", "/v1/customers", query=body)


@FEW
@given(st.binary(max_size=120))
def test_the_decoders_raise_nothing_but_their_own_error(body: bytes) -> None:
    for decode in (decode_form, decode_json):
        with suppress(FormError):
            assert isinstance(decode(body), dict)


@FEW
@given(JSON)
def test_any_json_is_answered_without_an_internal_error(api: Api, value: Any) -> None:
    ask(api, "POST", "/v1/customers", body=json.dumps(value).encode(), kind="application/json")
    ask(
        api,
        "POST",
        "/v1/charges",
        body=json.dumps({"amount": value, "currency": "usd"}).encode(),
        kind="application/json",
    )


@FEW
@given(PAIRS)
def test_any_form_of_known_and_unknown_names_is_answered(api: Api, pairs: list[tuple[str, str]]) -> None:
    body = urlencode(pairs).encode()
    for path in ("/v1/customers", "/v1/charges", "/v1/webhook_endpoints", "/v1/api_keys"):
        ask(api, "POST", path, body=body)


@FEW
@given(
    st.one_of(
        st.binary(max_size=60).map(lambda b: b.decode("latin-1")), st.text(alphabet="BearsicBN =:_skt0\t", max_size=40)
    )
)
def test_any_authorization_header_is_answered_401(api: Api, value: str) -> None:
    headers = {"authorization": value}
    response = api.world.runner.run(
        api.world.server.service.answer(Request("GET", "/v1/customers", b"", headers, b"", "127.0.0.1"))
    )
    assert response.status == 401
    assert json.loads(response.body)["error"]["type"] == "invalid_request_error"


@FEW
@given(st.dictionaries(st.sampled_from([
    "stripe-version", "stripe-account", "idempotency-key", "content-type", "user-agent", "accept", "x-forwarded-for",
    "origin",
]), st.one_of(ODD, st.binary(max_size=40).map(lambda b: b.decode("latin-1")))))  # fmt: skip
def test_any_other_header_is_answered_without_an_internal_error(api: Api, headers: dict[str, str]) -> None:
    kind = headers.pop("content-type", "application/x-www-form-urlencoded")
    ask(api, "POST", "/v1/customers", body=b"email=a@example.com", kind=kind, **headers)


@FEW
@given(st.one_of(
    st.text(max_size=40).map(lambda t: "/v1/" + quote(t, safe="/%")),
    st.lists(st.sampled_from(["", "v1", "customers", "charges", "%2F", "..", "%00", "search", "cus_1", "%", "%ff",
    "a+b", "{customer}"]),
             max_size=7).map(lambda parts: "/" + "/".join(parts)),
), st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "BREW"]))  # fmt: skip
def test_any_path_and_method_is_answered(api: Api, path: str, method: str) -> None:
    ask(api, method, path)


# -- every endpoint, from one seed


def odd(chance: random.Random) -> str:
    return chance.choice([*ODDITIES, "".join(chance.choice("ab_-0 é%&=[]") for _ in range(chance.randrange(12)))])


def mutated(chance: random.Random, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of a right call, made wrong in one or two places."""
    pairs = list(pairs)
    for _ in range(chance.choice((1, 1, 2))):
        what = chance.randrange(4)
        if pairs and what < 2:
            at = chance.randrange(len(pairs))
            pairs[at] = (pairs[at][0], odd(chance))
        elif pairs and what == 2:
            del pairs[chance.randrange(len(pairs))]
        else:
            pairs.append((chance.choice(KNOWN_NAMES), odd(chance)))
    return pairs


def problem_of(api: Api, caplog: pytest.LogCaptureFixture, method: str, path: str, sent: bytes) -> str | None:
    """What is wrong with the answer to a call, or None."""
    caplog.clear()
    try:
        query, body = (sent, b"") if method == "GET" else (b"", sent)
        if body and path.startswith("/v2/"):
            with suppress(FormError):
                body = json.dumps(decode_form(body)).encode()
            ask(api, method, path, body=body, kind="application/json")
        else:
            ask(api, method, path, query, body)
    except AssertionError as problem:
        cause = next((r.exc_info[1] for r in caplog.records if r.exc_info), None)
        return f"{cause!r} {problem}"[:600]
    return None


def declared(api: Api, endpoint: Endpoint) -> list[str]:
    params = endpoint.params or operation_params(endpoint.method, endpoint.path)
    return list(params.fields)


def test_every_endpoint_survives_odd_parameters(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    chance, wrong = random.Random(SEED), {}
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            names = declared(api, endpoint)
            for _ in range(TRIES):
                picked = chance.sample(names, min(len(names), chance.randrange(5)))
                pairs = [(name + chance.choice(("", "", "", "[a]", "[0]", "[]")), odd(chance)) for name in picked]
                path = re.sub(r"\{\w+\}", lambda _: quote(odd(chance) or "x", safe=""), endpoint.path)
                problem = problem_of(api, caplog, endpoint.method, path, urlencode(pairs).encode())
                if problem:
                    wrong.setdefault(f"{endpoint.method} {endpoint.path}", problem)
    assert wrong == {}


def test_a_right_call_made_wrong_in_one_place_is_answered(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    chance, wrong, maker = random.Random(SEED + 1), {}, Maker(api)
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            if endpoint.public or endpoint.host is not None or endpoint.method == "DELETE":
                continue
            try:
                path, params = maker.plan(endpoint, resource, fresh=False)
            except CannotMake:
                continue
            pairs = form(params)
            for _ in range(TRIES):
                problem = problem_of(api, caplog, endpoint.method, path, urlencode(mutated(chance, pairs)).encode())
                if problem:
                    wrong.setdefault(f"{endpoint.method} {endpoint.path}", problem)
    assert wrong == {}


def test_a_right_call_with_an_odd_value_of_the_right_type_is_answered(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    """At any depth: ``payment_method_options[pay_by_bank]``, a moment in the year 60000, a URL without a host."""
    chance, wrong, maker = random.Random(SEED + 2), {}, Maker(api)
    for resource in api.core.catalogue.resources:
        for endpoint in resource.endpoints:
            if endpoint.public or endpoint.host is not None or endpoint.method != "POST":
                continue
            try:
                path, params = maker.plan(endpoint, resource, fresh=False)
            except CannotMake:
                continue
            places = list(parameters_of(endpoint))
            for place, node in chance.sample(places, min(len(places), 2 * TRIES)):
                value = odd_value(chance, node)
                sent = None if value is None else with_value(params, place, value)
                if sent is None:
                    continue
                problem = problem_of(api, caplog, "POST", path, urlencode(form(sent)).encode())
                if problem:
                    wrong.setdefault(f"POST {endpoint.path} {place} {value!r:.40}", problem)
    assert wrong == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/accounts", b"bank_account%5B%5D=%5D"),
        ("/v1/files", b"expand[a]=1&expand=2"),
        (
            "/v1/checkout/sessions",
            b"mode=payment&success_url=https://example.com&line_items[0][price_data][currency]=usd",
        ),
        ("/v2/billing/meter_events", b"events=%26%5D-%26%3D"),
    ],
)
def test_what_the_fuzz_once_found_stays_answered(api: Api, path: str, body: bytes) -> None:
    assert 400 <= ask(api, "POST", path, body=body) < 500
