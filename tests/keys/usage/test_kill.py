"""kill -9: what a key was used for is written within a second, without a clean stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tollkey.keys import KeyService

#: Verifies the key that stands on its standard input once, says so, and never stops by itself.
USER = """
import sys
from tollkey.keys import KeyService

keys = KeyService.open(sys.argv[1])
assert keys.verify(sys.stdin.readline().strip(), endpoint="GET /reports")
print("used", flush=True)
sys.stdin.read()
"""


def test_a_use_survives_kill_9_once_it_was_flushed(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.db")
    with closing(KeyService.open(file, flush_seconds=0)) as keys:
        key, text = keys.create("Worker")
        program = [sys.executable, "-c", USER, file]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "used\n"
            while keys.usage(key) is None or not keys.usage_report(()):
                os.sched_yield()  # its own thread flushes within a second
            process.send_signal(signal.SIGKILL)
        usage = keys.usage(key)
        assert usage is not None
        assert (usage.endpoint, usage.uses) == ("GET /reports", 1)
        assert [row.requests for row in keys.usage_report(("key",))] == [1]
