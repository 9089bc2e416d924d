"""A ``RemoteKeys`` and a ``tollkey keys serve`` that is killed: nobody is accepted until it is back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.contract.conftest import ROOT
from tollkey.keys import Key, KeyService, Reason
from tollkey.keys.remote import RemoteKeys

BOUND_SECONDS = 1.5  # the stream's one second, and what a busy machine adds


def until(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def start(folder: Path, port: int) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    command = [sys.executable, "-m", "tollkey", "keys", "serve", "--database", str(folder / "keys.db"), "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def stop(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    assert process.stdout is not None
    process.stdout.close()
    process.wait(20)


def test_a_server_that_is_killed_accepts_nobody_until_it_is_back(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
        key, text = service.create("CI")
    process, facts = start(tmp_path, 0)
    port = int(facts["url"].rpartition(":")[2])
    with RemoteKeys(facts["url"], facts["admin_key"]) as keys:
        until(lambda: bool(keys.check(text)) and len(keys._cache) == 1)
        stop(process, signal.SIGKILL)
        until(lambda: keys.check(text).reason == Reason.unavailable, BOUND_SECONDS)
        with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0) as service:
            _, other = service.create("other")
            assert isinstance(service.revoke(key), Key)
        process, _ = start(tmp_path, port)
        try:
            until(lambda: keys.check(text).reason == Reason.revoked)
            position = keys._feed.position
            until(lambda: bool(keys.check(other)) and keys._feed.position != position)
            assert keys.check(text).reason == Reason.revoked
        finally:
            stop(process, signal.SIGTERM)
