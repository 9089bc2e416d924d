"""The files that a scan reads: those that git tracks or would add, or all below a folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tollkey.keys.scanning.errors import ScanFailed

#: Folders with a repository's own data; what git stores is searched by ``history``.
_SKIPPED = frozenset({".git", ".hg", ".svn"})


def files_below(path: Path, *, ignored: bool = False) -> Iterator[Path]:
    """Yield the files at or below a path, sorted. Symbolic links are not followed.

    A file that is named is always searched. Below a folder of a git repository, files that ``.gitignore`` excludes are
    left out unless ``ignored``: they do not leave the machine with the repository.
    Raises ScanFailed for a path that does not exist or cannot be read.
    """
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise ScanFailed(f"there is no file or folder {path}")
    tracked = None if ignored else _tracked(path)
    if tracked is None:
        yield from _walk(path)
        return
    for name in tracked:
        file = path / name
        if file.is_file() and not file.is_symlink():
            yield file


def _tracked(folder: Path) -> list[str] | None:
    """What git tracks or would add below a folder; None outside a repository or without git."""
    command = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = git(folder, *command)
    except ScanFailed:
        return None
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})


def _walk(folder: Path) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        raise ScanFailed(f"the folder {error.filename} cannot be read: {error.strerror}")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            file = Path(place) / name
            if file.is_file() and not file.is_symlink():
                yield file


def command_of(folder: Path, *arguments: str) -> list[str]:
    """Return the command line of git for a folder; nothing that the repository configures is executed."""
    safe = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null")
    return ["git", "-C", str(folder), *safe, *arguments]


def environment() -> dict[str, str]:
    """Return the environment for git, which may fetch nothing: it would run what a partial clone names as its source.

    Git prefers this variable to every setting of a repository.
    """
    return {**os.environ, "GIT_ALLOW_PROTOCOL": ""}


def git(folder: Path, *arguments: str) -> bytes:
    """Run git in a folder and return what it prints. Raises ScanFailed if it fails or is not installed."""
    try:
        done = subprocess.run(command_of(folder, *arguments), env=environment(), capture_output=True, check=False)
    except FileNotFoundError:
        raise ScanFailed("git is not installed") from None
    if done.returncode:
        raise ScanFailed(f"git: {done.stderr.decode(errors='replace').strip().splitlines()[-1:] or ['failed']}")
    return done.stdout
