"""The use of keys from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.core import open_core
from tollkey.db import Scope
from tollkey.platform.merchants import first_merchant
from tollkey.settings import load_settings


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A data folder whose account has used its secret test key three times on 1 January 2026."""
    assert run(tmp_path, "accounts", "create", "--name", "Acme").exit_code == 0
    core = open_core(load_settings(data=str(tmp_path)))
    merchant = core.database.read(first_merchant)
    assert merchant is not None
    key = core.database.read(lambda tx: core.authority.list(tx, Scope(merchant.id, False), kind="secret"))[0]
    for route in ("GET /v1/customers", "GET /v1/customers", "POST /v1/customers"):
        core.verifier.usage.count(key, 1_767_225_600, route)
    core.database.write(core.verifier.usage.flush)
    core.close()
    return tmp_path


def test_use_is_printed_by_route_and_day_as_a_table_csv_and_json(used: Path) -> None:
    by = ("--by", "route,day")
    table = run(used, "keys", "usage", *by).stdout.splitlines()
    assert table[0].split() == ["ROUTE", "DAY", "(UTC)", "REQUESTS", "COST"]
    assert table[1].split() == ["GET", "/v1/customers", "2026-01-01", "2", "2"]
    csv = run(used, "keys", "usage", *by, "--csv").stdout.splitlines()
    assert csv == ["route,day,requests,cost", "GET /v1/customers,2026-01-01,2,2", "POST /v1/customers,2026-01-01,1,1"]
    rows = json.loads(run(used, "keys", "usage", *by, "--json").stdout)
    assert rows[0] == {"route": "GET /v1/customers", "day": 1_767_225_600, "requests": 2, "cost": 2}


def test_a_report_is_narrowed_to_a_time_a_mode_and_a_route(used: Path) -> None:
    def requests(*options: str) -> int:
        rows = json.loads(run(used, "keys", "usage", "--by", "", "--json", *options).stdout)
        return sum(row["requests"] for row in rows)

    assert requests() == 3
    assert requests("--all") == 3
    assert requests("--live") == 0
    assert requests("--since", "2026-01-02") == 0
    assert requests("--until", "2026-01-02") == 3
    assert requests("--route", "POST /v1/customers") == 1
    assert requests("--outcome", "revoked") == 0


@pytest.mark.parametrize("wrong", [("--by", "colour"), ("--by", "hour,day"), ("--csv", "--json"), ("--all", "--live")])
def test_a_report_that_makes_no_sense_is_a_usage_error(used: Path, wrong: tuple[str, ...]) -> None:
    refused = run(used, "keys", "usage", *wrong)
    assert (refused.exit_code, refused.stdout) == (2, "")
