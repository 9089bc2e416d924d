"""The numbers of the bank accounts that connected accounts are paid out to."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api, rule_table

US = {"routing_number": "110000000", "account_number": "000123456789"}
IBAN = "DE89370400440532013000"


def add(api: Api, country: str, currency: str, **numbers: str) -> Answer:
    bank = {"object": "bank_account", "country": country, "currency": currency, **numbers}
    return api.post("/v1/accounts", type="custom", country="US", external_account=bank)


@rule_table
@pytest.mark.parametrize(
    ("routing", "code"),
    [
        ("110000000", None),
        ("111000000", None),  # recorded: its check digit is wrong
        ("", "parameter_invalid_empty"),
        (None, "parameter_missing"),
        ("12345", "routing_number_invalid"),
        ("1100000000", "routing_number_invalid"),
        ("abcdefghi", "routing_number_invalid"),
    ],
)
def test_a_bank_account_in_the_us_has_a_routing_number_of_nine_digits(
    api: Api, routing: str | None, code: str | None
) -> None:
    numbers = {"account_number": US["account_number"], **({} if routing is None else {"routing_number": routing})}
    answer = add(api, "US", "usd", **numbers)
    if code is None:
        assert answer["external_accounts"]["data"][0]["routing_number"] == routing
    else:
        assert (answer.status, answer.error["code"]) == (400, code)
        assert answer.error["param"] == "external_account[routing_number]"


@rule_table
@pytest.mark.parametrize(
    ("country", "number", "taken"),
    [
        ("DE", IBAN, True),
        ("FR", f"FR{IBAN[2:]}", True),  # stripe-python issue 347
        ("FR", IBAN, False),
        ("DE", "000123456789", False),
        ("AE", "AE070331234567890123456", True),
        ("GB", "00012345", True),
    ],
)
def test_an_iban_is_of_the_country_of_its_bank_account(api: Api, country: str, number: str, taken: bool) -> None:
    currency = {"GB": "gbp", "AE": "aed"}.get(country, "eur")
    answer = add(api, country, currency, account_number=number)
    if taken:
        assert answer.status == 200
    else:
        assert (answer.status, answer.error["code"]) == (400, "account_number_invalid")
        assert f"Try {country}89370400440532013000 or" in answer.error["message"]


@rule_table
@pytest.mark.parametrize(
    ("name", "value"), [("currency", "xyz"), ("account_holder_type", "trust"), ("account_type", "futsu")]
)
def test_other_facts_of_a_bank_account_are_those_that_there_are(api: Api, name: str, value: str) -> None:
    answer = add(api, "US", **{"currency": "usd", **US, name: value})
    assert (answer.status, answer.error["param"]) == (400, f"external_account[{name}]")
