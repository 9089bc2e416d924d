"""Contents of files, stored in the database in chunks, in the transaction of the file object.

Every node can read them, a failed transaction leaves nothing behind, and database backups include them. They are also
sent in chunks. Earlier versions stored them in the data folder; ``move_in`` imports those.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tollkey.db import Database, Migration, Scope, Tx
from tollkey.wire import ApiError, Call, Json, Reply, Rest, nested_list, new_object

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
    ),
)
CHUNK = 256 * 1024  # bytes per chunk

#: File types by their first bytes.
_SIGNATURES = (
    (b"%PDF", "pdf", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"), (b"PK\x03\x04", "zip", "application/zip"),
)  # fmt: skip
_BY_NAME = {"csv": "text/csv", "txt": "text/plain", "xml": "text/xml"}
_TYPES = {kind: mime for _, kind, mime in _SIGNATURES} | _BY_NAME


def file_type(content: bytes, filename: str) -> str | None:
    """The ``type`` of a file by its first bytes, else by the extension of its name, else None."""
    for start, kind, _ in _SIGNATURES:
        if content.startswith(start):
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


def _store(tx: Tx, scope: Scope, id: str, content: bytes) -> None:
    tx.execute_many(
        "INSERT INTO file_contents (account, livemode, file, number, content) VALUES (?, ?, ?, ?, ?)",
        [
            (scope.account, int(scope.livemode), id, number, content[start : start + CHUNK])
            for number, start in enumerate(range(0, len(content), CHUNK))
        ],
    )


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


def add_file(call: Call, content: bytes, filename: str, purpose: str, **more: Any) -> Json:
    """Store contents and file object, with its ``file.created`` event. more: further fields of the object."""
    file = new_object(
        "file",
        id=call.ids.new("file"),
        created=call.now,
        filename=filename,
        purpose=purpose,
        size=len(content),
        type=file_type(content, filename),
        **more,
    )
    file["url"] = f"{call.setup.base_url}/v1/files/{file['id']}/contents"
    file["links"] = nested_list([], f"/v1/file_links?file={file['id']}")
    _store(call.tx, call.scope, file["id"], content)
    return call.objects.insert(file, "file.created")
