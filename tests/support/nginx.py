"""nginx for the tests: the installed one, or Debian's package taken apart into a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import filelock

#: Where the package is unpacked once, for all workers and runs.
_UNPACKED = Path(tempfile.gettempdir()) / "tollkey-nginx"


def nginx() -> str | None:
    """The program, or None where neither it nor a way to get it is there (no nginx, no Debian)."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") or shutil.which("nginx")
    if found is not None:
        return found
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return None
    _UNPACKED.mkdir(exist_ok=True)
    program = _UNPACKED / "usr" / "sbin" / "nginx"
    with filelock.FileLock(_UNPACKED / "lock"):
        if not program.exists():
            done = subprocess.run(
                ["apt-get", "-qq", "download", "nginx"], cwd=_UNPACKED, capture_output=True, check=False
            )
            packages = list(_UNPACKED.glob("nginx_*.deb"))
            if done.returncode or not packages:
                return None
            subprocess.run(["dpkg", "-x", str(packages[0]), str(_UNPACKED)], check=True)
    return str(program)
