"""Webhook endpoints: where events are sent.

    enabled ◀──update──▶ disabled        any state ──delete──▶ gone

The signing secret is answered once, by ``create``; it is kept sealed, since each delivery is signed with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tollkey import outbox
from tollkey.db import Scope, Tx
from tollkey.keys import Permission
from tollkey.keys.keyring import Keyring
from tollkey.platform._sealed import sealed, unsealed
from tollkey.wire import Call, Endpoint, Json, Resource, invalid, new_object
from tollkey.wire.errors import missing_param
from tollkey.wire.live import records
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import listing, retrieve
from tollkey.wire.tables import Tables
from tollkey.wire.versions import is_newer, newer_notice

if TYPE_CHECKING:
    from tollkey.wire import operations

PERMISSION = Permission("webhook", "Webhook Endpoints, Event Destinations", "Webhook")
MOST = 16
_URL = re.compile(r"https?://[^\s/$.?#][^\s]*", re.IGNORECASE)


def secrets_of(keyring: Keyring, scope: Scope, endpoint: Json) -> tuple[str, ...]:
    """The active signing secrets, newest first: two after a roll that kept the old one."""
    return tuple(unsealed(keyring, scope, endpoint["id"], one) for one in endpoint["_secrets"])


def check_url(call: Call, url: str, param: str = "url") -> None:
    """Raise ApiError unless events can be sent to a URL: http or https in test mode, https in live mode."""
    if not _URL.fullmatch(url):
        raise invalid("Not a valid URL", param, "url_invalid")
    if call.livemode and not url.lower().startswith("https://"):
        raise invalid("Invalid URL: Live webhook endpoints must use HTTPS.", param, "url_invalid")


def create(call: Call, params: operations.PostWebhookEndpoints) -> Json:
    """Create a webhook endpoint. ``secret`` is only returned here."""
    check_url(call, params["url"])
    if call.objects.table("webhook_endpoint").count(call.tx, call.scope) >= MOST:
        raise invalid(
            f"You have reached the maximum of {MOST} {'live' if call.livemode else 'test'} webhook endpoints."
        )
    connect = params.pop("connect", None) or False
    if not params.get("enabled_events"):
        raise missing_param("enabled_events")
    id = call.ids.new("we")
    secret = "whsec_" + call.ids.text(32)
    endpoint = new_object("webhook_endpoint", id=id, created=call.now, livemode=call.livemode, status="enabled")
    endpoint.update({name: value for name, value in params.items() if value is not None})
    endpoint["_connect"] = connect
    endpoint["_secrets"] = [sealed(call, id, secret)]
    call.objects.insert(endpoint)
    if is_newer(endpoint["api_version"] or ""):
        call.notices.append(newer_notice(endpoint["api_version"]))
    return {**endpoint, "secret": secret}


def update(call: Call, params: operations.PostWebhookEndpointsWebhookEndpoint) -> Json:
    """Update, disable or enable a webhook endpoint."""
    endpoint = call.objects.get("webhook_endpoint", call.path["webhook_endpoint"])
    if params.get("url"):
        check_url(call, params["url"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params.pop("disabled") else "enabled"
    if "metadata" in params:
        endpoint["metadata"] = merged_metadata(endpoint["metadata"], params.pop("metadata"))
    endpoint.update(params)
    return call.objects.save(endpoint)


def delete(call: Call, params: operations.DeleteWebhookEndpointsWebhookEndpoint) -> Deleted:
    """Delete a webhook endpoint. Pending deliveries to it are canceled."""
    return call.objects.delete(call.objects.get("webhook_endpoint", call.path["webhook_endpoint"]))


def roll_secret(call: Call, endpoint: Json, keep_old: bool) -> str:
    """Create a new signing secret and return it.

    keep_old: whether to keep signing with the old one as well, until the next roll.
    """
    secret = "whsec_" + call.ids.text(32)
    endpoint["_secrets"] = [sealed(call, endpoint["id"], secret), *(endpoint["_secrets"][:1] if keep_old else [])]
    call.objects.save(endpoint)
    return secret


def targets(call: Call, type: str, connected: bool) -> list[tuple[Scope, outbox.Destination, str | None]]:
    """The destinations of an event of this scope: its own endpoints, and those of its platform for connected accounts.

    type: of the event. connected: whether it happened on a connected account.
    Returns scope, destination and API version (None for the default one) of each endpoint.
    """
    found = []
    for home in {call.account: call, call.owner: call.within(call.owner)}.values():
        of_platform = connected and home.account == call.owner
        for endpoint in home.objects.query_read_only("webhook_endpoint", {"status": "enabled"}, MOST):
            if endpoint["_connect"] == of_platform:
                target = outbox.Destination(endpoint["id"], endpoint["url"], (), tuple(endpoint["enabled_events"]))
                if target.wants(type):
                    found.append((home.scope, target, endpoint.get("api_version")))
    return found


def lookup(tables: Tables, keyring: Keyring, tx: Tx, scope: Scope, id: str) -> outbox.Destination | None:
    """The current destination of a webhook endpoint or event destination, with its secrets; None when it was deleted or
    disabled.
    """
    of_v2 = id.startswith("ed_")
    endpoint = tables.load(tx, scope, "v2.core.event_destination" if of_v2 else "webhook_endpoint", id)
    if endpoint is None or endpoint["status"] != "enabled":
        return None
    url = endpoint["_url"] if of_v2 else endpoint["url"]
    return outbox.Destination(id, url, secrets_of(keyring, scope, endpoint), tuple(endpoint["enabled_events"]))


WEBHOOK_ENDPOINT = Resource(
    object="webhook_endpoint",
    prefix="we",
    path_param="webhook_endpoint",
    label="webhook endpoint",
    permission=PERMISSION,
    reveals={"secret": "write"},
    live=records(),
    indexed=("status",),
    sealed=("_secrets",),
    endpoints=(
        listing("webhook_endpoint", "/v1/webhook_endpoints"),
        Endpoint("POST", "/v1/webhook_endpoints", create, secret="secret"),
        retrieve("webhook_endpoint", "/v1/webhook_endpoints/{webhook_endpoint}"),
        Endpoint("POST", "/v1/webhook_endpoints/{webhook_endpoint}", update),
        Endpoint("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", delete),
    ),
    title="Webhook endpoints",
    columns=("url", "status", "id", "created"),
)
