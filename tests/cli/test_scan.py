"""``tollkey scan`` from a shell: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tollkey.cli.app import app
from tollkey.db import Ids
from tollkey.keys import KeyService
from tollkey.keys.token import generate

TEXT = generate("secret", True, "1AaBbCcDdEeFfGgH", Ids.seeded(1))


def scan(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["scan", *map(str, words)])


def test_finding_nothing_exits_with_0_and_prints_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("nothing")
    result = scan(tmp_path)
    assert (result.exit_code, result.output) == (0, "")


def test_finding_a_key_exits_with_1_and_never_prints_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT)
    for form in ([], ["--json"], ["--sarif"]):
        result = scan(tmp_path, *form)
        assert result.exit_code == 1
        assert TEXT not in result.output
        assert TEXT[-4:] in result.stdout
    assert json.loads(scan(tmp_path, "--json").stdout)["findings"][0]["line"] == 1


def test_what_cannot_be_searched_exits_with_2(tmp_path: Path) -> None:
    result = scan(tmp_path / "typo")
    assert (result.exit_code, result.stderr) == (2, f"tollkey: there is no file or folder {tmp_path / 'typo'}\n")
    assert scan(tmp_path, "--history").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--staged", "--history"],
        ["--json", "--sarif"],
        ["--verify"],
        ["--database", "keys.db"],
        ["--prefix", "Acme-"],
        ["--rules", "gitleaks", "--prefix", "acmesk"],
        ["--history", "a", "b"],
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLKEY_DATABASE", raising=False)
    assert scan(*words).exit_code == 2


def test_only_keys_of_the_named_prefix_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT)
    assert scan(tmp_path, "--prefix", "acmesk").exit_code == 0
    assert scan(tmp_path, "--prefix", "acmesk", "--prefix", "sk_live_").exit_code == 1


def test_a_fingerprint_in_a_file_allows_a_key(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT)
    fingerprint = json.loads(scan(tmp_path, "--json").stdout)["findings"][0]["fingerprint"]
    allowed = tmp_path / "allowed"
    allowed.write_text(f"# of the tests\n{fingerprint}  # revoked in 2025\n")
    assert scan(tmp_path / "a", "--allowed", allowed).exit_code == 0
    allowed.write_text("not a fingerprint\n")
    assert scan(tmp_path / "a", "--allowed", allowed).exit_code == 2
    assert scan(tmp_path / "a", "--allowed", tmp_path / "typo").exit_code == 2


def test_only_a_key_that_may_still_be_used_counts_when_the_database_is_asked(tmp_path: Path) -> None:
    database, source = tmp_path / "keys.db", tmp_path / "source"
    with KeyService.open(str(database)) as keys:
        key, text = keys.create("CI")
        source.write_text(f"{text}\n{TEXT}\n")
        asked = scan(source, "--verify", "--database", database, "--json")
        assert asked.exit_code == 1
        assert [each["status"] for each in json.loads(asked.stdout)["findings"]] == ["active", "unknown"]
        keys.revoke(key)
    assert scan(source, "--verify", "--database", database).exit_code == 0


def test_a_mistyped_database_is_not_made(tmp_path: Path) -> None:
    result = scan(tmp_path, "--verify", "--database", tmp_path / "typo.db")
    assert (result.exit_code, "there is no database" in result.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_rules_are_printed_for_another_scanner() -> None:
    result = scan("--rules", "gitleaks", "--prefix", "acmesk", "--prefix", "acmerk")
    assert result.exit_code == 0
    assert "acmerk_test_" in result.stdout


def test_it_needs_nothing_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(TEXT)
    script = (
        "import sys; from tollkey.cli import main; sys.argv = ['tollkey', 'scan', sys.argv[1]]\n"
        "try: main()\n"
        "finally: print(sorted({'uvicorn', 'orjson', 'jinja2', 'tollkey.core'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "[]")


def test_a_configuration_names_the_prefixes_and_environments(tmp_path: Path) -> None:
    config = tmp_path / "tollkey.toml"
    config.write_text(
        '[service]\nprefix = { secret = "acmesk", restricted = "acmerk", publishable = "acmepk" }\n'
        'environments = ["sandbox", "prod"]\n'
    )
    (tmp_path / "a").write_text(TEXT)
    assert scan(tmp_path / "a", "--config", config).exit_code == 0
    assert "acmesk_prod_" in scan("--rules", "gitleaks", "--config", config).stdout
    assert scan(tmp_path / "a", "--config", config, "--prefix", "sk", "--rules", "github").exit_code == 2
    assert scan(tmp_path / "a", "--config", tmp_path / "typo.toml").exit_code == 2
