"""Actions on objects: buttons that call the API's endpoints, without a key, validated by the same schemas."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tollkey.dashboard.page import Context, FormErrors, NotFound
from tollkey.payments.facts import decimals
from tollkey.platform.connections import platform_of
from tollkey.wire import Action, ApiError, Call, Endpoint, Json, Resource
from tollkey.wire.call import Origin
from tollkey.wire.decimals import typed_amount
from tollkey.wire.params import Boolean, Param, Timestamp, check, decode_form
from tollkey.wire.resource import path_names
from tollkey.wire.versions import LATEST

#: The role permissions (``roles.ACTIONS``) that actions on objects require.
GROUPS = ("objects.change", "refunds.make", "disputes.answer", "clocks.change")

#: Resources that have pages of their own, with other role permissions, or are shown with another object.
ELSEWHERE = frozenset({"event", "webhook_endpoint", "api_key", "balance"})
#: Resources whose objects need another role permission than ``objects.see``.
_SEEN_WITH = {"v2.core.event_destination": "webhooks.see"}
#: Labels of fields whose names are unclear without knowing the API.
_LABELS = {"uncategorized_text": "Evidence (text)", "frozen_time": "New time"}


class FormField(NamedTuple):
    """A field of an action's form.

    kind: text, money, choice, time, boolean or long. words: the values of a choice.
    """

    name: str
    label: str
    kind: str
    words: tuple[str, ...] = ()
    required: bool = False


def group_of(resource: Resource, action: Action) -> str:
    """The role permission that an action requires (one of ``GROUPS``)."""
    if action.path.endswith(("/refund", "/refunds")):
        return "refunds.make"
    if resource.object == "dispute":
        return "disputes.answer"
    return "clocks.change" if resource.object == "test_helpers.test_clock" else "objects.change"


def available(resource: Resource, item: Json) -> list[tuple[int, Action]]:
    """The actions that an object's status allows, with their index in ``Resource.actions``."""
    return [
        (place, action)
        for place, action in enumerate(resource.actions)
        if not action.when or item.get("status") in action.when
    ]


def endpoint_of(ctx: Context, action: Action) -> Endpoint:
    """The endpoint that an action calls. Raises LookupError when no resource has it."""
    return find_endpoint(ctx, action.method, action.path)


def find_endpoint(ctx: Context, method: str, path: str) -> Endpoint:
    """The endpoint with a method and a declared path. Raises LookupError when no resource has it."""
    for resource in ctx.setup.tables.catalogue.resources:
        for endpoint in resource.endpoints:
            if endpoint.method == method and endpoint.path == path:
                return endpoint
    raise LookupError(f"no endpoint {method} {path}")


def fields_of(endpoint: Endpoint, action: Action) -> list[FormField]:
    """The fields of an action's form."""
    schema = endpoint.schema_for(LATEST[:10])
    found = []
    for name in action.fields:
        path = re.findall(r"[^][]+", name)
        node: Param | None = schema
        for part in path:
            node = _inside(node, part)
        found.append(_form_field(name, node, path[-1], path[-1] in schema.required))
    return found


def _inside(node: Any, part: str) -> Param | None:
    while node is not None and not hasattr(node, "fields"):
        node = next((o for o in getattr(node, "options", ()) if hasattr(o, "fields")), None) or getattr(
            node, "inner", None
        )
    return node.fields.get(part) if node is not None else None


def _form_field(name: str, node: Any, last: str, required: bool) -> FormField:
    label = _LABELS.get(last) or last.replace("_", " ").capitalize()
    inner = getattr(node, "inner", node)
    if getattr(inner, "words", ()):
        return FormField(name, label, "choice", tuple(inner.words), required)
    if last.startswith("amount"):
        return FormField(name, label, "money", (), required)
    if isinstance(inner, Timestamp):
        kind = "time"
    elif isinstance(inner, Boolean):
        kind = "boolean"
    else:
        kind = "long" if last.endswith("_text") or last in ("description", "explanation") else "text"
    return FormField(name, label, kind, (), required)


#: Thousands apart from one another, as in English. ``12,50`` is none: who types it means another amount than 1250.
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?", re.ASCII)


