"""External accounts: where an account's payouts go. They are kept in the account's own list, newest first.

What a bank account or card is made of is known in the payments room; it is reached through a service of the server.
"""

from __future__ import annotations

from typing import Any

from tollkey.platform._connect.held import Held
from tollkey.wire import Call, Json, invalid, missing_object
from tollkey.wire.objects import changed

_LAST = (
    "You cannot delete the default external account for your default currency."
    " Please make another external account the default"
    " using the `default_for_currency` param, and then delete this one."
)


def add_external(call: Call, account: Json, value: Any, param: str, *, default: bool | None = None) -> Json:
    """Make an external account of a token or of data, and put it first in an account's list.

    default: whether it becomes the one for its currency; None when it is the first. Raises ApiError for data that
        cannot be used.
    """
    made = call.services.external_account(call, account, value, param)
    account.setdefault("_external", {})[made["id"]] = {
        name: made.pop(name) for name in list(made) if name.startswith("_")
    }
    every = account["external_accounts"]["data"]
    same = [other for other in every if other["currency"] == made["currency"]]
    made["default_for_currency"] = bool(default) or not same
    if made["default_for_currency"]:
        for other in same:
            other["default_for_currency"] = False
    every.insert(0, made)
    _count(account)
    return made


def _count(account: Json) -> None:
    every = account["external_accounts"]
    every["total_count"] = len(every["data"])


def replace_external(held: Held, value: Any, param: str) -> None:
    """The one given with the account itself becomes the default of its currency, and takes the old default's place."""
    account = held.account
    before = [other["id"] for other in account["external_accounts"]["data"] if other["default_for_currency"]]
    made = add_external(held.home, account, value, param, default=True)
    for other in list(account["external_accounts"]["data"]):
        if other["id"] in before and other["currency"] == made["currency"]:
            drop(account, other["id"])
            held.own.emit("account.external_account.deleted", other)
    held.own.emit("account.external_account.created", made)


def drop(account: Json, id: str) -> None:
    """Take one out of the list."""
    every = account["external_accounts"]
    every["data"] = [other for other in every["data"] if other["id"] != id]
    account.get("_external", {}).pop(id, None)
    _count(account)


def external_of(account: Json, id: str) -> Json:
    """One of an account's. Raises ApiError resource_missing (404)."""
    for value in account["external_accounts"]["data"]:
        if value["id"] == id:
            found: Json = value
            return found
    raise missing_object("external account", id, "id", in_path=True)


def change_external(held: Held, id: str, change: Json, metadata: Json | None) -> Json:
    """Set fields of an external account; making it the default takes that from the other of its currency."""
    value = external_of(held.account, id)
    before = held.home.objects.copy(value)
    if change.pop("default_for_currency", None):
        for other in held.account["external_accounts"]["data"]:
            if other["currency"] == value["currency"]:
                other["default_for_currency"] = other["id"] == id
    value.update({name: given for name, given in change.items() if name in value})
    if metadata is not None:
        value["metadata"] = metadata
    if value != before:
        held.own.emit("account.external_account.updated", value, changed(before, value))
    return value


def delete_external(held: Held, id: str) -> Json:
    """Delete an external account. Raises ApiError for the default of the account's own currency."""
    account = held.account
    value = external_of(account, id)
    if value["default_for_currency"] and value["currency"] == account["default_currency"]:
        raise invalid(_LAST)
    drop(account, id)
    rest = [other for other in account["external_accounts"]["data"] if other["currency"] == value["currency"]]
    if rest and not any(other["default_for_currency"] for other in rest):
        rest[0]["default_for_currency"] = True
    held.own.emit("account.external_account.deleted", value)
    return {"id": id, "object": value["object"], "currency": value["currency"], "deleted": True}
