"""What a client key may send: each parameter of each endpoint it may call has a decision, and each expansion leads to
what it may see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import tollkey.payments
import tollkey.platform
from tests.support.api import Answer, Api
from tests.support.recipes import Maker, name_of
from tollkey.core import gather
from tollkey.wire import ApiError, Endpoint, P, Resource
from tollkey.wire._check import Object
from tollkey.wire.access import Access, Names, names_of, objects_of, publishable_access, undecided
from tollkey.wire.params import decode_form, operation_params
from tollkey.wire.resource import Catalogue
from tollkey.wire.shapes import expand_targets

CATALOGUE = Catalogue(gather(tollkey.platform, tollkey.payments))
KINDS = ("publishable", "ephemeral")
VERSIONS = ("2011-01-01", "2020-03-02", "2020-08-27", "2026-10-28.endive")


def open_to(kind: str) -> Iterator[tuple[Resource, Endpoint, Access]]:
    """Every endpoint that such a key may call."""
    for resource in CATALOGUE.resources:
        for endpoint in resource.endpoints:
            access = endpoint.access_of(kind)
            if access is not None:
                yield resource, endpoint, access


# -- the table


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_of_every_endpoint_has_a_decision(kind: str) -> None:
    missing = {
        f"{kind} {name_of(endpoint)}": undecided(access, endpoint.schema) for _, endpoint, access in open_to(kind)
    }
    assert {name: left for name, left in missing.items() if left} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_that_is_taken_or_refused_is_one_that_the_endpoint_has(kind: str) -> None:
    for _, endpoint, access in open_to(kind):
        access.taken(endpoint.schema)
        assert list(strays(names_of(access.refuses), [endpoint.schema])) == [], name_of(endpoint)


def strays(names: Names, records: list[Object], path: str = "") -> Iterator[str]:
    """The names that none of the objects has a field of, at any depth."""
    for name, named in names.items():
        nodes = [record.fields[name] for record in records if name in record.fields]
        if not nodes:
            yield path + name
        yield from strays(named.fields or {}, [inner for node in nodes for inner in objects_of(node)], f"{path}{name}.")


@pytest.mark.parametrize("kind", KINDS)
def test_every_path_that_may_be_expanded_leads_to_objects_with_a_shape_for_such_keys(kind: str) -> None:
    wrong = []
    for resource, endpoint, access in open_to(kind):
        for path in access.expands:
            names = path.split(".")
            for depth in range(1, len(names) + 1):
                part = ".".join(names[:depth])
                targets = expand_targets(resource.object, part) or ()
                wrong += [f"{name_of(endpoint)} {part}: {one}" for one in targets if not has_shape(one)]
                if not targets and part not in resource.expands:
                    wrong.append(f"{name_of(endpoint)} {part}: nothing to expand")
    assert wrong == []


def has_shape(object: str) -> bool:
    """Whether client keys see such objects in a restricted shape."""
    known = CATALOGUE.by_object.get(object)
    return known is None or known.client_view is not None


#: Names of parameters that name another object, say how much, or how long a payment method may be used.
SENSITIVE = re.compile(
    r"(^|_)(token|source|customer|account|charge|intent|mandate|price|product|coupon|promotion_code|subscription|invoice|payment_method"
    r"|destination|on_behalf_of|configuration)$|amount|balance|discount|fee|capture|usage|metadata"
)
#: What such keys may send of that kind, each with a reason: by end of the path.
REVIEWED = {
    "publishable": {
        "token": "what was typed in, under an id that only its maker knows",
        "confirmation_token": "the same",
        "cvc_token": "the same",
        "payment_method": "must be the intent's customer's, or nobody's (tests/payments/test_client_keys.py)",
        "promotion_code": "if the session takes codes (tests/payments/checkout/test_elements.py)",
        "save_payment_method": "only if the session offers that (tests/payments/checkout/test_payment_pages.py)",
        "source": "the same, on older intents",
        "metadata": "of a new payment method, source or person, which Stripe.js documents",
        "amounts": "the deposits that the customer saw, to be compared",
        "expected_amount": "what the page shows, to be compared",
        "setup_future_usage": "may only rise (tests/payments/intents/test_client_secrets.py)",
        "amount": "of a new source, which is charged by the server",
        "items.amount": "of a source's order, shown and not charged",
        "usage": "of a new source",
        "set_as_default_payment_method": "a customer session grants it (tests/payments/intents/test_defaults.py)",
        "deferred_intent.capture_method": "asks which types would do; nothing is made",
        "deferred_intent.on_behalf_of": "the same",
    },
    "ephemeral": {
        "customer": "the key's own; of others nothing exists (tests/payments/test_client_keys.py)",
        "default_source": "must be the key's customer's",
        "source": "a token, or a source of nobody",
        "setup_future_usage": "of a token, which the server confirms with",
        "set_as_default_payment_method": "a customer session grants it (tests/payments/intents/test_defaults.py)",
        "payment_method": "must be the key's customer's (tests/payments/customers/test_default_methods.py)",
    },
}


def values_in(record: Object, path: str = "") -> Iterator[str]:
    """The path of each parameter that takes a value or anything."""
    for name, node in record.fields.items():
        inner = list(objects_of(node))
        if not inner:
            yield path + name
        for one in inner:
            yield from values_in(one, f"{path}{name}.")


@pytest.mark.parametrize("kind", KINDS)
def test_what_names_another_object_or_an_amount_is_taken_for_a_reason(kind: str) -> None:
    sensitive = {
        path
        for _, endpoint, access in open_to(kind)
        for path in values_in(access.taken(endpoint.schema))
        if SENSITIVE.search(path.rpartition(".")[2])
    }
    known = tuple(REVIEWED[kind])
    unknown = {path for path in sensitive if not any(path == end or path.endswith(f".{end}") for end in known)}
    assert unknown == set()
    assert {end for end in known if not any(path == end or path.endswith(f".{end}") for path in sensitive)} == set()


# -- the same, by calling


class Held:
    """An object of each endpoint that a client key may call, with what such a key has to know of it."""

    def __init__(self, api: Api) -> None:
        self.api, self.maker = api, Maker(api)
        self.customer = api.ok("POST", "/v1/customers", email="me@example.com", metadata={"a": "b"}, source="tok_visa")[
            "id"
        ]
        method = api.ok("POST", "/v1/payment_methods", type="card", card={"token": "tok_visa"}, metadata={"a": "b"})[
            "id"
        ]
        self.method = api.ok("POST", f"/v1/payment_methods/{method}/attach", customer=self.customer)["id"]
        made = api.ok("POST", "/v1/ephemeral_keys", customer=self.customer, headers={"Stripe-Version": "2024-06-20"})
        self.keys = {"publishable": api.pk, "ephemeral": made["secret"]}

    def path(self, endpoint: Endpoint) -> tuple[str, dict[str, Any]]:
        """The path of an object of this endpoint's, and its client secret where it has one."""
        api, path = self.api, endpoint.path
        secret: dict[str, Any] = {}
        if "{intent}" in path:
            kind = path.split("/")[2]
            amount = {"amount": 500, "currency": "usd"} if kind == "payment_intents" else {}
            made = api.ok(
                "POST", f"/v1/{kind}", customer=self.customer, payment_method=self.method, metadata={"a": "b"}, **amount
            )
            path, secret = path.replace("{intent}", made["id"]), {"client_secret": made["client_secret"]}
        if "{source}" in path:
            made = api.ok("POST", "/v1/sources", type="card", token="tok_visa", metadata={"a": "b"})
            path, secret = path.replace("{source}", made["id"]), {"client_secret": made["client_secret"]}
        if "{token}" in path:
            path = path.replace("{token}", api.ok("POST", "/v1/tokens", card=CARD["card"])["id"])
        if "{session}" in path:
            path = path.replace("{session}", self.maker.make("checkout.session")["id"])
        if "{id}" in path:
            token = "btok_us" if "bank_accounts" in path else "tok_visa"
            path = path.replace("{id}", api.ok("POST", f"/v1/customers/{self.customer}/sources", source=token)["id"])
        return path.replace("{customer}", self.customer).replace("{payment_method}", self.method), secret

    def call(self, kind: str, endpoint: Endpoint, version: str, **params: Any) -> Answer:
        """One call of the endpoint with that kind of key."""
        path, secret = self.path(endpoint)
        given = {**secret, **PARAMS.get(name_of(endpoint), {}), **params}
        if endpoint.path.endswith("/attach"):
            given["customer"] = self.customer
        if kind == "ephemeral" and endpoint.path == "/v1/confirmation_tokens":
            given = {"payment_method": self.method, **params}
        if endpoint.path.startswith("/v1/elements/payment_methods/"):
            enabled = {"enabled": True, "features": {"payment_method_remove": "enabled"}}
            made = self.api.ok(
                "POST", "/v1/customer_sessions", customer=self.customer, components={"customer_sheet": enabled}
            )
            given["customer_session_client_secret"] = made["client_secret"]
        send = {"GET": self.api.get, "POST": self.api.post, "DELETE": self.api.delete}[endpoint.method]
        return send(path, key=self.keys[kind], headers={"Stripe-Version": version}, **given)


