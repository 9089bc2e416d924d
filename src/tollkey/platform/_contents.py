"""Contents of files, stored in the database in chunks.

Every node can read them, and database backups include them. They are also sent in chunks. Earlier versions stored them
in the data folder; ``move_in`` imports those.

The contents of a small file are stored in the transaction of its file object. Those of a larger upload are stored
before it, each chunk in a transaction of its own, so that other writes do not wait until the disk has taken all of
them. Until the transaction of the file object claims them, a row of ``file_uploads`` marks them:

    uploading ──claimed by the file object──▶ (no row; the file is complete)
        └──refused, or left by a crash──▶ abandoned ──each chunk deleted──▶ (no row, no chunks)
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from tollkey.db import Database, Migration, Scope, StorageError, Tx
from tollkey.wire import ApiError, Call, Json, Reply, new_object
from tollkey.wire.messages import Rest
from tollkey.wire.pages import nested_list
from tollkey.wire.staging import Staged

MIGRATION = Migration(
    "files",
    (
        """CREATE TABLE file_contents (
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            file TEXT NOT NULL,
            number {int} NOT NULL,
            content {blob} NOT NULL,
            PRIMARY KEY (account, livemode, file, number)
        )""",
        """CREATE TABLE file_uploads (
            account TEXT NOT NULL,
            livemode {bool} NOT NULL,
            file TEXT NOT NULL,
            chunks {int} NOT NULL,
            abandoned {bool} NOT NULL,
            created {int} NOT NULL,
            PRIMARY KEY (account, livemode, file)
        )""",
    ),
)
CHUNK = 256 * 1024  # bytes per chunk
UNCLAIMED_SECONDS = 3600  # after which an upload without a file object was left by a crash; it takes seconds otherwise
_KEY = "account = ? AND livemode = ? AND file = ?"

#: File types by their first bytes.
_SIGNATURES = (
    (b"%PDF", "pdf", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"), (b"PK\x03\x04", "zip", "application/zip"),
)  # fmt: skip
_BY_NAME = {"csv": "text/csv", "txt": "text/plain", "xml": "text/xml"}
_TYPES = {kind: mime for _, kind, mime in _SIGNATURES} | _BY_NAME


def file_type(content: bytes | memoryview, filename: str) -> str | None:
    """The ``type`` of a file by its first bytes, else by the extension of its name, else None."""
    for start, kind, _ in _SIGNATURES:
        if content[: len(start)] == start:
            return kind
    ending = filename.rpartition(".")[2].lower()
    return ending if ending in _BY_NAME else None


def mime_of(file: Json) -> str:
    """The media type of a file object."""
    return _TYPES.get(file["type"] or "", "application/octet-stream")


def contents_reply(call: Call, file: Json, headers: dict[str, str]) -> Reply:
    """A response with a stored file. Only its first chunk is read yet. headers: besides type and length."""
    scope, id = call.scope, file["id"]

    def read(number: int, tx: Tx) -> bytes:
        return _chunk(tx, scope, id, number)

    chunks = -(-file["size"] // CHUNK)
    rest = Rest(file["size"], chunks, read) if chunks > 1 else None
    return Reply(read(0, call.tx), mime_of(file), headers=headers, rest=rest)


def _chunk(tx: Tx, scope: Scope, id: str, number: int) -> bytes:
    rows = tx.execute(
        "SELECT content FROM file_contents WHERE account = ? AND livemode = ? AND file = ? AND number = ?",
        (scope.account, int(scope.livemode), id, number),
    )
    if not rows:  # uploaded by an earlier version to another node, which has not been started since
        raise ApiError(404, code="resource_missing", message=f"The contents of {id} are not in the database.")
    return bytes(rows[0][0])


def _store(tx: Tx, scope: Scope, id: str, content: bytes | memoryview) -> None:
    tx.execute_many(
        "INSERT INTO file_contents (account, livemode, file, number, content) VALUES (?, ?, ?, ?, ?)",
        [
            (scope.account, int(scope.livemode), id, number, bytes(content[start : start + CHUNK]))
            for number, start in enumerate(range(0, len(content), CHUNK))
        ],
    )


def staged_contents(content: bytes | memoryview, id: str, scope: Scope, now: int, given: Json) -> Staged:
    """Return the steps that store a file's contents before the transaction of its object, which calls ``add_file``.

    id: of the future file object. now: UTC epoch seconds. given: the parameters for the handler.
    """
    starts = range(0, len(content), CHUNK)
    steps = [partial(_store_ahead, scope, id, content, number, now) for number in range(len(starts))]
    return Staged(steps, given, partial(discard_chunk, scope, id))


def _store_ahead(scope: Scope, id: str, content: bytes | memoryview, number: int, now: int, tx: Tx) -> None:
    key = (scope.account, int(scope.livemode), id)
    if number == 0:
        tx.execute(
            "INSERT INTO file_uploads (account, livemode, file, chunks, abandoned, created) VALUES (?, ?, ?, 1, 0, ?)",
            (*key, now),
        )
    elif not tx.execute(
        f"UPDATE file_uploads SET chunks = ? WHERE {_KEY} AND abandoned = 0 RETURNING 1", (number + 1, *key)
    ):
        raise StorageError(f"the upload of {id} was abandoned")
    start = number * CHUNK
    tx.execute(
        "INSERT INTO file_contents (account, livemode, file, number, content) VALUES (?, ?, ?, ?, ?)",
        (*key, number, bytes(content[start : start + CHUNK])),
    )


def _claim(tx: Tx, scope: Scope, id: str) -> None:
    """Make contents that were stored ahead those of a file object, which the caller inserts in this transaction."""
    key = (scope.account, int(scope.livemode), id)
    if not tx.execute(f"DELETE FROM file_uploads WHERE {_KEY} AND abandoned = 0 RETURNING 1", key):
        raise StorageError(f"the upload of {id} was abandoned")


def discard_chunk(scope: Scope, id: str, tx: Tx) -> bool:
    """Abandon an upload that no file object has claimed, and delete its last chunk. Returns whether any is left.

    One chunk per transaction, because deleted content is overwritten with zeros. Several nodes may call it at once.
    """
    key = (scope.account, int(scope.livemode), id)
    left = tx.execute(f"UPDATE file_uploads SET abandoned = 1, chunks = chunks - 1 WHERE {_KEY} RETURNING chunks", key)
    if not left:
        return False
    tx.execute(f"DELETE FROM file_contents WHERE {_KEY} AND number = ?", (*key, left[0][0]))
    if left[0][0] > 0:
        return True
    tx.execute(f"DELETE FROM file_uploads WHERE {_KEY}", key)
    return False


def discard_unclaimed(tx: Tx, now: int) -> bool:
    """Delete one chunk of an upload that a crash left without a file object. Returns whether there may be more.

    now: UTC epoch seconds.
    """
    old = tx.execute(
        "SELECT account, livemode, file FROM file_uploads WHERE created <= ? LIMIT 1", (now - UNCLAIMED_SECONDS,)
    )
    for account, livemode, id in old:
        discard_chunk(Scope(account, bool(livemode)), id, tx)
    return bool(old)


def move_in(database: Database, folder: Path) -> int:
    """Import files of an earlier version from the data folder into the database. Returns how many.

    Each file is deleted once its transaction is durable; after a crash in between, the next start finds it again.
    Files without a file object are left alone.
    """
    there = {path.name: path for path in folder.iterdir() if path.is_file()} if folder.is_dir() else {}
    if not there:
        return 0
    objects = database.read(lambda tx: tx.execute("SELECT account, livemode, id FROM obj_file"))
    owners = {id: Scope(account, bool(livemode)) for account, livemode, id in objects if id in there}
    for id, scope in owners.items():

        def import_file(tx: Tx, id: str = id, scope: Scope = scope) -> None:
            key = (scope.account, int(scope.livemode), id)
            if not tx.execute(
                "SELECT 1 FROM file_contents WHERE account = ? AND livemode = ? AND file = ? LIMIT 1", key
            ):
                _store(tx, scope, id, there[id].read_bytes())

        database.write(import_file, lock=f"files:{id}")
        there[id].unlink(missing_ok=True)
    return len(owners)


def add_file(call: Call, content: bytes | memoryview, filename: str, purpose: str, id: str = "", **more: Any) -> Json:
    """Store contents and file object, with its ``file.created`` event.

    id: of contents that were stored ahead (``staged_contents``). more: further fields of the object.
    """
    file = new_object(
        "file",
        id=id or call.ids.new("file"),
        created=call.now,
        filename=filename,
        purpose=purpose,
        size=len(content),
        type=file_type(content, filename),
        **more,
    )
    file["url"] = f"{call.setup.base_url}/v1/files/{file['id']}/contents"
    file["links"] = nested_list([], f"/v1/file_links?file={file['id']}")
    if id:
        _claim(call.tx, call.scope, id)
    else:
        _store(call.tx, call.scope, file["id"], content)
    return call.objects.insert(file, "file.created")
