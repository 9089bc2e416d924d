"""Radar value lists: e-mail addresses, cards or countries that Radar rules refer to.

list:  created ──update──▶ created ──delete──▶ gone, with its items
item:  created ──delete──▶ gone
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tollkey.db.table import as_text
from tollkey.keys import Permission
from tollkey.payments.charges import kinds
from tollkey.payments.shared import fields
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted
from tollkey.wire.pages import list_page, nested_list, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("radar_value_list", "Radar value lists", "Radar")

_ALIAS = re.compile(r"[a-zA-Z0-9_]{1,100}")
_FORMS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+", "country": r"[A-Z]{2}",
    "card_bin": r"\d{6,8}",
    "card_fingerprint": r"\w+", "customer_id": r"(cus_\w+)", "us_bank_account_fingerprint": r"\w+",
    "sepa_debit_fingerprint": r"\w+",
}  # fmt: skip


def _who(call: Call) -> str:
    return call.key.note or call.account if call.key is not None and call.key.note else call.account


def _items(call: Call, value: api.RadarValueList) -> api.RadarValueListListItems:
    found = call.objects.query(kinds.VALUE_LIST_ITEM, {"value_list": value["id"]}, limit=11)
    items = [call.objects.copy(item) for item in found[:10]]
    listed: api.RadarValueListListItems = nested_list(items, f"/v1/radar/value_list_items?value_list={value['id']}")
    listed["has_more"] = len(found) > 10
    return listed


def view(call: Call, value: api.RadarValueList) -> api.RadarValueList:
    """Return a list with its newest items."""
    value["list_items"] = _items(call, value)
    return value


def _free_alias(call: Call, alias: str) -> None:
    if _ALIAS.fullmatch(alias) is None:
        raise invalid("Alias may only contain letters, numbers, and underscores.", "alias")
    if call.objects.query(kinds.VALUE_LIST, {"alias": alias}, limit=1):
        raise invalid(f"A value list with the alias {alias} already exists.", "alias")


def create_list(call: Call, params: operations.PostRadarValueLists) -> api.RadarValueList:
    """Create an empty list."""
    _free_alias(call, params["alias"])
    value = new_object(
        kinds.VALUE_LIST,
        id=call.ids.new("rsl"),
        alias=params["alias"],
        name=params["name"],
        created=call.now,
        created_by=_who(call),
        item_type=params.get("item_type") or "string",
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        list_items=nested_list([], ""),
    )
    return call.objects.insert(value)


def update_list(call: Call, params: operations.PostRadarValueListsValueList) -> api.RadarValueList:
    """Change the name, alias or metadata of a list; its item type cannot change."""
    value = call.objects.get(kinds.VALUE_LIST, call.path["value_list"])
    if params.get("alias") not in (None, value["alias"]):
        _free_alias(call, params["alias"])
    fields.assign(value, params, ("alias", "name"))
    fields.merge_metadata(value, params)
    return call.objects.save(value)


def delete_list(call: Call, params: operations.DeleteRadarValueListsValueList) -> Deleted:
    """Delete a list with its items."""
    value = call.objects.get(kinds.VALUE_LIST, call.path["value_list"])
    while items := call.objects.query(kinds.VALUE_LIST_ITEM, {"value_list": value["id"]}):
        for item in items:
            call.objects.delete(item)
    return call.objects.delete(value)


def list_lists(call: Call, params: operations.GetRadarValueLists) -> Page:
    """List the value lists, optionally by alias or by a contained value."""
    equal: dict[str, str] = {"alias": params["alias"]} if params.get("alias") else {}
    keep = None
    if params.get("contains"):
        wanted = params["contains"]

        def keep(value: api.RadarValueList) -> bool:
            return bool(
                call.objects.query(kinds.VALUE_LIST_ITEM, {"value_list": value["id"], "value": wanted}, limit=1)
            )

    return list_page(call, kinds.VALUE_LIST, params, equal, url="/v1/radar/value_lists", keep=keep)


def _is_address(text: str) -> bool:
    """Return whether a value is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def create_item(call: Call, params: operations.PostRadarValueListItems) -> api.RadarValueListItem:
    """Add a value to a list; it must have the form of the list's item type."""
    owner = call.objects.get(kinds.VALUE_LIST, params["value_list"], "value_list")
    form, value = _FORMS.get(owner["item_type"]), params["value"]
    fits = _is_address(value) if owner["item_type"] == "ip_address" else form is None or re.fullmatch(form, value)
    if not fits:
        raise invalid(f"Invalid {owner['item_type']}: {value}", "value")
    if owner["item_type"] == "case_sensitive_string" or owner["item_type"] in (
        "card_fingerprint",
        "customer_id",
        "country",
    ):
        kept = value
    else:
        kept = value.lower()
    if call.objects.query(kinds.VALUE_LIST_ITEM, {"value_list": owner["id"], "value": kept}, limit=1):
        raise invalid("This value already exists in the value list.", "value")
    item = new_object(
        kinds.VALUE_LIST_ITEM,
        id=call.ids.new("rsli"),
        created=call.now,
        created_by=_who(call),
        livemode=call.livemode,
        value=kept,
        value_list=owner["id"],
    )
    return call.objects.insert(item)


def list_items(call: Call, params: operations.GetRadarValueListItems) -> Page:
    """List the items of one value list."""
    call.objects.get(kinds.VALUE_LIST, params["value_list"], "value_list")
    equal = {name: as_text(params[name]) or "" for name in ("value_list", "value") if params.get(name)}
    return list_page(call, kinds.VALUE_LIST_ITEM, params, equal, url="/v1/radar/value_list_items")


def delete_item(call: Call, params: operations.DeleteRadarValueListItemsItem) -> Deleted:
    """Delete an item from its list."""
    item = call.objects.get(kinds.VALUE_LIST_ITEM, call.path["item"])
    return call.objects.delete(item)


VALUE_LIST = Resource(
    object="radar.value_list",
    prefix="rsl",
    permission=PERMISSION,
    live=records(),
    label="value list",
    path_param="value_list",
    indexed=("alias",),
    view=view,
    endpoints=(
        Endpoint("POST", "/v1/radar/value_lists", create_list),
        Endpoint("GET", "/v1/radar/value_lists", list_lists),
        retrieve("radar.value_list", "/v1/radar/value_lists/{value_list}"),
        Endpoint("POST", "/v1/radar/value_lists/{value_list}", update_list),
        Endpoint("DELETE", "/v1/radar/value_lists/{value_list}", delete_list),
    ),
    title="Radar value lists",
    columns=("name", "alias", "item_type", "id", "created"),
)

VALUE_LIST_ITEM = Resource(
    object="radar.value_list_item",
    prefix="rsli",
    permission=PERMISSION,
    live=records(),
    label="value list item",
    path_param="item",
    indexed=("value_list", "value"),
    endpoints=(
        Endpoint("POST", "/v1/radar/value_list_items", create_item),
        Endpoint("GET", "/v1/radar/value_list_items", list_items),
        retrieve("radar.value_list_item", "/v1/radar/value_list_items/{item}"),
        Endpoint("DELETE", "/v1/radar/value_list_items/{item}", delete_item),
    ),
    title="Radar value list items",
)
