"""What most resources with money share: merging metadata, addresses, the account one acts for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast, overload

from tollkey.wire import Call, merged_metadata, missing_object
from tollkey.wire.kinds import Kind, T

if TYPE_CHECKING:
    from tollkey.wire import api

ACCOUNT: Kind[api.Account] = Kind("account")
#: The parts of an address, as every address has them.
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def merge_metadata(value: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Merge ``metadata`` of the parameters, if it was sent, into an object. Raises as ``merged_metadata`` does."""
    if "metadata" in params:
        _changeable(value)["metadata"] = merged_metadata(value.get("metadata"), params["metadata"])


def new_metadata(params: Mapping[str, Any]) -> dict[str, str]:
    """The ``metadata`` of a new object. Raises as ``merged_metadata`` does."""
    return merged_metadata(None, params.get("metadata"))


def assign(value: Mapping[str, Any], params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Copy the parameters of these names that were sent; one sent empty becomes null."""
    changed = _changeable(value)
    for name in names:
        if name in params:
            changed[name] = params[name]


def _changeable(value: Mapping[str, Any]) -> MutableMapping[str, Any]:
    """An object as the dict that it is: a TypedDict does not say that fields with computed names may be set."""
    return cast("MutableMapping[str, Any]", value)


def assign_with_metadata(value: Mapping[str, Any], params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Copy the parameters of these names that were sent, and merge ``metadata``. Raises as ``merged_metadata`` does."""
    assign(value, params, names)
    merge_metadata(value, params)


def given(params: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """The parameter, or the default when it was not sent or unset."""
    found = params.get(name)
    return default if found is None else found


def address(given: Mapping[str, Any] | None) -> api.Address | None:
    """An address with all its keys, or None."""
    return None if given is None else full_address(given)


def full_address(given: Mapping[str, Any]) -> api.Address:
    """An address with all its keys, null where nothing was given."""
    return cast("api.Address", {name: given.get(name) or None for name in ADDRESS})


def shipping(given: Mapping[str, Any] | None) -> api.Shipping | None:
    """``shipping`` of a charge, an intent or a customer, with all its keys."""
    if given is None:
        return None
    full: api.Shipping = {
        "address": full_address(given.get("address") or {}),
        "name": cast(str, given.get("name")),
        "phone": given.get("phone"),
    }
    if "carrier" in given:
        full["carrier"] = given["carrier"]
    if "tracking_number" in given:
        full["tracking_number"] = given["tracking_number"]
    return full


def billing_details(given: Mapping[str, Any] | None) -> api.BillingDetails:
    """``billing_details`` with all its keys."""
    given = given or {}
    return {
        "address": full_address(given.get("address") or {}),
        "email": given.get("email") or None,
        "name": given.get("name") or None,
        "phone": given.get("phone") or None,
        "tax_id": given.get("tax_id") or None,
    }


@overload
def part_of(call: Call, parent: str, object: Kind[T], label: str, name: str = "id") -> T: ...
@overload
def part_of(call: Call, parent: str, object: str, label: str, name: str = "id") -> dict[str, Any]: ...
def part_of(call: Call, parent: str, object: Any, label: str, name: str = "id") -> Any:
    """The object that the path names, if it belongs to the parent that the path names too: a charge's refund, for
    example.

    parent: the field and the path's name of the parent. label: how messages name the kind. name: the path's name of the
        id. Raises ApiError 404.
    """
    found = call.objects.find(object, call.path[name])
    if found is None or found[parent] != call.path[parent]:
        raise missing_object(label, call.path[name], name, in_path=True)
    return found


def count_part(call: Call, listed: Mapping[str, Any], object: Kind[Any] | str, equal: Mapping[str, str]) -> None:
    """An object has got one more part: its sub-list shows the newest ten again and counts it.

    listed: the sub-list. object, equal: which stored objects are the parts.
    """
    newest = call.objects.query(cast(Kind[Any], object), dict(equal), limit=10)
    total = listed["total_count"] + 1
    shown = [call.objects.copy(one) for one in newest]
    _changeable(listed).update({"data": shown, "total_count": total, "has_more": total > len(newest)})


def acting_account(call: Call) -> Mapping[str, Any] | None:
    """The account object of the scope, to look at: a merchant's own, or a connected one that its platform keeps."""
    own = call.objects.find_read_only(ACCOUNT, call.account)
    if own is None and call.owner != call.account:
        own = call.within(call.owner).objects.find_read_only(ACCOUNT, call.account)
    return own


def account_country(call: Call) -> str:
    """The country of the scope's account; the US when it is not known."""
    account = acting_account(call)
    return str((account or {}).get("country") or "US")


def knows(call: Call, object: str | Kind[Any]) -> bool:
    """Whether this server has that kind of object at all."""
    return cast(str, object) in call.setup.tables.of


def clock_of(call: Call, customer: str | None) -> str | None:
    """The test clock that a customer lives on, or None for real time."""
    found = call.objects.find("customer", customer) if customer else None
    return found.get("test_clock") if found else None


def settle_seconds(call: Call) -> int:
    """How long asynchronous test outcomes take on this server, in seconds."""
    return int(call.services.settings.settle_seconds)
