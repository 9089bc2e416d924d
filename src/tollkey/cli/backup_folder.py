"""The folder that ``tollkey backup`` writes.

``tollkey.db`` and ``requests.db`` are SQLite files, also for a server on PostgreSQL, so that a backup can be restored
on either. ``manifest.json`` has the number of rows and the digest of each table, and the SHA-256 of each file; it is
written last. ``keyring.json`` is there only if it was asked for.

A backup comes from elsewhere, so nothing in it is believed before it is checked, and nothing is restored before that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tollkey.core import KEYRING, REQUESTS
from tollkey.db import StorageError
from tollkey.db.transfer import Progress, Sum
from tollkey.db.transfer_sqlite import flush, verified

DATABASE = "tollkey.db"
MANIFEST = "manifest.json"
_FORMAT = 1
_LARGEST_MANIFEST = 1 << 20  # bytes
_NAME = re.compile(r"[a-z0-9_.+-]{1,100}")  # of a table, a version, an engine
#: What SQLite would read together with a file, and leaves beside one that is in use.
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Manifest:
    """What a backup contains.

    version: of the program that wrote it. created: UTC epoch seconds. engine: of the server, sqlite or postgres.
    keyring: whether the keyring is in the folder. tables: rows and digest by name. files: SHA-256 by name; empty in a
    backup of a version that did not note it.
    """

    version: str
    created: int
    engine: str
    keyring: bool
    tables: dict[str, Sum]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(one.rows for one in self.tables.values())


@contextmanager
def new_folder(to: Path) -> Iterator[Path]:
    """Yield a folder to fill, which gets its name at the end of the ``with`` block, and is deleted on an exception.

    Raises FileExistsError when there is something of that name, OSError.
    """
    if to.exists() or to.is_symlink():
        raise FileExistsError(f"{to} exists already: nothing was written")
    to.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix=f"{to.name}.", suffix=".partial", dir=to.parent))
    try:
        yield folder
        for file in folder.iterdir():
            file.chmod(0o600)
            flush(file)
        flush(folder)
        folder.rename(to)
        flush(to.parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, after everything else, with the digests of the other files. Raises OSError."""
    tables = {name: one._asdict() for name, one in sorted(manifest.tables.items())}
    files = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    value = {"format": _FORMAT, **asdict(manifest), "tables": tables, "files": files}
    (folder / MANIFEST).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup. Raises StorageError when there is none, or not one of this format; OSError."""
    file = folder / MANIFEST
    try:
        _check_plain(file)
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError
        value = json.loads(file.read_text(encoding="utf-8"))
        if value["format"] != _FORMAT:
            raise StorageError(f"{folder} was written by another version of Tollkey, {_name(value['version'])}")
        tables = {_name(name): Sum(int(one["rows"]), _name(one["digest"])) for name, one in value["tables"].items()}
        files = {_name(name): _name(digest) for name, digest in value.get("files", {}).items()}
        created, engine, keyring = int(value["created"]), _name(value["engine"]), value["keyring"] is True
        return Manifest(_name(value["version"]), created, engine, keyring, tables, files)
    except FileNotFoundError:
        raise StorageError(f"{folder} is not a complete backup: it has no {MANIFEST}") from None
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise StorageError(f"{file} is not the manifest of a backup") from None


def _name(value: object) -> str:
    """Return a name of a manifest, which is printed. Raises ValueError for anything else."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError
    return value


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _check_plain(file: Path) -> None:
    """Raise StorageError unless a file is one: opening another kind could wait for ever or read elsewhere. Raises
    FileNotFoundError.
    """
    if not stat.S_ISREG(file.lstat().st_mode):
        raise StorageError(f"{file} is no regular file")


def check_files(folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Compare the files of a folder with a manifest. Raises StorageError for a damaged or changed one."""
    names = (REQUESTS, DATABASE, *([KEYRING] if manifest.keyring else []))
    for name in names:
        try:
            _check_plain(folder / name)
        except FileNotFoundError:
            raise StorageError(f"{folder / name} is missing") from None
        check_alone(folder / name)
    found: dict[str, Sum] = {}
    for name in (REQUESTS, DATABASE):
        found.update(verified(folder / name, progress))
    wrong = sorted(
        name for name in found.keys() | manifest.tables.keys() if found.get(name) != manifest.tables.get(name)
    )
    if wrong:
        raise StorageError(f"{folder} is not what was backed up: {', '.join(wrong[:5])} differs from {MANIFEST}")
    for name in names:  # what the tables do not show: a trigger, an index, the keyring
        if manifest.files and _sha256(folder / name) != manifest.files.get(name):
            raise StorageError(f"{folder} is not what was backed up: {name} differs from {MANIFEST}")


def check_alone(file: Path) -> None:
    """Raise StorageError when there is something beside a file that SQLite would take for a part of it."""
    for ending in _BESIDE:
        beside = file.with_name(f"{file.name}{ending}")
        if os.path.lexists(beside):
            raise StorageError(f"{beside} is in the way: SQLite would read it as a part of {file.name}")


def is_installed(file: Path, to: Path) -> bool:
    """Return whether a restore that was interrupted has put a file there. Raises FileExistsError for another file."""
    if not os.path.lexists(to):
        return False
    if to.is_symlink() or not to.is_file() or to.stat().st_size != file.stat().st_size or _sha256(to) != _sha256(file):
        raise FileExistsError(f"{to} exists already: restore into another folder")
    return True


def install(file: Path, to: Path) -> None:
    """Copy a file to a place where there is none, whole and durable, readable by its owner only.

    Raises FileExistsError, OSError.
    """
    if os.path.lexists(to):
        raise FileExistsError(f"{to} exists already")
    partial = to.with_name(f"{to.name}.partial")
    partial.unlink(missing_ok=True)  # of a process that was killed
    with (
        open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target,
        file.open("rb") as source,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    partial.rename(to)
    flush(to.parent)
