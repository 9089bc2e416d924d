"""``--deliver`` of ``tollkey keys create`` and ``roll``."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from tests.support.shell import run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an account."""
    folder = tmp_path_factory.mktemp("data")
    assert run(folder, "accounts", "create", "--name", "Acme").exit_code == 0
    return folder


def test_a_live_key_goes_to_a_file_and_is_not_printed(data: Path, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("A=1\n")
    done = run(data, "keys", "create", "--live", "--type", "secret", "--deliver", f"dotenv:{env}#KEY", "--json")
    text = env.read_text().splitlines()[1].removeprefix("KEY=")
    assert (done.exit_code, text.startswith("sk_live_")) == (0, True)
    assert text not in done.output
    made = json.loads(done.stdout)
    assert made["note"] == f"dotenv:{env}#KEY"
    done = run(data, "keys", "roll", made["id"], "--live", "--deliver", f"dotenv:{env}#KEY", "--json")
    assert (done.exit_code, json.loads(done.stdout)["rolled_from"]) == (0, made["id"])
    assert env.read_text().splitlines()[1] != f"KEY={text}"


def test_a_manifest_is_all_that_is_printed(data: Path) -> None:
    done = run(data, "keys", "create", "--live", "--deliver", "k8s:acme#KEY")
    assert done.exit_code == 0
    match = re.search(r'"KEY": (\S+)', done.stdout)
    assert match
    assert base64.b64decode(match[1]).startswith(b"rk_live_")
    assert done.stdout.startswith("# Written by tollkey")
    assert done.stderr.startswith("The key mk_")


def test_a_place_that_refuses_the_key_ends_it_and_exits_with_1(data: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / ".env"
    done = run(data, "keys", "create", "--live", "--name", "CI", "--deliver", f"dotenv:{missing}#KEY")
    assert (done.exit_code, "cannot be written" in done.stderr) == (1, True)
    keys = json.loads(run(data, "keys", "list", "--live", "--all", "--json").stdout)
    assert [key["status"] for key in keys if key["name"] == "CI"] == ["expired"]


@pytest.mark.parametrize(
    "words",
    [["--deliver", "vault:kv/data/a#K"], ["--deliver", "x"], ["--deliver", "dotenv:a#K", "--show-secret"],
     ["--deliver", "k8s:a#K", "--json"]],
)  # fmt: skip
def test_what_cannot_be_delivered_is_refused_before_a_key_is_made(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VAULT_ADDR", "BAO_ADDR"):
        monkeypatch.delenv(name, raising=False)
    done = run(tmp_path, "keys", "create", "--live", *words)
    assert done.exit_code == 2
    assert not (tmp_path / "tollkey.db").exists()
