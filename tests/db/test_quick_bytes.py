"""Random bytes for ids that are no secret: those of a forked child are not those of its parent."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD_AND_PARENT = """
import ctypes, os, sys
from tollkey.db.ids import Ids, QuickBytes
ids = Ids(QuickBytes(), lambda: 1_800_000_000)
if FORK() == 0:
    os.write(1, ids.new("req").encode() + b"\\n")
    os._exit(0)
os.wait()
os.write(1, ids.new("req").encode() + b"\\n")
"""


@pytest.mark.parametrize("fork", ["os.fork", "ctypes.PyDLL(None).fork"])  # uWSGI forks outside Python
def test_ids_of_a_child_are_not_repeated_by_its_parent(fork: str) -> None:
    code = CHILD_AND_PARENT.replace("FORK", fork)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child, parent = done.stdout.split()
    assert child.startswith("req_")
    assert child != parent
