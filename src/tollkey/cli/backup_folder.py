"""The folder that ``tollkey backup`` writes.

``tollkey.db`` and ``requests.db`` are SQLite files, also for a server on PostgreSQL, so that a backup can be restored
on either. ``manifest.json`` has the number of rows and the digest of each table; it is written last. ``keyring.json``
is there only if it was asked for.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp

from tollkey.core import KEYRING, REQUESTS
from tollkey.db import StorageError
from tollkey.db.transfer import Progress, Sum
from tollkey.db.transfer_sqlite import flush, verified

DATABASE = "tollkey.db"
MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a backup contains.

    version: of the program that wrote it. created: UTC epoch seconds. engine: of the server, sqlite or postgres.
    keyring: whether the keyring is in the folder. tables: rows and digest by name.
    """

    version: str
    created: int
    engine: str
    keyring: bool
    tables: dict[str, Sum]

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
    """Write the manifest, after everything else. Raises OSError."""
    tables = {name: one._asdict() for name, one in sorted(manifest.tables.items())}
    value = {"format": _FORMAT, **asdict(manifest), "tables": tables}
    (folder / MANIFEST).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup. Raises StorageError when there is none, or not one of this format."""
    try:
        value = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if value["format"] != _FORMAT:
            raise StorageError(f"{folder} was written by another version of Tollkey, {value['version']}")
        tables = {str(name): Sum(int(one["rows"]), str(one["digest"])) for name, one in value["tables"].items()}
        return Manifest(value["version"], value["created"], value["engine"], value["keyring"] is True, tables)
    except FileNotFoundError:
        raise StorageError(f"{folder} is not a complete backup: it has no {MANIFEST}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StorageError(f"{folder / MANIFEST} is not the manifest of a backup") from None


def check_files(folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Compare the files of a folder with a manifest. Raises StorageError for a damaged or changed one."""
    found: dict[str, Sum] = {}
    for name in (REQUESTS, DATABASE):
        if not (folder / name).exists():
            raise StorageError(f"{folder / name} is missing")
        found.update(verified(folder / name, progress))
    wrong = sorted(
        name for name in found.keys() | manifest.tables.keys() if found.get(name) != manifest.tables.get(name)
    )
    if wrong:
        raise StorageError(f"{folder} is not what was backed up: {', '.join(wrong[:5])} differs from {MANIFEST}")
    if manifest.keyring and not (folder / KEYRING).exists():
        raise StorageError(f"{folder / KEYRING} is missing")


def install(file: Path, to: Path) -> None:
    """Copy a file to a place where there is none, whole and durable, readable by its owner only.

    Raises FileExistsError, OSError.
    """
    if to.exists():
        raise FileExistsError(f"{to} exists already")
    partial = to.with_name(f"{to.name}.partial")
    with (
        open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target,
        file.open("rb") as source,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    partial.rename(to)
    flush(to.parent)
