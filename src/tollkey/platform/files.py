"""Files: evidence, documents and logos that are uploaded, and reports that are made.

uploaded ──▶ kept        a file never changes; its contents are answered to whoever may read files
"""

from __future__ import annotations

import io
from urllib.parse import urlencode

from falcon.errors import HTTPError
from falcon.media import MultipartFormHandler

from tollkey.keys import Permission
from tollkey.platform._contents import add_file, mime_of, read_contents
from tollkey.platform.file_links import make_link
from tollkey.wire import (
    Call,
    Endpoint,
    Json,
    P,
    Params,
    Reply,
    Resource,
    invalid,
    listing,
    missing_param,
    operation_params,
    records,
    retrieve,
)
from tollkey.wire.params import FormError, check, decode_form

PERMISSION = Permission("file", "Files", "Core")

_MB = 1024 * 1024
#: Largest upload by purpose, in bytes (API reference, "Create a file"); 10 MB where it says nothing else.
_LARGEST = {
    "dispute_evidence": 5 * _MB, "business_icon": 512 * 1024, "business_logo": 512 * 1024, "customer_signature": 4 * _MB,
    "identity_document": 16 * _MB, "additional_verification": 10 * _MB, "account_requirement": 10 * _MB,
}  # fmt: skip
_IMAGES = ("png", "jpg")
#: The types that a purpose takes; any type where it is not named.
_ALLOWED = {
    "dispute_evidence": (*_IMAGES, "pdf"), "identity_document": (*_IMAGES, "pdf"), "business_icon": (*_IMAGES, "gif"),
    "business_logo": (*_IMAGES, "gif"), "customer_signature": (*_IMAGES, "gif"),
}  # fmt: skip


def _parts(call: Call) -> tuple[Json, tuple[str, bytes] | None]:
    """The fields of a multipart form, and its file's name and bytes."""
    kind = call.origin.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        try:
            return decode_form(call.body), None
        except FormError as problem:
            raise invalid(str(problem)) from None
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_buffer_size = len(call.body) + 1
    fields: list[tuple[str, str]] = []
    upload: tuple[str, bytes] | None = None
    try:
        for part in handler.deserialize(io.BytesIO(call.body), kind, len(call.body)):
            data = part.get_data()
            if part.name == "file":
                upload = (part.filename or "file", data)
            else:
                fields.append((part.name or "", data.decode("utf-8", "replace")))
    except HTTPError as problem:
        raise invalid(f"Invalid multipart form: {problem.description or problem.title}") from None
    try:
        return decode_form(urlencode(fields).encode()), upload
    except FormError as problem:
        raise invalid(str(problem)) from None


def create(call: Call, params: Params) -> Json:
    """Upload a file as ``multipart/form-data`` with the fields ``file`` and ``purpose``."""
    fields, upload = _parts(call)
    if upload is None:
        raise missing_param("file") if "file" not in fields else invalid("Invalid file: must be an uploaded file", "file")
    given = check(operation_params("POST", "/v1/files").extended({"file": P.any()}), {**fields, "file": upload[0]})
    name, content = upload
    purpose = given["purpose"]
    limit = _LARGEST.get(purpose, 10 * _MB)
    if not content:
        raise invalid("The file is empty.", "file")
    if len(content) > limit:
        raise invalid(f"File is too large: {len(content)} bytes, and {limit} are allowed for the purpose {purpose}.", "file")
    file = add_file(call, content, name, purpose, expires_at=None)
    allowed = _ALLOWED.get(purpose)
    if allowed is not None and file["type"] not in allowed:
        raise invalid(f"File type is not supported for the purpose {purpose}. Supported types: {', '.join(allowed)}.", "file")
    link = given.get("file_link_data")
    if link and link.get("create"):
        made = make_link(call, file, link.get("expires_at"), link.get("metadata") or {})
        file["links"] = {**file["links"], "data": [made]}
        call.objects.save(file)
    return file


def contents(call: Call, params: Params) -> Reply:
    """The bytes of a file."""
    file = call.objects.get("file", call.path["file"])
    name = (file["filename"] or file["id"]).replace('"', "").replace("\r", "").replace("\n", "").encode("ascii", "replace").decode()
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Reply(read_contents(call, file), mime_of(file), headers=headers)


FILE = Resource(
    object="file",
    prefix="file",
    permission=PERMISSION,
    live=records(),
    label="file upload",
    path_param="file",
    indexed=("purpose",),
    endpoints=(
        Endpoint("POST", "/v1/files", create, host="files", params=P.object()),
        listing("file", "/v1/files"),
        retrieve("file", "/v1/files/{file}"),
        Endpoint("GET", "/v1/files/{file}/contents", contents, params=P.object()),
    ),
    title="Files",
    columns=("filename", "purpose", "size", "id", "created"),
)
