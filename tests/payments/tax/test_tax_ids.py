"""Tax ids have the form of their kind, and are checked a moment later."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tollkey.payments.tax.tax_ids import well_formed


@pytest.mark.parametrize(
    ("kind", "value", "right"),
    [
        ("eu_vat", "DE123456789", True), ("eu_vat", "DE 123 456 789", True), ("eu_vat", "123", False),
        ("gb_vat", "GB123456789", True), ("gb_vat", "GB12345678", False),
        ("us_ein", "12-3456789", True), ("us_ein", "12-345678", False),
        ("eu_vat", "000000000", True), ("xx_new", "anything", True),
    ],
)  # fmt: skip
def test_a_value_has_the_form_of_its_kind(kind: str, value: str, right: bool) -> None:
    assert well_formed(kind, value) is right


@pytest.mark.parametrize(
    ("value", "status"), [("DE123456789", "verified"), ("DE111111111", "unverified"), ("DE222222222", "pending")]
)
def test_the_last_digits_decide_the_check_in_test_mode(api: Api, value: str, status: str) -> None:
    path = f"/v1/customers/{api.ok('POST', '/v1/customers')['id']}/tax_ids"
    made = api.ok("POST", path, type="eu_vat", value=value)
    assert made["verification"]["status"] == "pending"
    api.advance(1)
    assert api.get(f"{path}/{made['id']}")["verification"]["status"] == status


def test_a_kind_that_nobody_checks_is_unavailable(api: Api) -> None:
    made = api.ok("POST", "/v1/tax_ids", type="us_ein", value="12-3456789")
    assert (made["verification"]["status"], made["country"], made["owner"]["type"]) == ("unavailable", "US", "self")


def test_live_mode_checks_nothing_without_a_provider(api: Api) -> None:
    made = api.ok("POST", "/v1/tax_ids", key=api.live_sk, type="eu_vat", value="DE123456789")
    assert made["verification"]["status"] == "unavailable"


def test_a_customer_s_tax_id_is_not_found_through_another(api: Api) -> None:
    one, other = (api.ok("POST", "/v1/customers")["id"] for _ in range(2))
    made = api.ok("POST", f"/v1/customers/{one}/tax_ids", type="eu_vat", value="DE123456789")["id"]
    assert api.get(f"/v1/customers/{other}/tax_ids/{made}").status == 404
    assert api.delete(f"/v1/customers/{other}/tax_ids/{made}").status == 404


@pytest.mark.parametrize("owner", ["account", "customer"])
def test_an_owner_of_a_type_is_named(api: Api, owner: str) -> None:
    refused = api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner={"type": owner})
    assert (refused.status, refused.error["param"]) == (400, f"owner[{owner}]")
    assert api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner={"type": "self"}).status == 200


def _made(api: Api, **owner: str) -> str:
    made = api.ok("POST", "/v1/tax_ids", type="eu_vat", value="DE123456789", owner=owner)
    assert {name: made["owner"][name] for name in owner} == owner
    return str(made["id"])


def test_tax_ids_are_listed_by_their_owner(api: Api) -> None:
    account = api.ok("POST", "/v1/accounts", country="DE")["id"]
    customer = api.ok("POST", "/v1/customers")["id"]
    owners = (
        {"type": "self"},
        {"type": "application"},
        {"type": "account", "account": account},
        {"type": "customer", "customer": customer},
    )
    made = [_made(api, **owner) for owner in owners]
    for owner, id in zip(owners, made, strict=True):
        assert [one["id"] for one in api.get("/v1/tax_ids", owner=owner)["data"]] == [id]
    assert [one["id"] for one in api.get("/v1/tax_ids")["data"]] == made[:1]


@pytest.mark.parametrize(
    ("owner", "param"),
    [
        ({"type": "self", "customer": "cus_1"}, "owner[customer]"),
        ({"type": "customer", "customer": "cus_1"}, "owner[customer]"),
        ({"type": "customer", "customer": "cus_1", "account": "acct_1"}, "owner[account]"),
        ({"type": "account", "account": "acct_none"}, "owner[account]"),
        ({"type": "account"}, "owner[account]"),
    ],
)
def test_an_owner_is_known_and_of_its_type(api: Api, owner: dict[str, str], param: str) -> None:
    made = api.post("/v1/tax_ids", type="eu_vat", value="DE123456789", owner=owner)
    listed = api.get("/v1/tax_ids", owner=owner)
    assert [(answer.status, answer.error["param"]) for answer in (made, listed)] == [(400, param)] * 2
