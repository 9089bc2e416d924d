"""Random bytes for ids that are no secret: those of a forked child are not those of its parent."""

from __future__ import annotations

import subprocess
import sys

CHILD_AND_PARENT = """
import os, sys
from tollkey.db.ids import Ids, QuickBytes
ids = Ids(QuickBytes(), lambda: 1_800_000_000)
if os.fork() == 0:
    os.write(1, ids.new("req").encode() + b"\\n")
    os._exit(0)
os.wait()
os.write(1, ids.new("req").encode() + b"\\n")
"""


def test_ids_of_a_child_are_not_repeated_by_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD_AND_PARENT], capture_output=True, text=True, check=True)
    child, parent = done.stdout.split()
    assert child.startswith("req_")
    assert child != parent
