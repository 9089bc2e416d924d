"""Accounts from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.shell import run
from tollkey.cli.app import app


def test_accounts_are_listed_oldest_first(tmp_path: Path) -> None:
    made = [run(tmp_path, "accounts", "create", "--name", name).stdout.strip() for name in ("Acme", "Bolt")]
    assert [one["id"] for one in json.loads(run(tmp_path, "accounts", "list", "--json").stdout)] == made


def test_an_account_without_an_owner_gets_a_new_one_time_link(tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    links = [
        run(tmp_path, "accounts", "owner-link", "--base-url", "https://keys.example.com").stdout.strip()
        for _ in range(2)
    ]
    assert all(link.startswith("https://keys.example.com/join/") for link in links)
    assert links[0] != links[1]


def test_a_link_without_an_address_leads_to_where_the_environment_says_that_the_server_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    monkeypatch.setenv("TOLLKEY_PORT", "9000")
    assert run(tmp_path, "accounts", "owner-link").stdout.startswith("http://127.0.0.1:9000/join/")
    monkeypatch.setenv("TOLLKEY_BASE_URL", "https://keys.example.com/")
    assert run(tmp_path, "accounts", "owner-link").stdout.startswith("https://keys.example.com/join/")


def test_a_country_that_is_no_code_is_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path, "accounts", "create", "--name", "Acme", "--country", "USA").exit_code == 2


def test_an_account_that_is_not_there_is_named_and_is_no_empty_list(tmp_path: Path) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    refused = run(tmp_path, "keys", "list", "--account", "acct_elsewhere")
    assert refused.exit_code == 1
    assert "no such account: acct_elsewhere" in refused.stderr


def test_the_version_is_printed() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert said.exit_code == 0
    assert said.stdout.startswith("tollkey ")
