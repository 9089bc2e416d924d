"""One parent and several workers: what is refused, what is restarted, what is passed on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.support.shell import run
from tollkey.cli import workers
from tollkey.cli.workers import Worker, Workers

#: A worker that writes its start down and ends when it is told to, or at once while a file is there.
SCRIPT = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
number = sys.argv[3].split(":")[0]
with open(folder / "started", "a") as started:
    started.write(number)
if (folder / "fails").exists():
    sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGHUP, lambda *_: (folder / f"hup{number}").touch())
(folder / f"ready{number}").touch()
while True:
    time.sleep(0.01)
"""


def test_several_workers_on_one_sqlite_database_are_refused(tmp_path: Path) -> None:
    answer = run(tmp_path, "serve", "--workers", "2")
    assert answer.exit_code == 1
    assert answer.stderr == "tollkey: several workers need PostgreSQL: one server at a time owns an SQLite database\n"


def test_what_a_worker_is_told_is_read() -> None:
    assert Worker.read("1:8420:5") == Worker(1, 8420, 5)


def wait_for(*files: Path) -> None:
    while not all(file.exists() for file in files):
        pass


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    monkeypatch.setattr(workers, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(workers, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(workers, "_EARLY_SECONDS", -1.0)
    return Workers([sys.executable, "-S", "-c", SCRIPT, str(tmp_path)], 2, 1)


def test_a_worker_that_dies_is_restarted_and_signals_are_passed_on(tmp_path: Path, parent: Workers) -> None:
    def act() -> None:
        wait_for(tmp_path / "ready0", tmp_path / "ready1")
        os.kill(os.getpid(), signal.SIGHUP)
        wait_for(tmp_path / "hup0", tmp_path / "hup1")
        (tmp_path / "ready1").unlink()
        parent._running[1][0].kill()
        wait_for(tmp_path / "ready1")
        os.kill(os.getpid(), signal.SIGTERM)

    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    threading.Thread(target=act).start()
    assert parent.run() == 0
    for one, handler in before.items():
        signal.signal(one, handler)
    assert sorted((tmp_path / "started").read_text()) == ["0", "1", "1"]


def test_workers_that_cannot_start_are_not_tried_again(
    tmp_path: Path, parent: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_EARLY_SECONDS", 5.0)
    (tmp_path / "fails").touch()
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    code = parent.run()
    for one, handler in before.items():
        signal.signal(one, handler)
    assert code == 3
    assert len((tmp_path / "started").read_text()) <= 2
