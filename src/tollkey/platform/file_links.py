"""File links: URLs where anybody can download a file.

created ──update──▶ created ──expires_at──▶ expired
                            └──update expires_at=now──▶ expired
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.platform._contents import contents_reply
from tollkey.wire import Call, Endpoint, Json, P, Reply, Resource, invalid, new_object
from tollkey.wire.hosted import hosted_url
from tollkey.wire.live import records
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("file", "Files", "Core")


#: Files of these purposes may have links; others hold what nobody but the account may see.
_LINKED = frozenset({
    "business_icon", "business_logo", "customer_signature", "dispute_evidence", "finance_report_run",
    "financial_account_statement", "identity_document_downloadable", "issuing_regulatory_reporting", "pci_document",
    "selfie", "sigma_scheduled_query", "tax_document_user_upload", "terminal_android_apk",
    "terminal_reader_splashscreen",
})  # fmt: skip


#: Files of these purposes are images (PNG, JPEG or GIF, checked when they are uploaded) that hosted pages show.
_PICTURES = frozenset({"business_icon", "business_logo"})


def check_linked(purpose: str, param: str = "file") -> None:
    """Raise ApiError 400 unless files of that purpose may have links. param: what asked for the link."""
    if purpose not in _LINKED:
        raise invalid(f"Files with the purpose `{purpose}` cannot have file links.", param)


def _expiry(call: Call, value: Any) -> int | None:
    """The expiration of a link in UTC epoch seconds; None for never."""
    if value in (None, ""):
        return None
    if value == "now":
        return call.now
    at = int(value)
    if at <= call.now:
        raise invalid("expires_at must be in the future", "expires_at")
    return at


def make_link(call: Call, file: Json, expires_at: Any, metadata: dict[str, str]) -> Json:
    """Store a link to the file, with its event."""
    at = _expiry(call, expires_at)
    link = new_object(
        "file_link", id=call.ids.new("link"), created=call.now, livemode=call.livemode, file=file["id"], expires_at=at,
        metadata=metadata,
        expired=at is not None and at <= call.now,
    )  # fmt: skip
    link["url"] = hosted_url(call, "links", link["id"])
    return call.objects.insert(link, "file_link.created")


def create(call: Call, params: operations.PostFileLinks) -> Json:
    """Create a link to a file."""
    file = call.objects.get("file", params["file"], "file")
    check_linked(file["purpose"])
    return make_link(call, file, params.get("expires_at"), params.get("metadata") or {})


def update(call: Call, params: operations.PostFileLinksLink) -> Json:
    """Update metadata or expiration of a link that has not expired."""
    link = call.objects.get("file_link", call.path["link"])
    if _expired(call, link):
        raise invalid("This file link has expired and can no longer be updated.", retry=False)
    if "metadata" in params:
        link["metadata"] = merged_metadata(link["metadata"], params["metadata"])
    if "expires_at" in params:
        link["expires_at"] = _expiry(call, params["expires_at"])
        link["expired"] = _expired(call, link)
    return call.objects.save(link, "file_link.updated")


def _expired(call: Call, link: Json) -> bool:
    return link["expires_at"] is not None and call.now >= link["expires_at"]


def view(call: Call, link: Json) -> Json:
    """The link with its current ``expired``."""
    link["expired"] = _expired(call, link)
    return link


def download(call: Call, params: operations.GetLinksToken) -> Reply:
    """Download the file of a link."""
    link = call.objects.get("file_link", call.path["id"])
    if _expired(call, link):
        raise invalid("This link has expired.", code="resource_missing")
    file = call.objects.get("file", link["file"])
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return contents_reply(call, file, headers)


def picture(call: Call, params: operations.GetPicturesToken) -> Reply:
    """Show the icon or logo of a business on a hosted page."""
    file = call.objects.get("file", call.path["id"])
    if file["purpose"] not in _PICTURES:
        raise invalid("This file is not a picture of a business.", code="resource_missing")
    return contents_reply(call, file, {"X-Content-Type-Options": "nosniff"})


FILE_LINK = Resource(
    object="file_link",
    prefix="link",
    permission=PERMISSION,
    reveals={"url": "read"},
    live=records(),
    label="file link",
    path_param="link",
    indexed=("file", "expired"),
    view=view,
    endpoints=(
        Endpoint("POST", "/v1/file_links", create),
        listing("file_link", "/v1/file_links"),
        retrieve("file_link", "/v1/file_links/{link}"),
        Endpoint("POST", "/v1/file_links/{link}", update),
        Endpoint("GET", "/links/{token}", download, public=True, params=P.object()),
        Endpoint("GET", "/pictures/{token}", picture, public=True, params=P.object()),
    ),
    title="File links",
    columns=("file", "expires_at", "id", "created"),
)
