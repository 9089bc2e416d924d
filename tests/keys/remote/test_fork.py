"""A ``RemoteKeys`` that was made before a fork: each child asks and hears by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.keys.remote.scripted import reply, scripted, verdict

ROOT = Path(__file__).resolve().parents[3]
FORKS = """
import json, os, ssl, sys
from tollkey.keys.remote import RemoteKeys
from tollkey.keys.remote.events import Event
now = [100.0]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
keys = RemoteKeys(sys.argv[1], "rk_live_service", monotonic=lambda: now[0], ssl_context=context)
keys._listener._stopped.set()  # the stream is what stands here
def tick():
    keys._feed.take(Event("tick", json.dumps({"at": now[0]}), "p1"), now[0])
keys._feed.opened(now[0])
tick()
now[0] += 1.1
tick()
def facts():
    remembered = keys.verify_cached("rk_live_abcdefghijklmnop") is not None
    return [remembered, bool(keys.check("rk_live_abcdefghijklmnop")), keys._feed.position]
keys.check("rk_live_abcdefghijklmnop")
lock = keys._cache._lock
lock.acquire()  # by a thread that the child does not have
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, json.dumps(facts()).encode())
    os._exit(0)
lock.release()
os.wait()
print(json.dumps({"child": json.loads(os.read(reader, 1000)), "parent": facts()}))
"""


def test_a_child_remembers_nothing_of_its_parent_and_its_parent_keeps_everything() -> None:
    with scripted(reply(verdict())) as server:
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error"}
        command = [sys.executable, "-c", FORKS, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
        assert done.stderr == ""
        assert json.loads(done.stdout) == {"child": [False, True, None], "parent": [True, True, "p1"]}
        assert len(server.requests) == 2
