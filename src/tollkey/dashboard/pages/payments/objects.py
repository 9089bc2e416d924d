"""Objects of every kind: lists with filters and search, one object in full, and what people do to it by hand.

Everything comes from the resources' declarations: ``title``, ``columns``, ``indexed``, ``searchable``, ``actions``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tollkey.dashboard import acting, activity
from tollkey.dashboard.page import Answer, Context, File, Nav, NotFound, Page, Params, Redirect, Render, not_required
from tollkey.dashboard.pages.payments.events import without_credentials, without_secrets
from tollkey.dashboard.pages.payments.logs import day
from tollkey.dashboard.present import Presenter
from tollkey.dashboard.reference.pages import words_of_property
from tollkey.db.table import Range
from tollkey.payments.facts import money
from tollkey.platform import request_logs
from tollkey.wire import ApiError, Json, Resource
from tollkey.wire import Page as ListPage
from tollkey.wire.objects import value_at

_PAGE = 25
_MOST_EXPORTED = 10_000
_READ_AT_ONCE = 250
#: Fields that are not offered as filters because they differ for each object.
_HIDDEN = frozenset({"client_secret", "_about", "fingerprint"})


def shown_resources(ctx: Context) -> list[Resource]:
    """The resources whose objects have pages here, by title."""
    found = [r for r in ctx.setup.tables.catalogue.resources if acting.has_pages(ctx, r)]
    return sorted(found, key=lambda r: (r.title, r.object))


def title_of(resource: Resource, ctx: Context) -> str:
    """The title of a resource; its object type when two resources have the same title."""
    same = [r for r in ctx.setup.tables.catalogue.resources if r.title == resource.title and r.stored]
    return resource.title if len(same) < 2 else resource.object.replace("_", " ").replace(".", " ").capitalize() + "s"


def kinds(ctx: Context, params: Params) -> Answer:
    """List object types with the number of their objects, or find an object by id."""
    tables = ctx.setup.tables.of
    counted = [(r, title_of(r, ctx), tables[r.object].count(ctx.tx, ctx.scope)) for r in shown_resources(ctx)]
    wanted = params.get("id")
    address = _find(ctx, wanted) if wanted else ""
    if address:
        return Redirect(ctx.url(address))
    return Render("objects/kinds.html", {"kinds": counted, "asked": wanted[:200]})


def _find(ctx: Context, id: str) -> str:
    """The page of whatever has that id in this account and mode, or "": an object, a key, a request.

    The resource of its prefix comes first, then resources whose ids are chosen by callers, such as coupons.
    """
    tables, presenter = ctx.setup.tables, Presenter(ctx.setup.tables.catalogue)
    if ctx.may("keys.see") and ctx.authority.get(ctx.tx, ctx.scope, id) is not None:
        return f"/apikeys/{id}"
    if ctx.may("logs.see") and request_logs.one(ctx.tx, ctx.scope, id) is not None:
        return f"/logs/{id}"
    named = tables.catalogue.of_id(id)
    shown = named is not None and named.stored and (named.object in acting.ELSEWHERE or acting.has_pages(ctx, named))
    if named is not None and shown and tables.load(ctx.tx, ctx.scope, named.object, id) is not None:
        return presenter.address(id)
    chosen = (r for r in shown_resources(ctx) if tables.of[r.object].get(ctx.tx, ctx.scope, id) is not None)
    return next((f"/objects/{r.object}/{quote(id, safe='')}" for r in chosen), "")


def filters_of(resource: Resource) -> list[str]:
    """The fields that the list can be filtered by."""
    return [name for name in resource.indexed if name not in _HIDDEN and not name.startswith("_")]


def index(ctx: Context, params: Params) -> Answer:
    """List the objects of a type, newest first."""
    resource = acting.resource_of(ctx, params["object"])
    filters = filters_of(resource)
    given = {name: params.get(name) for name in filters if params.get(name)}
    query = params.get("query")
    after, begin, end = params.get("after"), params.get("from"), params.get("to")
    table = ctx.setup.tables.of[resource.object]
    cursor = table.get(ctx.tx, ctx.scope, after) if after else None
    ranges = _ranges(params)
    objects = ctx.call().objects
    if query:
        try:
            answered = _search_with_api(ctx, resource, query)
        except ApiError as problem:
            answered, ctx.errors = [], {"": problem.message}
        found, more = (_search(ctx, resource, query) if answered is None else answered), False
    else:
        found = objects.page(resource.object, _PAGE + 1, equal=given, ranges=ranges, after=cursor)
        more = len(found) > _PAGE
    kept: dict[str, Any] = {**given, "from": begin or None, "to": end or None}
    url = f"/objects/{resource.object}"
    context = {
        "resource": resource, "title": title_of(resource, ctx), "items": found[:_PAGE],
        "columns": resource.columns or ("id", "created"),
        "filters": filters, "given": given, "begin": begin, "end": end, "query": query,
        "choices": _choices(resource, filters),
        "presenter": Presenter(ctx.setup.tables.catalogue),
        "export": ctx.url(f"{url}/export", **kept),
        "older": ctx.url(url, after=found[_PAGE - 1]["id"], **kept) if more else "",
        "newest": ctx.url(url, **kept) if after else "",
    }  # fmt: skip
    return Render("objects/index.html", context)


def _ranges(params: Params) -> list[Range]:
    bounds = ((">=", day(params.get("from"))), ("<=", day(params.get("to"), end=True)))
    return [Range("created", operator, at) for operator, at in bounds if at is not None]


def _choices(resource: Resource, filters: list[str]) -> dict[str, tuple[str, ...]]:
    """The values of the filters that are enums."""
    return {name: words for name in filters if (words := words_of_property(resource.object, name))}


def _search(ctx: Context, resource: Resource, query: str) -> list[Json]:
    """The latest objects that contain every word in a searchable field, or the object with that id."""
    words = query.lower().split()[:8]
    fields = [*dict.fromkeys([*resource.searchable.values(), "id", "email", "name", "description", "metadata"])]
    objects = ctx.call().objects
    direct = objects.find(resource.object, query)
    if direct is not None:
        return [direct]
    found: list[Json] = []
    cursor, looked = None, 0
    table = ctx.setup.tables.of[resource.object]
    while len(found) < _PAGE and looked < 5_000:
        records = table.page(ctx.tx, ctx.scope, 500, after=cursor)
        for record in records:
            value = json.loads(record.body)
            text = " ".join(
                json.dumps(part, ensure_ascii=False) for name in fields if (part := value_at(value, name)) is not None
            ).lower()
            if all(word in text for word in words):
                found.append(value)
        looked += len(records)
        if len(records) < 500:
            break
        cursor = records[-1]
    return found[:_PAGE]


def _search_with_api(ctx: Context, resource: Resource, query: str) -> list[Json] | None:
    """Results of the API's search for a query such as ``status:'succeeded'``; None for other text."""
    endpoint = next((e for e in resource.endpoints if e.method == "GET" and e.path.endswith("/search")), None)
    if endpoint is None or not any(mark in query for mark in (":", "<", ">", "~")):
        return None
    found = acting.call_endpoint(ctx, endpoint, [("query", query), ("limit", str(_PAGE))])
    return list(found.data) if isinstance(found, ListPage) else None


