"""An SQLite file belongs to one server at a time, for as long as that process lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tollkey.db.file_lock import InUse, lock_file

TAKES = (
    "import sys; from pathlib import Path; from tollkey.db.file_lock import lock_file;"
    " held = lock_file(Path(sys.argv[1])); print('held', flush=True)"
)


def test_a_file_that_is_owned_is_refused_with_the_process_that_owns_it(tmp_path: Path) -> None:
    with lock_file(tmp_path / "a.db"), pytest.raises(InUse) as refused:
        lock_file(tmp_path / "a.db")
    assert (
        str(refused.value)
        == f"{tmp_path / 'a.db'} is in use by another server, process {os.getpid()}: stop that one first"
    )


def test_it_is_free_again_once_it_was_let_go(tmp_path: Path) -> None:
    lock_file(tmp_path / "a.db").close()
    with lock_file(tmp_path / "a.db"):
        pass


def test_the_same_file_under_another_name_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    with lock_file(tmp_path / "a.db"):
        for other in (
            tmp_path / "other" / "a.db",
            tmp_path / "b.db",
            tmp_path / "other" / ".." / tmp_path.name / "a.db",
        ):
            with pytest.raises(InUse):
                lock_file(other)


def test_two_files_of_one_folder_have_owners_of_their_own(tmp_path: Path) -> None:
    with lock_file(tmp_path / "a.db"), lock_file(tmp_path / "b.db"):
        pass


def test_what_a_killed_process_owned_is_free(tmp_path: Path) -> None:
    script = f"{TAKES}; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InUse, match=f"process {holder.pid}:"):
            lock_file(tmp_path / "a.db")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with lock_file(tmp_path / "a.db"):
        pass


def test_a_forked_child_goes_on_owning_what_its_parent_owned(tmp_path: Path) -> None:
    script = f"{TAKES}\nimport os\nif os.fork(): os._exit(0)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "a.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.wait() == 0
        with pytest.raises(InUse):
            lock_file(tmp_path / "a.db")
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.close()
        parent.stdout.read()  # until the child has ended too
    with lock_file(tmp_path / "a.db"):
        pass


def test_a_program_that_the_owner_starts_does_not_own_it(tmp_path: Path) -> None:
    held = lock_file(tmp_path / "a.db")
    script = "import sys; print('runs', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, close_fds=False) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"runs\n"
        held.close()
        with lock_file(tmp_path / "a.db"):
            pass


def test_the_file_that_says_who_it_is_is_private(tmp_path: Path) -> None:
    with lock_file(tmp_path / "a.db"):
        (made,) = tmp_path.iterdir()
        assert oct(made.stat().st_mode & 0o777) == "0o600"
