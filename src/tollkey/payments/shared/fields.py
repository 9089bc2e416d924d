"""Functions that most resources with money use: metadata, addresses, and the account acted for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast, overload

from tollkey.wire import Call, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.kinds import Kind, T
from tollkey.wire.metadata import merged_metadata

if TYPE_CHECKING:
    from tollkey.wire import api

ACCOUNT: Kind[api.Account] = Kind("account")
#: The keys of every address.
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def merge_metadata(value: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Merge the parameter ``metadata``, if given, into an object. Raises like ``merged_metadata``."""
    if "metadata" in params:
        _changeable(value)["metadata"] = merged_metadata(value.get("metadata"), params["metadata"])


def new_metadata(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the ``metadata`` of a new object. Raises like ``merged_metadata``."""
    return merged_metadata(None, params.get("metadata"))


def assign(value: Mapping[str, Any], params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Copy the given parameters of these names to an object; an empty one becomes null."""
    changed = _changeable(value)
    for name in names:
        if name in params:
            changed[name] = params[name]


def _changeable(value: Mapping[str, Any]) -> MutableMapping[str, Any]:
    """Return an object as a plain dict, since a TypedDict does not allow computed keys."""
    return cast("MutableMapping[str, Any]", value)


def assign_with_metadata(value: Mapping[str, Any], params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Copy the given parameters of these names, and merge ``metadata``. Raises like ``merged_metadata``."""
    assign(value, params, names)
    merge_metadata(value, params)


def given(params: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Return a parameter, or the default if it was not given or is empty."""
    found = params.get(name)
    return default if found is None else found


def check_future(call: Call, params: Mapping[str, object], *names: str, param: str = "{}") -> None:
    """Raise ApiError 400 if a time among the given parameters of these names has passed.

    param: how errors name it, with ``{}`` for the name. Source of the text: stripe-python issue 925.
    """
    for name in names:
        at = params.get(name)
        if isinstance(at, int) and at <= call.now:
            message = "Invalid timestamp: must be an integer Unix timestamp in the future"
            raise invalid(message, param.format(name), retry=False)


def address(given: Mapping[str, Any] | None) -> api.Address | None:
    """Return an address with all its keys, or None."""
    return None if given is None else full_address(given)


def full_address(given: Mapping[str, Any]) -> api.Address:
    """Return an address with all its keys, null where nothing was given."""
    return cast("api.Address", {name: given.get(name) or None for name in ADDRESS})


def shipping(given: Mapping[str, Any] | None) -> api.Shipping | None:
    """Return ``shipping`` of a charge, an intent or a customer, with all its keys."""
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
    """Return ``billing_details`` with all its keys."""
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
    """Return the object in the path if it belongs to the parent in the path, for example the refund of a charge.

    parent: the field with the parent's id, and the path's name for it. label: the type in error messages. name: the
        path's name for the object's id. Raises ApiError 404.
    """
    found = call.objects.find(object, call.path[name])
    if found is None or found[parent] != call.path[parent]:
        raise missing_object(label, call.path[name], name, in_path=True)
    return found


def count_part(call: Call, listed: Mapping[str, Any], object: Kind[Any] | str, equal: Mapping[str, str]) -> None:
    """Update a nested list after a new part was stored: its newest ten items and its count.

    listed: the nested list. object, equal: select the stored parts.
    """
    newest = call.objects.query(cast(Kind[Any], object), dict(equal), limit=10)
    total = listed["total_count"] + 1
    shown = [call.objects.copy(one) for one in newest]
    _changeable(listed).update({"data": shown, "total_count": total, "has_more": total > len(newest)})


def acting_account(call: Call) -> Mapping[str, Any] | None:
    """Return the account object of the scope, for reading: the merchant's own or a connected account's."""
    own = call.objects.find_read_only(ACCOUNT, call.account)
    if own is None and call.owner != call.account:
        own = call.within(call.owner).objects.find_read_only(ACCOUNT, call.account)
    return own


def has_capability(call: Call, account: Mapping[str, Any], names: Collection[str]) -> bool:
    """Return whether an account may do what one of these capabilities allows.

    The capability is active; in test mode it may also be pending, as test mode does not enforce all of them
    ("Testing Stripe Connect" in Stripe's documentation). call: says the mode.
    """
    enough = ("active",) if call.livemode else ("active", "pending")
    return any(account["capabilities"].get(name) in enough for name in names)


def account_country(call: Call) -> str:
    """Return the country of the scope's account; ``US`` if it is not known."""
    account = acting_account(call)
    return str((account or {}).get("country") or "US")


def knows(call: Call, object: str | Kind[Any]) -> bool:
    """Return whether this server has that type of object."""
    return cast(str, object) in call.setup.tables.of


def clock_of(call: Call, customer: str | None) -> str | None:
    """Return the id of a customer's test clock, or None for real time."""
    found = call.objects.find("customer", customer) if customer else None
    return found.get("test_clock") if found else None


def settle_seconds(call: Call) -> int:
    """Return the delay of asynchronous test results on this server, in seconds."""
    return int(call.services.settings.settle_seconds)
