"""What most resources with money share: merging metadata, addresses, the account one acts for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tollkey.wire import Call, Json, Params, merged_metadata, missing_object

#: The parts of an address, as every address has them.
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def merge_metadata(value: Json, params: Params) -> None:
    """Merge ``metadata`` of the parameters, if it was sent, into an object. Raises as ``merged_metadata`` does."""
    if "metadata" in params:
        value["metadata"] = merged_metadata(value.get("metadata"), params["metadata"])


def new_metadata(params: Params) -> dict[str, str]:
    """The ``metadata`` of a new object. Raises as ``merged_metadata`` does."""
    return merged_metadata(None, params.get("metadata"))


def assign(value: Json, params: Params, names: Iterable[str]) -> None:
    """Copy the parameters of these names that were sent; one sent empty becomes null."""
    for name in names:
        if name in params:
            value[name] = params[name]


def take(value: Json, params: Params, names: Iterable[str]) -> None:
    """Copy the parameters of these names that were sent, and merge ``metadata``. Raises as ``merged_metadata`` does."""
    assign(value, params, names)
    merge_metadata(value, params)


def given(params: Params, name: str, default: Any = None) -> Any:
    """The parameter, or the default when it was not sent or unset."""
    found = params.get(name)
    return default if found is None else found


def address(given: Mapping[str, Any] | None) -> Json | None:
    """An address with all its keys, or None."""
    return None if given is None else {name: given.get(name) or None for name in ADDRESS}


def shipping(given: Mapping[str, Any] | None) -> Json | None:
    """``shipping`` of a charge, an intent or a customer, with all its keys."""
    if given is None:
        return None
    full: Json = {
        "address": address(given.get("address") or {}),
        "name": given.get("name"),
        "phone": given.get("phone"),
    }
    for name in ("carrier", "tracking_number"):
        if name in given:
            full[name] = given[name]
    return full


def billing_details(given: Mapping[str, Any] | None) -> Json:
    """``billing_details`` with all its keys."""
    given = given or {}
    return {
        "address": address(given.get("address") or {}),
        "email": given.get("email") or None,
        "name": given.get("name") or None,
        "phone": given.get("phone") or None,
        "tax_id": given.get("tax_id") or None,
    }


def part_of(call: Call, parent: str, object: str, label: str, name: str = "id") -> Json:
    """The object that the path names, if it belongs to the parent that the path names too: a charge's refund, for
    example.

    parent: the field and the path's name of the parent. label: how messages name the kind. name: the path's name of the
        id. Raises ApiError 404.
    """
    found = call.objects.find(object, call.path[name])
    if found is None or found[parent] != call.path[parent]:
        raise missing_object(label, call.path[name], name, in_path=True)
    return found


def count_part(call: Call, listed: Json, object: str, equal: Mapping[str, str]) -> None:
    """An object has got one more part: its sub-list shows the newest ten again and counts it.

    listed: the sub-list. object, equal: which stored objects are the parts.
    """
    newest = call.objects.query(object, dict(equal), limit=10)
    listed["data"] = [call.objects.copy(one) for one in newest]
    listed["total_count"] += 1
    listed["has_more"] = listed["total_count"] > len(newest)


def acting_account(call: Call) -> Json | None:
    """The account object of the scope, to look at: a merchant's own, or a connected one that its platform keeps."""
    own = call.objects.look("account", call.account)
    if own is None and call.owner != call.account:
        own = call.within(call.owner).objects.look("account", call.account)
    return own


def account_country(call: Call) -> str:
    """The country of the scope's account; the US when it is not known."""
    account = acting_account(call)
    return str((account or {}).get("country") or "US")


def knows(call: Call, object: str) -> bool:
    """Whether this server has that kind of object at all."""
    return object in call.setup.tables.of


def clock_of(call: Call, customer: str | None) -> str | None:
    """The test clock that a customer lives on, or None for real time."""
    found = call.objects.find("customer", customer) if customer else None
    return found.get("test_clock") if found else None


def settle_seconds(call: Call) -> int:
    """How long asynchronous test outcomes take on this server, in seconds."""
    return int(call.services.settings.settle_seconds)
