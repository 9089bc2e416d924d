"""Where the contents of files are kept: one file of the data folder each, named by its id.

The bytes are written, and reach the disk, before the transaction that names them commits, so a file
object never points at nothing. A transaction that fails leaves bytes that nothing names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tollkey.wire import Call, Json, blank, sublist

#: What the first bytes of a file say it is.
_SIGNATURES = (
    (b"%PDF", "pdf", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "png", "image/png"), (b"\xff\xd8\xff", "jpg", "image/jpeg"),
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


def _place(call: Call, id: str) -> Path:
    folder = Path(call.service("data")) / "files"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / id


def read_contents(call: Call, file: Json) -> bytes:
    """The bytes of a stored file."""
    return _place(call, file["id"]).read_bytes()


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
    place = _place(call, file["id"])
    with open(place, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    return call.objects.insert(file, "file.created")
