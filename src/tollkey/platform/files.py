"""Files: uploaded evidence, documents and logos, and generated reports.

uploaded ──▶ kept        a file never changes; its contents are answered to whoever may read files
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tollkey.db import Ids, Scope
from tollkey.keys import Permission
from tollkey.platform._contents import CHUNK, MIGRATION, add_file, contents_reply, file_type, staged_contents
from tollkey.platform.file_links import check_linked, make_link
from tollkey.wire import ApiError, Call, Endpoint, Json, P, Reply, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.params import (
    FormError,
    Upload,
    check,
    decode_form,
    decode_multipart,
    is_multipart,
    operation_params,
    too_large,
)
from tollkey.wire.staging import Staged

if TYPE_CHECKING:
    from tollkey.wire import operations

__all__ = ["FILE", "MIGRATION", "PERMISSION"]

PERMISSION = Permission("file", "Files", "Core")


_MB = 1024 * 1024
#: Largest upload by purpose, in bytes (API reference, "Create a file"); 10 MB for other purposes.
_LARGEST = {
    "dispute_evidence": 5 * _MB, "business_icon": 512 * 1024, "business_logo": 512 * 1024,
    "customer_signature": 4 * _MB,
    "identity_document": 16 * _MB, "additional_verification": 10 * _MB, "account_requirement": 10 * _MB,
}  # fmt: skip
_LARGEST_BODY = 17 * _MB  # bytes: the largest file and the rest of the form
_LARGEST_FIELDS = 64 * 1024  # bytes of all other fields
_IMAGES = ("png", "jpg")
#: Allowed file types by purpose; other purposes allow any type.
_ALLOWED = {
    "dispute_evidence": (*_IMAGES, "pdf"), "identity_document": (*_IMAGES, "pdf"), "business_icon": (*_IMAGES, "gif"),
    "business_logo": (*_IMAGES, "gif"), "customer_signature": (*_IMAGES, "gif"),
}  # fmt: skip


_PARAMS = operation_params("POST", "/v1/files").extended({"file": P.any()})


def read_upload(body: bytes, kind: str) -> Json:
    """Parse a multipart form; its file is an ``Upload``. kind: the request's content type.

    Raises ApiError 400 for an invalid form.
    """
    try:
        if is_multipart(kind):
            return decode_multipart(body, kind, most=_LARGEST_FIELDS, file="file")
        if len(body) > _LARGEST_FIELDS:
            raise too_large(_LARGEST_FIELDS)
        return decode_form(body)
    except FormError as problem:
        raise invalid(str(problem)) from None


def _check_upload(params: operations.PostFiles) -> Upload:
    """Return the uploaded file. Raises ApiError 400 when its purpose does not allow it."""
    upload, purpose = params["file"], params["purpose"]
    if not isinstance(upload, Upload):
        raise invalid("Invalid file: must be an uploaded file", "file")
    content = upload.content
    limit = _LARGEST.get(purpose, 10 * _MB)
    if not content:
        raise invalid("The file is empty.", "file")
    if len(content) > limit:
        raise invalid(
            f"File is too large: {len(content)} bytes, and {limit} are allowed for the purpose {purpose}.", "file"
        )
    allowed = _ALLOWED.get(purpose)
    if allowed is not None and file_type(content, upload.name) not in allowed:
        raise invalid(
            f"File type is not supported for the purpose {purpose}. Supported types: {', '.join(allowed)}.", "file"
        )
    return upload


def stage(given: Json, scope: Scope, ids: Ids, now: int) -> Staged | None:
    """Return how to store a large file's contents before its object; None for a small file and one that is refused."""
    try:
        upload = _check_upload(cast("operations.PostFiles", check(_PARAMS, given)))
    except ApiError:  # ``create`` raises it again
        return None
    if len(upload.content) <= CHUNK:
        return None
    id = ids.new("file")
    return staged_contents(upload.content, id, scope, now, {**given, "file": upload._replace(id=id)})


def create(call: Call, params: operations.PostFiles) -> Json:
    """Upload a file as ``multipart/form-data`` with the fields ``file`` and ``purpose``."""
    upload = _check_upload(params)
    file = add_file(call, upload.content, upload.name, params["purpose"], upload.id, expires_at=None)
    link = params.get("file_link_data")
    if link and link.get("create"):
        check_linked(params["purpose"], "file_link_data[create]")
        made = make_link(call, file, link.get("expires_at"), link.get("metadata") or {})
        file["links"] = {**file["links"], "data": [made]}
        call.objects.save(file)
    return file


def contents(call: Call, params: operations.GetFilesFileContents) -> Reply:
    """Download the contents of a file."""
    file = call.objects.get("file", call.path["file"])
    name = (
        (file["filename"] or file["id"])
        .replace('"', "")
        .replace("\r", "")
        .replace("\n", "")
        .encode("ascii", "replace")
        .decode()
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return contents_reply(call, file, headers)


FILE = Resource(
    object="file",
    prefix="file",
    permission=PERMISSION,
    live=records(),
    label="file upload",
    path_param="file",
    indexed=("purpose",),
    endpoints=(
        Endpoint(
            "POST",
            "/v1/files",
            create,
            host="files",
            params=_PARAMS,
            largest_body=_LARGEST_BODY,
            decode=read_upload,
            stage=stage,
        ),
        listing("file", "/v1/files"),
        retrieve("file", "/v1/files/{file}"),
        Endpoint("GET", "/v1/files/{file}/contents", contents, params=P.object()),
    ),
    title="Files",
    columns=("filename", "purpose", "size", "id", "created"),
)