#: Fields that no answer to such a key has. An app tells its customer's cards apart by their fingerprints.
HIDDEN = {"publishable": ("metadata", "fingerprint"), "ephemeral": ("metadata",)}
CARD = {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}}
PARAMS: dict[str, dict[str, Any]] = {
    "POST /v1/payment_methods": {**CARD, "metadata": {"a": "b"}},
    "POST /v1/tokens": {"card": CARD["card"]},
    "POST /v1/sources": {**CARD, "metadata": {"a": "b"}},
    "POST /v1/confirmation_tokens": {"payment_method_data": {**CARD, "metadata": {"a": "b"}}},
    "POST /v1/payment_pages/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/payment_intents/{}/confirm": {"return_url": "https://example.com"},
    "POST /v1/setup_intents/{}/confirm": {"return_url": "https://example.com"},
    "POST /v1/customers/{}": {"shipping": {"name": "Me", "address": {"line1": "1 Main Street"}}},
    "POST /v1/elements/customers/{}/set_default_payment_method": {"payment_method": ""},
    "POST /v1/payment_methods/{}": {"card": {"exp_year": 2040}},
    "POST /v1/customers/{}/sources": {"source": "tok_visa"},
    "POST /v1/customers/{}/cards": {"source": "tok_visa"},
    "POST /v1/customers/{}/bank_accounts": {"source": "btok_us"},
}


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside an answer, and the answer itself."""
    if isinstance(value, dict):
        if isinstance(value.get("object"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from objects_in(item)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_no_answer_holds_an_object_that_such_a_key_may_not_see(api: Api, kind: str, version: str) -> None:
    held, wrong, good = Held(api), [], 0
    for _, endpoint, access in open_to(kind):
        for expand in ([], list(access.expands)):
            answer = held.call(kind, endpoint, version, **({"expand": expand} if expand else {}))
            good += answer.status == 200
            if answer.status >= 500 or (expand and answer.status != 200 and "verify" not in endpoint.path):
                wrong.append(f"{name_of(endpoint)}: {answer}")
            wrong += [
                f"{name_of(endpoint)} {expand}: {one['object']}"
                for one in objects_in(answer)
                if not has_shape(one["object"])
            ]
            wrong += [f"{name_of(endpoint)}: {name}" for name in HIDDEN[kind] if f'"{name}"'.encode() in answer.body]
    assert wrong == []
    assert good > 10


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_is_refused_as_unknown_before_anything_is_done(api: Api, kind: str) -> None:
    held, wrong = Held(api), []
    for _, endpoint, access in open_to(kind):
        if endpoint.method == "DELETE":
            continue
        for name in names_of(access.refuses):
            if name in names_of(access.takes):
                continue
            answer = held.call(kind, endpoint, VERSIONS[-1], **{name: "x"})
            told = answer.get("error", {})
            if (answer.status, told.get("code"), told.get("param")) != (400, "parameter_unknown", name):
                wrong.append(f"{name_of(endpoint)} {name}: {answer.status} {answer.get('error')}")
    assert wrong == []


# -- the notation


SCHEMA = P.object(
    name=P.string(), owner=P.nested(email=P.string(), secret=P.string()), card=P.any(), metadata=P.metadata(),
    lines=P.array(P.nested(price=P.string(), amount=P.integer())), required=["name"],
)  # fmt: skip
ACCESS = publishable_access(
    "name owner{email} card{number} lines{price}", ignores="noise owner{colour}", refuses="owner metadata lines"
)


def refusal(raw: dict[str, Any], access: Access = ACCESS) -> tuple[str | None, str | None, str]:
    with pytest.raises(ApiError) as caught:
        access.read(SCHEMA, raw)
    return caught.value.code, caught.value.param, caught.value.message


def test_what_is_taken_is_read_as_the_endpoint_reads_it() -> None:
    raw = {"name": "a", "owner": {"email": "b"}, "card": {"number": "4242"}, "lines": {"0": {"price": "p"}}}
    assert ACCESS.read(SCHEMA, raw) == {**raw, "lines": [{"price": "p"}]}


def test_what_is_ignored_is_left_out_at_its_own_place() -> None:
    raw = {"name": "a", "noise": {"x": "y"}, "owner": {"email": "b", "colour": "red", "guid": "NA"}, "muid": "NA"}
    assert ACCESS.read(SCHEMA, raw) == {"name": "a", "owner": {"email": "b"}}
    assert refusal({"name": "a", "colour": "red"})[0] == "parameter_unknown"


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"owner": {"secret": "x"}}, "owner[secret]"),
        ({"lines": {"0": {"amount": "1"}}}, "lines[0][amount]"),
        ({"card": {"token": "tok_1"}}, "card[token]"),
    ],
)
def test_what_is_refused_is_unknown_and_nothing_else_is_suggested(raw: dict[str, Any], param: str) -> None:
    assert refusal({"name": "a", **raw}) == ("parameter_unknown", param, f"Received unknown parameter: {param}")


def test_a_value_where_only_an_object_is_taken_is_wrong() -> None:
    assert refusal({"name": "a", "card": "card_1"})[1] == "card"
    assert refusal({"name": "a", "card": {"number": {"a": "b"}}})[1] == "card[number]"


def test_a_parameter_that_is_added_has_no_decision_and_is_refused() -> None:
    wider = SCHEMA.extended({"amount": P.integer(), "card": P.nested(number=P.string(), cvc=P.string())})
    access = publishable_access("name owner{email} card{number} lines{price}", refuses="metadata")
    assert undecided(access, wider) == ["owner.secret", "card.cvc", "lines.amount", "amount"]
    with pytest.raises(ApiError) as caught:
        access.read(wider, {"name": "a", "amount": "5"})
    assert caught.value.code == "parameter_unknown"


def test_an_id_beside_an_object_needs_a_decision_of_its_own() -> None:
    schema = operation_params("POST", "/v1/tokens")
    assert "card" in undecided(Access(takes="card{number}"), schema)
    assert "card" not in undecided(Access(takes="card{number}", refuses="card"), schema)


@pytest.mark.parametrize("text", ["a{b", "a}", "{a}", "a{b}}", "a-b"])
def test_a_notation_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"brace|not a list"):
        names_of(text)


def test_a_name_that_the_endpoint_does_not_have_is_an_error() -> None:
    for takes in ("wrong", "name owner{wrong}", "name metadata{a}", "owner{email}"):
        with pytest.raises(ValueError, match=r"not parameters|has no|is not what|required"):
            Access(takes=takes).taken(SCHEMA)


def test_a_resource_without_a_shape_for_client_keys_cannot_be_opened_to_them() -> None:
    from tollkey.keys import Permission

    endpoint = Endpoint(
        "GET", "/v1/things/{thing}", lambda call, params: {}, params=P.object(), publishable=publishable_access()
    )
    with pytest.raises(ValueError, match="client_view"):
        Catalogue((Resource(object="thing", permission=Permission("thing", "Things"), endpoints=(endpoint,)),))


def test_what_browser_clients_add_is_taken_from_them_only() -> None:
    body = (
        b"type=card&card[token]=tok_1&guid=NA&muid=NA&sid=NA&payment_user_agent=stripe.js&time_on_page=5&pasted_fields=number&referrer=x"
        b"&key=pk"
    )
    access = next(
        access for _, endpoint, access in open_to("publishable") if name_of(endpoint) == "POST /v1/payment_methods"
    )
    schema = operation_params("POST", "/v1/payment_methods")
    assert access.read(schema, decode_form(body)) == {"type": "card", "card": {"token": "tok_1"}}
    assert access.read(schema, decode_form(b"type=card&metadata[key]=1&key=pk")) == {
        "type": "card",
        "metadata": {"key": "1"},
    }
