"""External accounts: bank accounts and debit cards for payouts. Stored in the account's own list, newest first.

Bank accounts and cards are created by ``payments``, through a service of the server.
"""

from __future__ import annotations

from typing import Any

from tollkey.platform._connect import kyc, needs
from tollkey.platform._connect.documents import check_banks
from tollkey.platform._connect.loading import LoadedAccount, save_account
from tollkey.wire import Call, Json, P, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.kinds import Job
from tollkey.wire.objects import changed

OWNER_CHECK = Job("account.owner_check")
_CARD = ("cvc", "exp_month", "exp_year", "name", "number")
_PLACE = tuple(f"address_{name}" for name in ("city", "country", "line1", "line2", "state", "zip"))
_TEXTS = ("account_holder_name", "account_holder_type", "account_number", "account_type", "country", "currency")
#: The data of a bank account or card, in place of a token. Stripe's document declares it for ``bank_account`` alone.
_DATA = P.nested(
    {name: P.string() for name in (*_TEXTS, "routing_number", *_CARD, *_PLACE)},
    object=P.enum("bank_account", "card"),
    default_for_currency=P.boolean(),
    documents=P.nested(bank_account_ownership_verification=P.nested(files=P.array(P.string(500)))),
    metadata=P.metadata(),
)
_LAST = (
    "You cannot delete the default external account for your default currency."
    " Please make another external account the default"
    " using the `default_for_currency` param, and then delete this one."
)


def read_external(loaded: LoadedAccount, value: Any, param: str) -> Any:
    """Return an external account as it was sent, a token or data, with the data's values typed.

    Raises ApiError 400 for data that is not valid, with the path of what is wrong, and for unknown files.
    """
    if not isinstance(value, dict):
        return value
    data = _DATA.read(value, (None, param))
    check_banks(loaded, data, param)
    return data


def add_external(call: Call, account: Json, value: Any, param: str, *, default: bool | None = None) -> Json:
    """Create an external account from a token or data, and put it first in the account's list.

    value: None for the test bank account of its country. default: whether it becomes the default of its currency; None:
    only when it is the first of it. Raises ApiError for data that is not valid.
    """
    made: Json = call.services.external_account(call, account, value, param)
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
    if account["_external"][made["id"]].get("_owner"):
        _check_later(call, account, made["id"])
    return made


def _check_later(call: Call, account: Json, id: str) -> None:
    """Schedule the verification of who owns an external account (id). call: where the account is stored."""
    account["_external"][id]["_checking"] = True
    call.schedule.once(call.now + call.services.settings.settle_seconds, OWNER_CHECK, account["id"])


def _count(account: Json) -> None:
    every = account["external_accounts"]
    every["total_count"] = len(every["data"])


def replace_external(loaded: LoadedAccount, value: Any, param: str) -> None:
    """Replace the default of a currency by the external account given with the account's own parameters."""
    account = loaded.account
    before = [other["id"] for other in account["external_accounts"]["data"] if other["default_for_currency"]]
    given = read_external(loaded, value, param)
    made = add_external(loaded.home, account, given, param, default=True)
    for other in list(account["external_accounts"]["data"]):
        if other["id"] in before and other["currency"] == made["currency"]:
            drop(account, other["id"])
            loaded.own.emit("account.external_account.deleted", other)
    loaded.own.emit("account.external_account.created", made)


def drop(account: Json, id: str) -> None:
    """Remove an external account from the list."""
    every = account["external_accounts"]
    every["data"] = [other for other in every["data"] if other["id"] != id]
    account.get("_external", {}).pop(id, None)
    _count(account)


def external_of(account: Json, id: str) -> Json:
    """An external account by its id. Raises ApiError resource_missing (404)."""
    for value in account["external_accounts"]["data"]:
        if value["id"] == id:
            found: Json = value
            return found
    raise missing_object("external account", id, "id", in_path=True)


def check_account_type(value: Json, given: str | None) -> None:
    """Check the type of a bank account. given: None when it stays. Raises ApiError 400 for one of another country."""
    allowed = ("futsu", "toza") if value.get("country") == "JP" else ("checking", "savings")
    if given and given not in allowed:
        kinds = " or ".join(allowed)
        raise invalid(f"Invalid account_type: must be {kinds} for bank accounts in {value['country']}", "account_type")


def change_external(loaded: LoadedAccount, id: str, change: Json, metadata: Json | None) -> Json:
    """Set fields of an external account; at most one of each currency is the default."""
    value = external_of(loaded.account, id)
    before = loaded.home.objects.copy(value)
    if change.pop("default_for_currency", None):
        for other in loaded.account["external_accounts"]["data"]:
            if other["currency"] == value["currency"]:
                other["default_for_currency"] = other["id"] == id
    documents = (change.pop("documents", None) or {}).get("bank_account_ownership_verification")
    if documents:
        show_owner(loaded, value, documents)
    if change and value.get("status") == "errored":
        loaded.home.services.external_status(value, "new")
    for name in change:
        if name not in value:  # a bank account does not expire
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")
    value.update(change)
    if metadata is not None:
        value["metadata"] = metadata
    if value != before:
        loaded.own.emit("account.external_account.updated", value, changed(before, value))
    return value


def show_owner(loaded: LoadedAccount, value: Json, document: Json) -> None:
    """Take the documents about the owner of a bank account, which are checked later. document: with its ``files``."""
    facts = loaded.account["_external"].setdefault(value["id"], {})
    files = [file for file in document.get("files") or [] if file]
    if not files or facts.get("_owner") is None:
        return
    facts["_owner"] = "mismatch" if "mismatch" in map(kyc.of_document, files) else "match"
    _check_later(loaded.home, loaded.account, value["id"])


def check_owners(call: Call, id: str) -> None:
    """Run the job ``account.owner_check``: finish the verification of who owns the bank accounts of an account (id).

    Source: "Trigger bank account ownership verification" in Stripe's guide to testing Connect.
    """
    account = call.objects.find("account", id)
    if account is None:
        return
    loaded = LoadedAccount(call, account, call.objects.copy(account))
    for value in account["external_accounts"]["data"]:
        facts = (account.get("_external") or {}).get(value["id"]) or {}
        if facts.pop("_checking", False):
            before = call.objects.copy(value)
            _found_owner(call, value, facts["_owner"])
            if value != before:
                loaded.own.emit("account.external_account.updated", value, changed(before, value))
    save_account(loaded)


def _found_owner(call: Call, value: Json, outcome: str) -> None:
    to = "new" if outcome == "match" else "verification_failed"
    if value["status"] not in (to, "errored"):
        call.services.external_status(value, to)
    due = [needs.OWNERSHIP] if to == "verification_failed" else []
    value["requirements"].update({"currently_due": due, "past_due": list(due)})


def delete_external(loaded: LoadedAccount, id: str) -> Json:
    """Delete an external account. Raises ApiError for the default of the account's own currency."""
    account = loaded.account
    value = external_of(account, id)
    if value["default_for_currency"] and value["currency"] == account["default_currency"]:
        raise invalid(_LAST)
    drop(account, id)
    rest = [other for other in account["external_accounts"]["data"] if other["currency"] == value["currency"]]
    if rest and not any(other["default_for_currency"] for other in rest):
        rest[0]["default_for_currency"] = True
    loaded.own.emit("account.external_account.deleted", value)
    return {"id": id, "object": value["object"], "currency": value["currency"], "deleted": True}
