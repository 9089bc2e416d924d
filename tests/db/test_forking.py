"""Databases that were opened before the process forked; each story is told by a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tollkey.db import SQLite, StorageError

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import json, os, sys
from tollkey.db import StorageError, open_database
database = open_database(sys.argv[1])
database.write(lambda tx: tx.execute("CREATE TABLE notes (text TEXT)"))
note = lambda text: database.write(lambda tx: tx.execute("INSERT INTO notes VALUES (?)", (text,)))
notes = lambda: [row[0] for row in database.read(lambda tx: tx.execute("SELECT text FROM notes ORDER BY text"))]
def child(work):
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
"""


def told(database_url: str, story: str) -> Any:
    command = [sys.executable, "-W", "error", "-c", BEGIN + textwrap.dedent(story), database_url]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_parent_and_child_both_write_and_read_what_the_other_wrote(database_url: str) -> None:
    story = """
    note("before")
    child(lambda: (note("child"), print(json.dumps(notes()), flush=True), database.close()))
    note("parent")
    print(json.dumps(notes()))
    """
    assert told(database_url, story) == [["before", "child"], ["before", "child", "parent"]]


def test_a_child_that_ends_leaves_its_parents_connections_as_they_were(postgres_url: str) -> None:
    story = """
    session = lambda tx: tx.execute("SELECT pg_backend_pid()")[0][0]
    def work(tx):
        mine = session(tx)
        child(lambda: (print(json.dumps(database.read(session) == mine), flush=True), database.close(), sys.exit()))
        print(json.dumps(session(tx) == mine))
    database.write(work)
    """
    assert told(postgres_url, story) == [False, True]


def test_a_child_forked_within_a_transaction_refuses_everything_in_a_sentence_and_the_parent_goes_on(
    tmp_path: Path,
) -> None:
    story = """
    def refused():
        for use in (notes, lambda: note("child")):
            try:
                use()
            except StorageError as error:
                print(json.dumps(str(error)[:80]), flush=True)
    database.write(lambda tx: (tx.execute("INSERT INTO notes VALUES ('parent')"), child(refused)))
    print(json.dumps(notes()))
    """
    sentence = "the process was forked while an SQLite connection was open, which SQLite does not allow"[:80]
    assert told(str(tmp_path / "notes.db"), story) == [sentence, sentence, ["parent"]]


@pytest.mark.parametrize("way", ["_WipedPage", "_ProcessIdMarker"])
def test_a_fork_that_python_does_not_know_of_is_noticed_at_the_first_use(way: str, database_url: str) -> None:
    story = f"""
    from tollkey.db import forking
    if type(forking.here).__name__ != "{way}":
        forking.here = forking._ProcessIdMarker()
    if database.dialect == "sqlite":
        database.close_connections()
    import ctypes, threading, time
    # Such a fork must not happen while another thread takes Python's lock: the child would wait for it for ever.
    busy = lambda: [one for thread, one in sys._current_frames().items() if thread != threading.get_ident()
                    and one.f_code.co_name != "wait"]
    while busy():
        time.sleep(0.001)
    fork = ctypes.PyDLL(None).fork  # the C library's, as uWSGI calls it
    origin = database._origin
    for _ in range(5):  # a thread that wakes at that moment may hold a lock of Python's own
        pid = fork()
        if pid == 0:
            note("child")
            print(json.dumps(database._origin != origin), flush=True)
            os._exit(0)
        until = time.monotonic() + 10
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                break
            time.sleep(0.01)
        else:
            break
    print(json.dumps(notes() + [database._origin == origin]))
    """
    assert told(database_url, story) == [True, ["child", True]]


def test_a_closed_database_is_no_failure_at_a_fork(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = SQLite(tmp_path / "one.db")
    database.close()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert caplog.records == []


def test_a_database_that_was_closed_stays_closed(tmp_path: Path) -> None:
    database = SQLite(tmp_path / "one.db")
    assert database.close_connections()
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.write(lambda tx: tx.execute("SELECT 1"))