def to_minor_units(text: str, currency: str, field: str) -> str:
    """Convert a typed amount such as ``12.50`` to minor units, as text. field: of the form, for FormErrors."""
    places, plain = decimals(currency), text.strip().replace(" ", "")
    if _GROUPED.fullmatch(plain) and places < 3:  # ``1,250`` is one dinar and a quarter to some, and many to others
        plain = plain.replace(",", "")
    amount = None if "," in plain else typed_amount(plain, currency)
    if amount is None:
        raise FormErrors({field: f"Enter an amount such as {_EXAMPLES[places]}, in {currency.upper()}."})
    return str(amount)


#: Decimal places of a currency -> how an amount in it may be typed.
_EXAMPLES = {0: "1250", 2: "12.50", 3: "12.500"}


def to_epoch(text: str, field: str) -> str:
    """Convert a typed UTC time such as ``2026-03-01T12:00`` to epoch seconds, as text.

    field: of the form, for FormErrors.
    """
    if text.isascii() and text.isdigit():
        return text
    try:
        typed = datetime.datetime.fromisoformat(text)
        return str(int((typed if typed.tzinfo else typed.replace(tzinfo=datetime.UTC)).timestamp()))
    except (ValueError, OverflowError):
        raise FormErrors({field: "Enter a date and a time such as 2026-03-01T12:00."}) from None


def perform(ctx: Context, resource: Resource, item: Json, action: Action, sent: dict[str, str]) -> None:
    """Call the endpoint of an action on an object. sent: typed values by field.

    Raises FormErrors with the message for the field concerned, and RefusedButSaved when the API refuses but keeps what
    it wrote, such as a failed charge.
    """
    params = {name: value for name, value in sent.items() if value != ""} | dict(action.fixed)
    if action.id_param:
        params[action.id_param] = item["id"]
    failure: ApiError | None = None
    try:
        with ctx.tx.savepoint():
            try:
                call_endpoint(ctx, endpoint_of(ctx, action), params.items(), item["id"])
            except ApiError as error:
                if not error.keep:
                    raise
                failure = error
    except ApiError as error:
        raise FormErrors({error.param if error.param in sent else "": error.message}) from None
    if failure is not None:
        raise RefusedButSaved(failure)


def call_endpoint(ctx: Context, endpoint: Endpoint, sent: Iterable[tuple[str, str]], id: str = "") -> Any:
    """Call an endpoint in the account and mode of the page, with what the API asks of its parameters and of live mode.

    sent: parameters as in the form of a request. id: of the object that the path names, if any.
    Returns what the endpoint answers. Raises ApiError.
    """
    raw = decode_form(urlencode(list(sent)).encode())
    origin = Origin(ip=ctx.ip, method=endpoint.method, path=endpoint.path)
    call = Call(
        ctx.setup, ctx.tx, ctx.scope, ctx.now, path=dict.fromkeys(path_names(endpoint.path), id), origin=origin,
        platform=platform_of(ctx.tx, ctx.scope),
    )  # fmt: skip
    params = check(endpoint.schema_for(LATEST[:10]), raw)
    params.pop("expand", None)
    if endpoint.live is not None:
        endpoint.live.admit(call)
    return endpoint.handler(call, params)


class RefusedButSaved(Exception):
    """The API refused an action but kept what it wrote. message: the error message."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error.message)
        self.message = error.message


def has_pages(ctx: Context, resource: Resource) -> bool:
    """Whether the objects of a resource have pages under ``/objects`` that the person may see."""
    if not resource.title or not resource.stored or resource.object in ELSEWHERE:
        return False
    return ctx.may(_SEEN_WITH.get(resource.object, "objects.see"))


def resource_of(ctx: Context, object: str) -> Resource:
    """The resource of an object type that has pages under ``/objects``. Raises NotFound."""
    resource = ctx.setup.tables.catalogue.by_object.get(object)
    if resource is None or not has_pages(ctx, resource):
        raise NotFound
    return resource


def resource_and_object(ctx: Context, object: str, id: str) -> tuple[Resource, Json]:
    """A resource and one of its objects. Raises NotFound."""
    resource = resource_of(ctx, object)
    item = ctx.setup.tables.load(ctx.tx, ctx.scope, object, id)
    if item is None:
        raise NotFound
    return resource, item
