"""A second server on the same SQLite files is refused; commands beside a running server are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.conftest import ROOT, serving

ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def tollkey(*words: str) -> subprocess.CompletedProcess[str]:
    """A command, to its end."""
    command = [sys.executable, "-m", "tollkey", *words]
    return subprocess.run(command, env=ENVIRON, capture_output=True, text=True, timeout=120, check=False)


def serve(data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return tollkey("serve", "--port", "0", "--json", "--data", str(data), *more)


@pytest.mark.parametrize("how", ["the folder", "a link to the folder", "the same file from another folder"])
def test_a_second_server_is_refused_in_one_sentence_that_names_the_first(tmp_path: Path, how: str) -> None:
    data = tmp_path / "data"
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    with serving(data) as running:
        ways = {
            "the folder": (data,),
            "a link to the folder": (tmp_path / "link",),
            "the same file from another folder": (tmp_path / "other", "--database", f"sqlite:///{data / 'tollkey.db'}"),
        }
        folder, *more = ways[how]
        refused = serve(Path(folder), *map(str, more))
        assert refused.returncode == 1
        assert refused.stdout == ""
        said = (
            f"tollkey: {data / 'tollkey.db'} is in use by another server, process {running.pid}: stop that one first\n"
        )
        assert refused.stderr == said


def test_another_folder_is_another_server(tmp_path: Path) -> None:
    with serving(tmp_path / "one"), serving(tmp_path / "two"):
        pass


def test_one_log_of_requests_is_not_written_by_two_servers(tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        refused = serve(tmp_path / "data", "--database", f"sqlite:///{tmp_path / 'other.db'}")
        assert refused.returncode == 1
        assert "requests.db is in use by another server" in refused.stderr


def test_after_kill_9_the_next_server_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--json", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, env=ENVIRON, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline()
        first.send_signal(signal.SIGKILL)
        first.wait()
    with serving(tmp_path / "data"):
        pass


def test_commands_beside_a_running_server_work(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as running:
        for words in (
            ("keys", "list"),
            ("keys", "create", "--permission", "customer_read"),
            ("accounts", "list"),
            ("doctor",),
        ):
            done = tollkey(*words, "--data", str(running.data))
            assert done.returncode == 0, done.stderr
