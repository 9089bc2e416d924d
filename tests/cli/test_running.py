"""Links that commands print lead to the server that runs, and an earlier link goes on until the new one was printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.shell import run
from tollkey.cli import common
from tollkey.cli.running import published, running_urls


@contextmanager
def serving(data: Path, *words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A server of its own on that folder, and what it says about itself."""
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment}
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(data), *words]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=found)
    assert server.stdout is not None
    try:
        yield server, json.loads(server.stdout.readline())
    finally:
        server.terminate()
        server.communicate(timeout=120)


def link(data: Path, *words: str) -> str:
    done = run(data, *words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def test_links_lead_to_the_running_server_whatever_port_it_took(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, facts):
        first = link(tmp_path, "accounts", "owner-link")
        assert first.startswith(f"{facts['url']}/join/")
        assert httpx.get(first).status_code == 200
        second = json.loads(link(tmp_path, "accounts", "owner-link", "--json"))["owner_link"]
        assert httpx.get(second).status_code == 200
        assert httpx.get(first).status_code == 404
        with httpx.Client() as browser:
            page = browser.get(second).text
            token = page.partition('name="csrf" value="')[2].partition('"')[0]
            about = {
                "csrf": token,
                "name": "Olive",
                "email": "olive@example.com",
                "password": "correct horse battery staple 9",
            }
            assert browser.post(second, data=about).status_code == 303
        reset = link(tmp_path, "people", "reset", "olive@example.com")
        assert reset.startswith(f"{facts['url']}/reset/")
        assert httpx.get(reset).status_code == 200
        again = link(tmp_path, "people", "reset", "olive@example.com")
        assert (httpx.get(again).status_code, httpx.get(reset).status_code) == (200, 404)
    assert running_urls(tmp_path) == []


def test_without_a_server_nothing_is_printed_and_no_link_ends(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, facts):
        good = link(tmp_path, "accounts", "owner-link")
    for words in (("accounts", "owner-link"), ("people", "reset", "olive@example.com")):
        refused = run(tmp_path, *words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "no server is running on" in refused.stderr
        assert "--base-url" in refused.stderr
    with serving(tmp_path) as (_, facts):
        assert httpx.get(facts["url"] + "/join/" + good.rpartition("/")[2]).status_code == 200


def test_what_a_killed_server_left_behind_is_not_believed(tmp_path: Path) -> None:
    with serving(tmp_path) as (server, facts):
        assert running_urls(tmp_path) == [facts["url"]]
        server.send_signal(signal.SIGKILL)
        server.wait(timeout=120)
        assert list((tmp_path / "running").iterdir()) != []
        assert running_urls(tmp_path) == []
        assert run(tmp_path, "accounts", "owner-link").exit_code == 1


def test_a_configured_address_counts_before_the_port(tmp_path: Path) -> None:
    with serving(tmp_path, TOLLKEY_BASE_URL="https://pay.example.com"):
        assert link(tmp_path, "accounts", "owner-link").startswith("https://pay.example.com/join/")
        assert link(tmp_path, "accounts", "owner-link", "--base-url", "https://x.example.com").startswith(
            "https://x.example.com/join/"
        )


def test_a_link_that_could_not_be_printed_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, "accounts", "create", "--name", "Acme")
    with serving(tmp_path) as _:
        good = link(tmp_path, "accounts", "owner-link")

        def broken(*_: object) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(common, "show", broken)
        assert run(tmp_path, "accounts", "owner-link").exit_code == 1
        assert httpx.get(good).status_code == 200


def test_of_two_servers_on_one_folder_the_newest_is_named_first(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from tollkey.cli.running import published\n"
        "with published(pathlib.Path(sys.argv[1]), 'http://127.0.0.1:1'): print('there', flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", script, str(tmp_path)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert other.stdin is not None
    assert other.stdout is not None
    with other:
        assert other.stdout.readline() == "there\n"
        for file in (tmp_path / "running").iterdir():
            os.utime(file, (1, 1))
        with published(tmp_path, "http://127.0.0.1:2"):
            assert running_urls(tmp_path) == ["http://127.0.0.1:2", "http://127.0.0.1:1"]
        assert running_urls(tmp_path) == ["http://127.0.0.1:1"]
        other.stdin.close()
    assert running_urls(tmp_path) == []
