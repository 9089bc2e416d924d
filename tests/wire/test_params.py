"""Typed parameters: Stripe's texts, codes and paths."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.wire import ApiError, P
from tollkey.wire._check import Object
from tollkey.wire._suggest import suggest
from tollkey.wire.params import check, decode_form, operation_params
from tollkey.wire.spec import operation_facts
from tollkey.wire.spec.legacy import EXTRA, EXTRA_OPERATIONS, REQUIRED
from tollkey.wire.spec.limits import LOWEST, MOST

OWN = P.object(
    kind=P.enum("secret", "restricted"),
    name=P.unset(P.string(max_length=20)),
    livemode=P.boolean(),
    uses=P.integer(1, 9),
    at=P.timestamp(),
    share=P.number(),
    price=P.decimal(),
    permissions=P.array(P.string()),
    limits=P.nested({"ip": P.array(P.string())}, required=["ip"]),
    labels=P.map(P.integer()),
    created=P.range(),
    metadata=P.metadata(),
    anything=P.any(),
    required=["kind"],
)


def read(method: str, path: str, body: bytes) -> dict[str, Any]:
    return check(operation_params(method, path), decode_form(body))


def refused(method: str, path: str, body: bytes) -> tuple[str | None, str | None, str]:
    with pytest.raises(ApiError) as caught:
        read(method, path, body)
    assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
    return caught.value.code, caught.value.param, caught.value.message


def own_refused(**raw: Any) -> tuple[str | None, str | None, str]:
    with pytest.raises(ApiError) as caught:
        check(OWN, {"kind": "secret", **raw})
    return caught.value.code, caught.value.param, caught.value.message


def test_texts_of_a_form_become_typed_values() -> None:
    assert read(
        "post",
        "/v1/checkout/sessions",
        b"mode=payment&line_items[2][quantity]=2&line_items[0][price]=price_1&line_items[10][price]=price_3&expand[]=customer"
        b"&allow_promotion_codes=True&expires_at=1767225600&success_url=https%3A%2F%2Fa.example",
    ) == {
        "mode": "payment",
        "line_items": [{"price": "price_1"}, {"quantity": 2}, {"price": "price_3"}],
        "expand": ["customer"],
        "allow_promotion_codes": True,
        "expires_at": 1767225600,
        "success_url": "https://a.example",
    }


def test_a_json_body_gives_the_same_as_a_form() -> None:
    form = read(
        "POST",
        "/v1/prices",
        b"currency=usd&unit_amount=500&active=false&recurring[interval]=month&recurring[interval_count]=3",
    )
    native = {
        "currency": "usd",
        "unit_amount": 500,
        "active": False,
        "recurring": {"interval": "month", "interval_count": 3},
    }
    assert form == native == check(operation_params("POST", "/v1/prices"), native)


def test_an_empty_text_unsets_what_can_be_unset() -> None:
    assert read("POST", "/v1/customers/{id}", b"name=&shipping=&metadata[a]=&preferred_locales[0]=de") == {
        "name": None,
        "shipping": None,
        "metadata": {"a": ""},
        "preferred_locales": ["de"],
    }
    assert read("POST", "/v1/customers/{id}", b"metadata=") == {"metadata": None}
    assert read("POST", "/v1/accounts/{a}/persons/{p}", b"full_name_aliases[0]=") == {"full_name_aliases": None}


def test_an_empty_text_for_what_cannot_be_unset_is_refused() -> None:
    sentence = (
        "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; however"
        " '{0}' cannot be"
        " unset. You should remove '{0}' from your request or supply a non-empty value."
    )
    for body, name in (
        (b"currency=&amount=1", "currency"),
        (b"currency=usd&amount=", "amount"),
        (b"amount=1&currency=usd&shipping[address]=&shipping[name]=x", "shipping[address]"),
    ):
        assert refused("POST", "/v1/payment_intents", body) == ("parameter_invalid_empty", name, sentence.format(name))


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "param", "message"),
    [
        ("POST", "/v1/customers", b"wat=1", "parameter_unknown", "wat", "Received unknown parameter: wat"),
        ("POST", "/v1/customers", b"wat=1&foo=2", "parameter_unknown", "wat", "Received unknown parameters: wat, foo"),
        (
            "POST", "/v1/customers", b"invoice_settings[nope]=1",
            "parameter_unknown", "invoice_settings[nope]", "Received unknown parameter: invoice_settings[nope]",
        ),
        ("POST", "/v1/charges", b"", "parameter_missing", "amount", "Missing required param: amount."),
        (
            "POST", "/v1/checkout/sessions", b"line_items[0][price_data][unit_amount]=5",
            "parameter_missing", "line_items[0][price_data][currency]",
            "Missing required param: line_items[0][price_data][currency].",
        ),
        ("GET", "/v1/customers", b"limit=abc", "parameter_invalid_integer", "limit", "Invalid integer: abc"),
        ("GET", "/v1/customers", b"limit=0", "parameter_invalid_integer", "limit",
        "This value must be greater than or equal to 1."),
        ("GET", "/v1/customers", b"limit=101", "parameter_invalid_integer", "limit",
        "This value must be less than or equal to 100."),
        ("POST", "/v1/customers", b"email=x", "email_invalid", "email", "Invalid email address: x"),
        ("POST", "/v1/webhook_endpoints", b"url=http:x&enabled_events[]=*", "url_invalid", "url", "Not a valid URL"),
        (
            "POST", "/v1/checkout/sessions", b"success_url=a.example",
            "url_invalid", "success_url", "Invalid URL: An explicit scheme (such as https) must be provided.",
        ),
        (
            "POST", "/v1/payment_intents/{id}/confirm", b"client_secret=x",
            "parameter_unknown", "client_secret", "Received unknown parameter: client_secret",
        ),
        ("POST", "/v1/refunds", b"amount=-9", "parameter_invalid_integer", "amount",
        "This value must be greater than or equal to 1."),
        ("POST", "/v1/customers", b"tax_exempt=maybe", None, "tax_exempt",
        "Invalid tax_exempt: must be one of none, reverse, or exempt"),
        ("POST", "/v1/customers", b"preferred_locales=de", None, "preferred_locales", "Invalid array"),
        ("POST", "/v1/customers", b"shipping=home", None, "shipping", "Invalid object"),
        ("POST", "/v1/prices", b"currency=usd&active=maybe", None, "active", "Invalid boolean: maybe"),
        ("POST", "/v1/prices", b"currency=usd&unit_amount=-1", "parameter_invalid_integer", "unit_amount",
        "Invalid non-negative integer"),
        ("POST", "/v1/checkout/sessions", b"expires_at=soon", None, "expires_at",
        "Invalid timestamp: must be an integer Unix timestamp"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_gets_the_real_sentence(
    method: str, path: str, body: bytes, code: str | None, param: str, message: str
) -> None:
    assert refused(method, path, body) == (code, param, message)


def test_unknown_names_come_before_missing_ones_and_those_before_wrong_values() -> None:
    assert refused("POST", "/v1/charges", b"wat=1&amount=abc")[0] == "parameter_unknown"
    assert refused("POST", "/v1/charges", b"amount=abc")[0] == "parameter_missing"
    assert refused("POST", "/v1/charges", b"amount=abc&currency=usd")[0] == "parameter_invalid_integer"


@pytest.mark.parametrize(
    ("operation", "wrong", "right"),
    [
        ("POST /v1/payment_intents", "paynebt_method_types", "payment_method_types"),
        ("POST /v1/invoices", "payment_method_types", "payment_settings"),
        ("POST /v1/customers", "nam", "name"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(operation: str, wrong: str, right: str) -> None:
    method, path = operation.split()
    assert (
        refused(method, path, f"{wrong}=1".encode())[2] == f"Received unknown parameter: {wrong}. Did you mean {right}?"
    )


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    assert suggest("wat", ["name", "email"]) is None
    assert suggest("trial_period_days", list(operation_params("POST", "/v1/checkout/sessions").fields)) is None


def test_too_long_a_text_is_shown_by_its_ends() -> None:
    text = "a" * 10 + "b" * 4981 + "c" * 10
    assert refused("POST", "/v1/payment_intents", b"amount=1&currency=usd&statement_descriptor=" + b"x" * 23)[
        2
    ].endswith("must be at most 22 characters")
    assert refused("POST", "/v1/customers", f"source={text}".encode()) == (
        None,
        "source",
        "Invalid string: aaaaaaaaaa...cccccccccc; must be at most 5000 characters",
    )


def test_metadata_is_bounded_and_its_values_are_texts() -> None:
    assert check(OWN, {"kind": "secret", "metadata": {"n": 5, "b": True, "z": None}})["metadata"] == {
        "n": "5",
        "b": "true",
        "z": "",
    }
    assert own_refused(metadata={"k" * 41: "v"})[2] == (
        f"Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters."
        f" Invalid key: {'k' * 41}"
    )
    assert own_refused(metadata={"k": "v" * 501})[2] == (
        f"Metadata values can have up to 500 characters, but you passed in a value that is 501 characters."
        f" Invalid value: {'v' * 501}"
    )
    assert (
        own_refused(metadata={str(n): "v" for n in range(52)})[2]
        == "Metadata can have up to 50 keys, but you've set 52"
    )
    assert own_refused(metadata="x") == (None, "metadata", "Invalid object")
    assert own_refused(metadata={"a": {"b": "c"}})[1] == "metadata[a]"


def test_metadata_may_have_numbers_for_keys() -> None:
    assert read("POST", "/v1/customers", b"metadata[5]=x") == {"metadata": {"5": "x"}}


def test_a_schema_made_by_hand_reads_every_kind() -> None:
    raw = {
        "kind": "secret", "name": "", "livemode": "FALSE", "uses": "9", "at": 5, "share": "0.5", "price": 1.25,
        "permissions": {"1": "b", "0": "a"},
        "limits": {"ip": ["10.0.0.1"]}, "labels": {"a": "1"}, "created": {"gte": "3"}, "anything": [1],
        "expand": ["data.x"],
    }  # fmt: skip
    assert check(OWN, raw) == {
        "kind": "secret", "name": None, "livemode": False, "uses": 9, "at": 5, "share": 0.5, "price": "1.25",
        "permissions": ["a", "b"],
        "limits": {"ip": ["10.0.0.1"]}, "labels": {"a": 1}, "created": {"gte": 3}, "anything": [1],
        "expand": ["data.x"],
    }  # fmt: skip
    assert check(OWN, {"kind": "secret", "created": "3"})["created"] == 3


@pytest.mark.parametrize(
    ("name", "value", "param", "message"),
    [
        ("kind", "x", "kind", "Invalid kind: must be one of secret or restricted"),
        ("kind", [], "kind", "Invalid kind: must be one of secret or restricted"),
        ("uses", 10, "uses", "This value must be less than or equal to 9."),
        ("uses", "1.5", "uses", "Invalid integer: 1.5"),
        ("uses", "\u0665", "uses", "Invalid integer: \u0665"),
        ("uses", True, "uses", "Invalid integer: true"),
        ("uses", {}, "uses", "Invalid integer"),
        ("at", "-1", "at", "Invalid timestamp: must be an integer Unix timestamp"),
        ("share", "1e400", "share", "Invalid number: 1e400"),
        ("price", "x", "price", "Invalid decimal: x"),
        ("livemode", "1", "livemode", "Invalid boolean: 1"),
        ("limits", {}, "limits[ip]", "Missing required param: limits[ip]."),
        ("limits", [1], "limits", "Invalid object"),
        ("labels", {"a": "x"}, "labels[a]", "Invalid integer: x"),
        ("permissions", [["x"]], "permissions[0]", 'Invalid string: ["x"]'),
        ("permissions", {"a": "x"}, "permissions", "Invalid array"),
        ("created", {"gt": "x"}, "created[gt]", "Invalid integer: x"),
        ("created", "x", "created", "Invalid integer: x"),
    ],
)
def test_a_schema_made_by_hand_refuses_with_a_path(name: str, value: Any, param: str, message: str) -> None:
    assert own_refused(**{name: value})[1:] == (param, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "gt", "ip", "a"]), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from([*OWN.fields, "wat"]), JSON, max_size=4))
def test_no_value_raises_anything_but_an_api_error(raw: dict[str, Any]) -> None:
    with contextlib.suppress(ApiError):
        check(OWN, raw)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("POST /v1/subscriptions", b"customer=c&plan=gold&coupon=x&trial_from_plan=true"),
        ("POST /v1/subscriptions", b"customer=c&items[0][plan]=gold"),
        (
            "POST /v1/accounts",
            b"requested_capabilities[0]=card_payments&external_account[object]=bank_account&individual[nationality]=US",
        ),
        ("POST /v1/customers", b"card=tok_1&description="),
        ("POST /v1/payment_intents", b"amount=5&currency=usd&shipping[name]=&shipping[address][line1]=x"),
        ("GET /v1/invoices/upcoming", b"customer=c"),
    ],
)
def test_parameters_of_older_versions_are_taken(operation: str, body: bytes) -> None:
    method, path = operation.split()
    assert read(method, path, body)


def test_every_operation_of_stripes_document_has_a_schema() -> None:
    roots = operation_facts().roots
    assert len(roots) == 703
    for name in roots:
        _walk(operation_params(*name.split()), 0)


def _walk(record: Object, depth: int) -> None:
    for node in record.fields.values():
        if isinstance(node, Object) and depth < 3:
            _walk(node, depth + 1)


@pytest.mark.parametrize("name", sorted({*EXTRA, *LOWEST, *MOST, *REQUIRED, *EXTRA_OPERATIONS}))
def test_every_operation_of_our_own_tables_exists(name: str) -> None:
    schema = operation_params(*name.split())
    assert set(REQUIRED.get(name, ())) <= schema.fields.keys()
    assert (name in operation_facts().roots) != (name in EXTRA_OPERATIONS)


def test_an_operation_that_nobody_has_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no such operation"):
        operation_params("POST", "/v1/unicorns")


def test_an_operation_can_be_extended_without_changing_it_for_others() -> None:
    schema = operation_params("POST", "/v1/customers")
    further = schema.extended({"nickname": P.string()})
    assert check(further, {"nickname": "x"}) == {"nickname": "x"}
    assert "nickname" not in operation_params("POST", "/v1/customers").fields


@pytest.mark.parametrize("value", ["text", "0", ["a"], {"x": "1"}])
def test_a_hash_without_fields_holds_nothing(value: Any) -> None:
    schema = operation_params("POST", "/v1/checkout/sessions")
    raw = {"payment_method_options": {"pay_by_bank": value}}
    with pytest.raises(ApiError) as refused:
        check(schema, raw)
    assert (refused.value.status, refused.value.param) == (
        400,
        "payment_method_options[pay_by_bank]" + ("[x]" if value == {"x": "1"} else ""),
    )
    for nothing in ("", {}):
        assert check(schema, {"payment_method_options": {"pay_by_bank": nothing}}) == {
            "payment_method_options": {"pay_by_bank": {}}
        }
