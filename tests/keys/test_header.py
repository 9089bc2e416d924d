from __future__ import annotations

import base64
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollkey.db import Ids
from tollkey.keys import Denied, Reason
from tollkey.keys.header import Presented, beginning, read_authorization, without_keys, without_typed_secrets
from tollkey.keys.token import generate

KEY = generate("secret", False, "1", Ids.seeded(1))


def basic(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {KEY}",
        f"bearer {KEY}",
        f"BEARER   {KEY}  ",
        f"Basic {basic(KEY + ':')}",
        f"basic {basic(KEY + ':ignored')}",
        f"Basic {basic(KEY)}",
        f"Basic {KEY}",
        f"Basic {KEY}:",
    ],
)
def test_each_way_of_presenting_a_key_is_read(header: str) -> None:
    assert read_authorization(header) == Presented(KEY)


@pytest.mark.parametrize("header", [None, "", "   "])
def test_no_header_is_a_missing_key(header: str | None) -> None:
    assert read_authorization(header) == Denied(Reason.missing)


@pytest.mark.parametrize("header", ["null", "Bearer", "Bearer  ", "Basic Og==", "Digest x=1", "Token abc"])
def test_a_header_without_a_usable_key_is_told_back(header: str) -> None:
    assert read_authorization(header) == Denied(Reason.unusable_header, header.strip())


def test_a_key_without_a_scheme_is_masked_when_told_back() -> None:
    denied = read_authorization(KEY)
    assert isinstance(denied, Denied)
    assert denied.masked == "sk_test_" + "*" * 95 + KEY[-4:]


@pytest.mark.parametrize(
    "secret",
    [
        KEY, "Retry" + KEY, "1" + KEY, "my_key_" + KEY, "whsec_" + "a1" * 16, "1whsec_" + "a1" * 16,
        "pi_1a_secret_" + "a1" * 12, "4242424287654242", "4242 4242-8765 4242",
        "Basic " + base64.b64encode(f"{KEY}:".encode()).decode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_stored_text_holds_no_secret_however_it_is_encoded(secret: str, times: int) -> None:
    text = secret
    for _ in range(times):
        text = "".join(f"%{ord(letter):02x}" for letter in text)
    kept = without_keys(f"GET /v1/customers/{text}")
    assert kept.startswith("GET /v1/customers/")
    assert secret[-12:-4] not in unquote(unquote(kept))


def test_a_stored_text_without_a_secret_stays_as_it_is() -> None:
    for text in ("GET /v1/customers/a%20b", "POST /v1/customers/cus_1PRGHoUQxTXVL8", "192.0.2.1", "2001:db8::1"):
        assert without_keys(text) == text


def test_an_odd_text_after_bearer_is_taken_as_the_key_it_claims_to_be() -> None:
    assert read_authorization("Bearer {:api_key=>1}") == Presented("{:api_key=>1}")


@given(st.text())
def test_no_header_breaks_the_reader(header: str) -> None:
    assert isinstance(read_authorization(header), Presented | Denied)


@given(st.text())
def test_no_credentials_break_the_reader(credentials: str) -> None:
    for scheme in ("Bearer", "Basic"):
        assert isinstance(read_authorization(f"{scheme} {credentials}"), Presented | Denied)


@pytest.mark.parametrize("prefix", ["acme2_live_", "k1_prod1_", "acmeproductionkeys_production_"])
def test_a_key_of_any_brand_is_masked(prefix: str) -> None:
    key = prefix + KEY.rpartition("_")[2]
    assert key[-12:-4] not in without_keys(f"GET /v1/reports/{key}")
    assert key[-12:-4] not in without_typed_secrets(f"not{key}")


def test_a_message_repeats_no_part_of_a_key_that_is_longer_than_what_it_shows() -> None:
    for longest in range(20, 100):
        assert "a1B2a1B2" not in beginning("acmeproductionkeys_production_" + "a1B2" * 20, longest)
