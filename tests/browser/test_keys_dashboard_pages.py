"""``tollkey keys dashboard`` in a process of its own and a real browser: it starts, axe finds nothing wrong with the
pages that it alone has, and it stops in order.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser
from typer.testing import CliRunner

from tests.browser.person import Person
from tollkey.cli.app import app
from tollkey.dashboard.routing import gather_pages
from tollkey.keys import KeyService

CONFIG = """[service]
name = "acme"
default_plan = "free"
[permissions.report]
label = "Reports"
[permissions.project]
label = "Projects"
parameter = true
[plans.free]
rate = "10/s"
[plans.paid]
"""
OWN = [page.path for page in gather_pages("keys") if page.nav is not None and page not in gather_pages("payments")]


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command on the database in a folder, and what its line of JSON says."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "tollkey", "keys", "dashboard", "--json", "--port", "0"]
    command += ["--database", str(folder / "keys.db"), "--config", str(folder / "tollkey.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=found) as server:
        assert server.stdout is not None
        try:
            yield server, json.loads(server.stdout.readline())
        finally:
            server.kill()


def fill(folder: Path) -> None:
    """A used key, and a refused one."""
    (folder / "tollkey.toml").write_text(CONFIG)
    with KeyService.open(str(folder / "keys.db"), config=folder / "tollkey.toml", flush_seconds=0) as keys:
        made = keys.create("CI", permissions=["report_read", "project:42:write"])
        assert keys.check(made.secret, "report_read", route="GET /reports", ip="192.0.2.7")
        assert not keys.verify("sk_live_wrong", ip="192.0.2.7")


def test_it_starts_its_own_pages_have_no_fault_and_it_stops(chromium: Browser, tmp_path: Path) -> None:
    fill(tmp_path)
    with serving(tmp_path) as (server, facts):
        assert facts["owner_link"].startswith(f"{facts['url']}/join/")
        olive = Person(chromium, tmp_path)
        olive.join(facts["owner_link"], "Olive Owner", "olive@example.com")
        assert olive.page.url == f"{facts['url']}/acct_main/accounts"
        for path in OWN:
            olive.page.goto(f"{facts['url']}/acct_main{path}")
            olive.look(path)
        olive.page.goto(f"{facts['url']}/acct_main/apikeys/create")
        olive.page.get_by_label("Key name").fill("Nightly")
        olive.page.get_by_label("Projects", exact=True).fill("7:read")
        olive.page.get_by_role("button", name="Create key").click()
        assert olive.page.locator("#secret").inner_text().startswith("rk_live_")
        olive.context.close()
        server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 0
        assert server.stderr is not None
        assert server.stderr.read() == ""
    assert (olive.wrong, olive.complaints) == ([], [])
    logs = CliRunner().invoke(app, ["keys", "audit", "--verify", "--database", str(tmp_path / "keys.db")])
    assert (logs.exit_code, "ok    dashboard: 2 entries" in logs.stdout) == (0, True)
