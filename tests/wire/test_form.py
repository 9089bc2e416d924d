"""Bodies: bracketed forms and JSON."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.wire import _form
from tollkey.wire._form import MAX_DEPTH, MAX_PAIRS, FormError, decode_form, decode_json


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (b"", {}),
        (b"&&", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a", {"a": ""}),
        (b"a=x=y", {"a": "x=y"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
        (b"items[1][price]=q&items[0][price]=p", {"items": {"1": {"price": "q"}, "0": {"price": "p"}}}),
        (
            b"items[][price]=p&items[][quantity]=2&items[][price]=q",
            {"items": [{"price": "p", "quantity": "2"}, {"price": "q"}]},
        ),
        (b"list[]=z", {"list": ["z"]}),
        (b"metadata[order%20no]=a+b%2Bc", {"metadata": {"order no": "a b+c"}}),
        (b"name=Zo%C3%AB", {"name": "Zoë"}),
        ("name=Zoë%21".encode(), {"name": "Zoë!"}),
        (b"metadata[a]b]=1", {"metadata": {"a]b": "1"}}),
        (b"[x]=1&a[=2", {"[x]": "1", "a[": "2"}),
        (b"a[b]=2&a=1", {"a": "1"}),
        (b"a[]=2&a=1", {"a": "1"}),
        (b"a[b][c]=2&a[b]=1", {"a": {"b": "1"}}),
    ],
)
def test_a_form_becomes_nested_parameters(body: bytes, params: dict[str, Any]) -> None:
    assert decode_form(body) == params


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"a=%", "percent"),
        (b"a=%4", "percent"),
        (b"a=%zz", "percent"),
        (b"a%zz=1", "percent"),
        (b"a=%ff", "UTF-8"),
        (b"a=\xff", "UTF-8"),
        (b"a=1&a[b]=2", "container"),
        (b"a[]=1&a[b]=2", "container"),
        (b"a[b]=1&a[]=2", "container"),
        (b"a[b]=1&a[b][c]=2", "container"),
        (b"a=%00", "null"),
        (b"a=\x00", "null"),
        (b"a" + b"[b]" * MAX_DEPTH + b"=1", "deep"),
        (b"a=1&" * MAX_PAIRS + b"a=1", f"more than {MAX_PAIRS} "),
    ],
)
def test_a_malformed_form_is_refused_with_a_sentence(body: bytes, word: str) -> None:
    with pytest.raises(FormError, match=word):
        decode_form(body)


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(["a", "[", "]", "=", "&", "%", "%5B", "0", "+", "é"]), max_size=24)
    .map("".join)
    .map(str.encode)
)
def test_no_form_raises_anything_but_a_form_error(body: bytes) -> None:
    with contextlib.suppress(FormError):
        decode_form(body)


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
        st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    )
)
def test_what_was_encoded_is_decoded(params: dict[str, str]) -> None:
    from urllib.parse import urlencode

    assert decode_form(urlencode(params).encode()) == params


def test_a_json_body_keeps_its_types() -> None:
    assert decode_json(b'{"amount": 5, "live": true, "items": [{"price": "p"}]}') == {
        "amount": 5,
        "live": True,
        "items": [{"price": "p"}],
    }
    assert decode_json(b" ") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"1",
        b'"x"',
        b"\xff",
        b'{"a": "\\u0000"}',
        b'{"a": {"b": ["\\u0000"]}}',
        b'{"a": ' + b"[" * 900 + b'"\\u0000"' + b"]" * 900 + b"}",
        b"[" * 100_000,
    ],
)
def test_a_json_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(FormError):
        decode_json(body)


def test_long_names_are_read_and_not_remembered() -> None:
    before = _form._keys.cache_info().currsize
    name = "a" * 100_000
    assert decode_form(f"{name}[b]=1".encode()) == {name: {"b": "1"}}
    assert _form._keys.cache_info().currsize == before
