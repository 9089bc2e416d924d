"""Where the contents of files are kept: in the database, in pieces, written in the transaction of the file object.

So every node finds them, a transaction that fails leaves nothing, and a backup of the database has them. They leave a
piece at a time too. (Until this was so they lay in the data folder of the node that was asked; ``move_in`` takes those
in.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tollkey.db import Database, Migration, Scope, Tx
from tollkey.wire import ApiError, Call, Json, Reply, Rest, blank, sublist

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
PIECE = 256 * 1024  # bytes of a file that are stored, read and sent together

#: What the first bytes of a file say it is.
_SIGNATURES = (
    (b"%PDF", "pdf", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"), (b"PK\x03\x04", "zip", "application/zip"),
)  # fmt: skip
_BY_NAME = {"csv": "text/csv", "txt": "text/plain", "xml": "text/xml"}
_TYPES = {kind: mime for _, kind, mime in _SIGNATURES} | _BY_NAME


def file_type(content: bytes, filename: str) -> str | None:
    """The ``type`` of a file: what its first bytes say, else what its name ends with, else None."""
    for start, kind, _ in _SIGNATURES:
        if content.startswith(start):
            return kind
    ending = filename.rpartition(".")[2].lower()
    return ending if ending in _BY_NAME else None


def mime_of(file: Json) -> str:
    """The media type under which a file's bytes are answered."""
    return _TYPES.get(file["type"] or "", "application/octet-stream")


def contents_reply(call: Call, file: Json, headers: dict[str, str]) -> Reply:
    """A stored file as an answer, of which only the first piece is read yet. headers: besides its type and length."""
    scope, id = call.scope, file["id"]

    def read(number: int, tx: Tx) -> bytes:
        return _piece(tx, scope, id, number)

    pieces = -(-file["size"] // PIECE)
    rest = Rest(file["size"], pieces, read) if pieces > 1 else None
    return Reply(read(0, call.tx), mime_of(file), headers=headers, rest=rest)


def _piece(tx: Tx, scope: Scope, id: str, number: int) -> bytes:
    rows = tx.execute(
        "SELECT content FROM file_contents WHERE account = ? AND livemode = ? AND file = ? AND number = ?",
        (scope.account, int(scope.livemode), id, number),
    )
    if (
        not rows
    ):  # it was uploaded by an earlier version, and the node that has it in its data folder has not started since
        raise ApiError(404, code="resource_missing", message=f"The contents of {id} are not in the database.")
    return bytes(rows[0][0])


def _keep(tx: Tx, scope: Scope, id: str, content: bytes) -> None:
    tx.execute_many(
        "INSERT INTO file_contents (account, livemode, file, number, content) VALUES (?, ?, ?, ?, ?)",
        [
            (scope.account, int(scope.livemode), id, number, content[start : start + PIECE])
            for number, start in enumerate(range(0, len(content), PIECE))
        ],
    )


def move_in(database: Database, folder: Path) -> int:
    """Take files of an earlier version out of the data folder into the database; returns how many.

    Each is removed once its transaction is durable, so that a crash in between leaves it in both places, and the next
    start finds it. What no file object names stays where it is.
    """
    there = {path.name: path for path in folder.iterdir() if path.is_file()} if folder.is_dir() else {}
    if not there:
        return 0
    objects = database.read(lambda tx: tx.execute("SELECT account, livemode, id FROM obj_file"))
    owners = {id: Scope(account, bool(livemode)) for account, livemode, id in objects if id in there}
    for id, scope in owners.items():

        def work(tx: Tx, id: str = id, scope: Scope = scope) -> None:
            key = (scope.account, int(scope.livemode), id)
            if not tx.execute(
                "SELECT 1 FROM file_contents WHERE account = ? AND livemode = ? AND file = ? LIMIT 1", key
            ):
                _keep(tx, scope, id, there[id].read_bytes())

        database.write(work, lock=f"files:{id}")
        there[id].unlink(missing_ok=True)
    return len(owners)


def add_file(call: Call, content: bytes, filename: str, purpose: str, **more: Any) -> Json:
    """Keep the bytes and store the file object, with its ``file.created`` event."""
    file = blank(
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
    file["links"] = sublist([], f"/v1/file_links?file={file['id']}")
    _keep(call.tx, call.scope, file["id"], content)
    return call.objects.insert(file, "file.created")
