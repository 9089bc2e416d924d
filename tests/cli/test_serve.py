"""What the server says when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tollkey.settings import Settings
from tollkey.wire.versions import LATEST, newer_than_built


def test_one_line_at_the_start_tells_which_version_is_built(tmp_path: Path) -> None:
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "tollkey", "serve", "--port", "0", "--data", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=found)
    assert server.stdout is not None
    try:
        line = next(line for line in server.stdout if line.startswith("API version"))
    finally:
        server.terminate()
        server.communicate(timeout=120)
    assert LATEST in line
    assert newer_than_built()[-1] in line
    assert f"requests that name no version have {Settings().default_version}" in line