def export(ctx: Context, params: Params) -> Answer:
    """Export the filtered list as CSV (RFC 4180), at most 10,000 objects."""
    resource = acting.resource_of(ctx, params["object"])
    given = {name: params.get(name) for name in filters_of(resource) if params.get(name)}
    ranges = _ranges(params)
    columns = list(dict.fromkeys(["id", *resource.columns, "currency", "created", "metadata"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for item in _exported(ctx, resource, given, ranges):
        writer.writerow([_plain(value_at(item, column)) for column in columns])
    return File(f"{resource.object.replace('.', '_')}.csv", "text/csv; charset=utf-8", text.getvalue().encode())


def _exported(ctx: Context, resource: Resource, given: dict[str, Any], ranges: list[Range]) -> Iterator[Json]:
    """The objects of an export, a few at a time: all of them at once keep the garbage collector, and with it everybody,
    busy for half a second.
    """
    table, cursor = ctx.setup.tables.of[resource.object], None
    for _ in range(_MOST_EXPORTED // _READ_AT_ONCE):
        objects = ctx.call().objects  # one call remembers all that it has read
        found = objects.page(resource.object, _READ_AT_ONCE, equal=given, ranges=ranges, after=cursor)
        yield from found
        if len(found) < _READ_AT_ONCE:
            return
        cursor = table.get(ctx.tx, ctx.scope, found[-1]["id"])


def _plain(value: Any) -> str:
    """A CSV cell. Text that a spreadsheet would run as a formula is prefixed."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(without_secrets(value), ensure_ascii=False) if value else ""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else str(value)


def show(ctx: Context, params: Params) -> Answer:
    """Show an object with its JSON, events, requests and actions."""
    resource, item = acting.resource_and_object(ctx, params["object"], params["id"])
    return Render("objects/one.html", _details(ctx, resource, item))


def _details(ctx: Context, resource: Resource, item: Json) -> dict[str, Any]:
    call = ctx.call()
    presenter = Presenter(ctx.setup.tables.catalogue)
    public = without_secrets(without_credentials(ctx, call.objects.copy(item)))
    assert isinstance(public, dict)
    events = call.objects.query("event", {"_about": item["id"]}, limit=20) if ctx.may("logs.see") else []
    logs = request_logs.about(ctx.tx, ctx.scope, item["id"]) if ctx.may("logs.see") else []
    buttons = [
        (place, action)
        for place, action in acting.available(resource, item)
        if ctx.may(acting.group_of(resource, action))
    ]
    charge = item if resource.object == "charge" else None
    if item.get("latest_charge"):
        charge = call.objects.find("charge", item["latest_charge"])
    if charge is not None and charge.get("refunded"):
        buttons = [(place, action) for place, action in buttons if acting.group_of(resource, action) != "refunds.make"]
    return {
        "resource": resource, "title": title_of(resource, ctx), "item": public, "fields": presenter.fields(public),
        "presenter": presenter,
        "raw": json.dumps(public, indent=2, ensure_ascii=False), "events": events, "logs": logs, "buttons": buttons,
        "group_of": acting.group_of,
        "headline": presenter.value("amount", item.get("amount"), item.get("currency")) if "amount" in item else None,
        "status": presenter.value("status", item["status"], None) if item.get("status") else None,
        "notes": _badges(charge or {}),
    }  # fmt: skip


def _badges(charge: Json) -> list[str]:
    """Badges for refunds and disputes of a payment, which its status does not include."""
    notes = []
    if charge.get("amount_refunded"):
        amount = money(charge["amount_refunded"], charge["currency"])
        notes.append("Refunded" if charge["refunded"] else f"{amount} refunded")
    return [*notes, "Disputed"] if charge.get("disputed") else notes


def _action(ctx: Context, params: Params, group: str) -> tuple[Resource, Json, int]:
    resource, item = acting.resource_and_object(ctx, params["object"], params["id"])
    number = params["number"]
    offered = {
        place for place, action in acting.available(resource, item) if acting.group_of(resource, action) == group
    }
    if number not in map(str, offered):
        raise NotFound
    return resource, item, int(number)


def _form(group: str) -> Any:
    """The handler that shows the form of an action."""

    def form(ctx: Context, params: Params) -> Answer:
        resource, item, number = _action(ctx, params, group)
        action = resource.actions[number]
        fields = acting.fields_of(acting.endpoint_of(ctx, action), action)
        return Render("objects/act.html", {
            "resource": resource, "title": title_of(resource, ctx), "item": item, "action": action, "fields": fields,
            "group": group,
            "number": number, "presenter": Presenter(ctx.setup.tables.catalogue),
        })  # fmt: skip

    return form


def _do(group: str) -> Any:
    """The handler that runs an action."""

    def act(ctx: Context, params: Params) -> Answer:
        resource, item, number = _action(ctx, params, group)
        action = resource.actions[number]
        sent = {}
        for field in acting.fields_of(acting.endpoint_of(ctx, action), action):
            text = params.get(field.name)
            if field.kind == "money" and text:
                text = acting.to_minor_units(text, item.get("currency") or "usd", field.name)
            if field.kind == "time" and text:
                text = acting.to_epoch(text, field.name)
            sent[field.name] = text
        back = ctx.url(f"/objects/{resource.object}/{item['id']}")
        try:
            acting.perform(ctx, resource, item, action, sent)
        except acting.RefusedButSaved as kept:
            return Redirect(back, kept.message)
        activity.record(ctx.tx, ctx, ctx.account, "object_changed", about=item["id"], what=action.label)
        gone = ctx.setup.tables.load(ctx.tx, ctx.scope, resource.object, item["id"]) is None
        return Redirect(ctx.url(f"/objects/{resource.object}") if gone else back, f"Done: {action.label.lower()}.")

    return act


_BY_ROLE = not_required("the role allows it, and it neither gives access nor shows a secret")


def _acting_pages() -> tuple[Page, ...]:
    pages = []
    for group in acting.GROUPS:
        path = "/objects/{object}/{id}/" + group.replace(".", "-") + "/{number}"
        form = _form(group)
        pages += [
            Page(path, form, action=group),
            Page(path, _do(group), method="POST", action=group, recent_sign_in=_BY_ROLE, redisplay=form),
        ]
    return tuple(pages)


def _of(object: str) -> Any:
    """The handler of a list with a sidebar entry of its own."""

    def listed(ctx: Context, params: Params) -> Answer:
        return index(ctx, Params({"object": object}, params.sent))

    return listed


_SIDEBAR = (
    ("/payments", "payment_intent", "Payments"), ("/charges", "charge", "Charges"),
    ("/customers", "customer", "Customers"), ("/disputes", "dispute", "Disputes"),
    ("/balance", "balance_transaction", "Balance"), ("/payouts", "payout", "Payouts"),
    ("/products", "product", "Products"),
    ("/subscriptions", "subscription", "Subscriptions"), ("/invoices", "invoice", "Invoices"),
)  # fmt: skip

PAGES = (
    *(
        Page(path, _of(object), action="objects.see", nav=Nav("Payments", label, 10 + place, f"/objects/{object}"))
        for place, (path, object, label) in enumerate(_SIDEBAR)
    ),
    Page("/objects", kinds, action="objects.see", nav=Nav("Payments", "All objects", 90)),
    Page("/objects/{object}", index, action="objects.see"),
    Page("/objects/{object}/export", export, action="objects.export"),
    Page("/objects/{object}/{id}", show, action="objects.see"),
    *_acting_pages(),
)
