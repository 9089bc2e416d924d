"""``tollkey keys check-config``."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tollkey.cli.app import app

TEXT = """\
[service]
name = "acme"
prefix = { restricted = "acmerk" }
default_plan = "free"
[permissions.report]
label = "Reports"
[[routes]]
match = "GET /reports/*"
needs = "report_read"
[plans.free]
rate = "10/s"
quota = "10000/month"
"""


def test_check_config_says_what_a_file_means(tmp_path: Path) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text(TEXT)
    done = CliRunner().invoke(app, ["keys", "check-config", str(file)])
    assert done.exit_code == 0, done.output
    for line in (
        "service acme",
        "  restricted   acmerk_test_…  acmerk_live_…",
        "  report  Reports  report_read, report_write  -",
        "  GET /reports/*  report_read  1",
        "  A request that matches none of them is refused.",
        "  free, of accounts without a plan",
        "    free: each account: 10 a second, 10 at once; 10,000 a month",
    ):
        assert line in done.stdout.splitlines()


def test_check_config_prints_json(tmp_path: Path) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text(TEXT)
    value = json.loads(CliRunner().invoke(app, ["keys", "check-config", str(file), "--json"]).stdout)
    assert value["environments"] == {"live": {"livemode": True}, "test": {"livemode": False}}
    assert value["plans"]["free"] == [
        {"name": "free", "per": "account", "per_second": 10, "burst": 10, "quota": {"month": 10000}, "routes": []}
    ]


def test_check_config_says_what_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text(TEXT.replace("rate", "rat"))
    done = CliRunner().invoke(app, ["keys", "check-config", str(file)])
    assert done.exit_code == 1
    assert f"{file}:11: plans.free.rat: is not a key of this table; did you mean rate?" in done.stderr
    assert "no such file" in CliRunner().invoke(app, ["keys", "check-config", str(tmp_path / "x")]).stderr.lower()
