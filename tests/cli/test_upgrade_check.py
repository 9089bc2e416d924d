"""``tollkey upgrade-check`` reads the request logs and lists what a newer API version would answer differently."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.api import Api
from tollkey.cli.app import app

OLD = "2022-08-01"


def check(api: Api, *options: str) -> Result:
    api.world.write_logs()
    settings = api.core.settings
    where = ["--data", settings.data, *(["--database", settings.database] if settings.in_postgres else [])]
    return CliRunner().invoke(app, ["upgrade-check", "--account", api.account, "--since", "9999d", *where, *options])


def test_calls_that_would_be_refused_are_listed_with_their_number_and_an_example(api: Api) -> None:
    coupon = api.ok("POST", "/v1/coupons", percent_off=10, duration="once")["id"]
    for _ in range(2):
        api.under(OLD).ok("POST", "/v1/customers", coupon=coupon)
    answer = check(api, "--to", "2025-03-31.basil")
    assert answer.exit_code == 1
    assert "Refused:" in answer.stdout
    assert "POST /v1/customers  (2 requests, such as req_" in answer.stdout
    assert "2025-03-31.basil: `coupon` is no longer taken." in answer.stdout
    assert "https://docs.stripe.com/changelog/basil/2025-03-31/" in answer.stdout


def test_the_same_as_json(api: Api) -> None:
    api.under(OLD).ok("POST", "/v1/payment_intents", amount=500, currency="usd", payment_method_types=["card"])
    value = json.loads(check(api, "--to", "2024-04-10", "--json").stdout)
    (found,) = [each for each in value["differences"] if each["kind"] == "behavior"]
    assert (found["version"], found["operation"], found["requests"]) == ("2024-04-10", "POST /v1/payment_intents", 1)
    assert (value["to"], value["requests"]) == ("2024-04-10", 1)


def test_only_requests_of_the_version_that_is_named_are_looked_at(api: Api) -> None:
    api.under(OLD).ok("GET", "/v1/invoices", expand=["data.charge"])
    for version, code in (("2023-10-16", 0), (OLD, 1)):
        assert check(api, "--from", version).exit_code == code


def test_a_version_is_found_with_its_name_and_without_it(api: Api) -> None:
    api.under("2025-02-24").ok("GET", "/v1/invoices", expand=["data.charge"])
    assert check(api, "--from", "2025-02-24.acacia").exit_code == 1


def test_without_differences_it_says_so_and_ends_with_0(api: Api) -> None:
    api.ok("POST", "/v1/customers")
    answer = check(api)
    assert (answer.exit_code, "No differences" in answer.stdout) == (0, True)


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "2026-01-01"),
        ("--from", "nonsense"),
        ("--since", "3 weeks"),
        ("--from", "2025-03-31.basil", "--to", OLD),
    ],
)
def test_bad_options_are_usage_errors(api: Api, options: tuple[str, ...]) -> None:
    assert check(api, *options).exit_code == 2


def test_a_folder_without_an_account_is_refused(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["upgrade-check", "--data", str(tmp_path)]).exit_code == 1
