"""kill -9 in mid-write: whatever group commit acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

WRITER = Path(__file__).with_name("writer.py")
SOURCE = Path(__file__).parents[2] / "src"
KILLS = 12


def written_until_killed(file: Path, first: int, seconds: float) -> set[int]:
    """Run the writer, kill it ``seconds`` after its first acknowledgement, and return what it acknowledged."""
    command = [sys.executable, str(WRITER), str(file), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(SOURCE)}) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    lines = (begun + rest).split(b"\n")
    return {int(line) for line in lines[:-1]}  # the last may have been cut


def test_every_acknowledged_write_survives_kill_9_and_none_is_kept_by_half(tmp_path: Path) -> None:
    moments = random.Random(20260101)
    file = tmp_path / "killed.db"
    acknowledged: set[int] = set()
    for kill in range(KILLS):
        now = written_until_killed(file, 1 + kill * 10_000_000, moments.uniform(0, 0.1))
        assert now
        acknowledged |= now
        connection = sqlite3.connect(file)
        debits, credits = (
            {id for (id,) in connection.execute(f"SELECT id FROM {table}")} for table in ("debits", "credits")
        )
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        connection.close()
        assert acknowledged - debits == set()
        assert debits == credits
