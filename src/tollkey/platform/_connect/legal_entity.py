"""Accounts as API versions before 2019-02-19 took and showed them: with ``legal_entity`` and settings at the top.

Source: the changelog of 2019-02-19 and its table of renamed arguments; the shape is that of public copies of answers of
2018. ``modern`` converts parameters, ``CHANGES`` convert accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from tollkey.platform._connect.ownership import are_closed
from tollkey.platform._connect.shape import address
from tollkey.wire import Call
from tollkey.wire.objects import value_at
from tollkey.wire.removed import Removed, removed_since
from tollkey.wire.versions import Change

#: The version that replaced ``legal_entity`` by ``individual`` and ``company``.
SINCE = "2019-02-19"
#: What a new account could do until then without asking for it.
CAPABILITIES = dict.fromkeys(("card_payments", "transfers"), True)
#: The version whose accounts have a ``type``, in place of ``managed``.
TYPES_SINCE = "2017-05-25"
#: The version that split payouts from transfers.
PAYOUTS_SINCE = "2017-04-06"

#: A setting at the top -> where it stands since then.
_MOVED = {
    "business_logo": "settings.branding.icon",
    "business_logo_large": "settings.branding.logo",
    "business_name": "business_profile.name",
    "business_primary_color": "settings.branding.primary_color",
    "business_url": "business_profile.url",
    "debit_negative_balances": "settings.payouts.debit_negative_balances",
    "decline_charge_on": "settings.card_payments.decline_on",
    "display_name": "settings.dashboard.display_name",
    "mcc": "business_profile.mcc",
    "payout_schedule": "settings.payouts.schedule",
    "payout_statement_descriptor": "settings.payouts.statement_descriptor",
    "product_description": "business_profile.product_description",
    "statement_descriptor": "settings.payments.statement_descriptor",
    "support_address": "business_profile.support_address",
    "support_email": "business_profile.support_email",
    "support_phone": "business_profile.support_phone",
    "support_url": "business_profile.support_url",
    "timezone": "settings.dashboard.timezone",
}
#: Those that no parameter set, and one that later versions take, too.
_NOT_REMOVED = ("debit_negative_balances", "display_name", "mcc", "support_address", "support_phone", "timezone")
#: What was said of a person in ``legal_entity``, or of an owner -> the person's parameter.
_OF_PERSON = {
    **{name: name for name in ("dob", "first_name", "gender", "last_name", "maiden_name", "ssn_last_4")},
    **{f"{name}_{script}": f"{name}_{script}" for name in ("first_name", "last_name") for script in ("kana", "kanji")},
    "personal_id_number": "id_number",
    "personal_phone_number": "phone",
}
#: What was said of a company -> its parameter.
_OF_COMPANY = {
    "business_name": "name",
    "business_name_kana": "name_kana",
    "business_name_kanji": "name_kanji",
    "business_tax_id": "tax_id",
    "business_vat_id": "vat_id",
    "phone_number": "phone",
    "tax_id_registrar": "tax_id_registrar",
}
#: What an account shows of a person where it was said.
_FURTHER = ("first_name_kana", "first_name_kanji", "gender", "last_name_kana", "last_name_kanji", "maiden_name")
_ADDRESSES = ("address", "address_kana", "address_kanji")
#: What a company had not to say before it named its people one by one.
_NOT_ASKED = dict.fromkeys(("directors_provided", "executives_provided", "owners_provided"), True)

#: What accounts no longer take since then.
REMOVED: tuple[Removed, ...] = (
    *removed_since(TYPES_SINCE, "managed"),
    *removed_since(PAYOUTS_SINCE, "transfer_schedule", "transfer_statement_descriptor"),
    *removed_since(SINCE, "legal_entity", *(name for name in _MOVED if name not in _NOT_REMOVED)),
)


def modern(call: Call, params: Mapping[str, Any], kind: str | None = None) -> dict[str, Any]:
    """Return the parameters of an account in the words of 2019-02-19. kind: the account's ``business_type``."""
    made = dict(params)
    if call.version >= SINCE:
        return made
    if made.pop("managed", None) and call.version < TYPES_SINCE:
        made.setdefault("type", "custom")
    for name in ("schedule", "statement_descriptor"):
        if f"transfer_{name}" in made:
            made[f"payout_{name}"] = made.pop(f"transfer_{name}")
    for name, path in _MOVED.items():
        if name in made:
            _put(made, path, made.pop(name))
    entity = made.pop("legal_entity", None)
    if entity:
        _tell(made, entity, entity.get("type") or made.get("business_type") or kind)
    return made


def _put(params: dict[str, Any], path: str, value: object) -> None:
    """Set a parameter in hashes that the caller did not send."""
    *outer, name = path.split(".")
    for each in outer:
        params[each] = params = dict(params.get(each) or {})
    params[name] = value


def _tell(made: dict[str, Any], entity: Mapping[str, Any], kind: str | None) -> None:
    """Add ``business_type``, ``individual`` and ``company`` to the parameters.

    A company's person is its representative, who was asked for neither an e-mail address nor a title.
    """
    if entity.get("type"):
        made["business_type"] = entity["type"]
    person, company = _person(entity), {new: entity[old] for old, new in _OF_COMPANY.items() if old in entity}
    for name in _ADDRESSES:
        if kind == "company" and name in entity:
            company[name] = entity[name]
        elif name in entity:
            person.setdefault(name, entity[name])
    if "phone_number" in entity:
        person.setdefault("phone", entity["phone_number"])
    if person and made.get("email"):
        person["email"] = made["email"]
    if person and kind == "company":
        person["relationship"] = {"executive": True, "title": "Representative"}
    if person:
        made["individual"] = {**person, **(made.get("individual") or {})}
    if company or kind == "company":
        made["company"] = {**_NOT_ASKED, **company, **(made.get("company") or {})}


def _person(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a person's parameters for what was said of the person behind the account."""
    made = {new: told[old] for old, new in _OF_PERSON.items() if old in told}
    made |= {name: told[f"personal_{name}"] for name in _ADDRESSES if f"personal_{name}" in told}
    sides = told.get("verification") or {}
    document = {side: sides[name] for name, side in (("document", "front"), ("document_back", "back")) if name in sides}
    return {**made, "verification": {"document": document}} if document else made


def is_further_owner(person: Mapping[str, Any]) -> bool:
    """Return whether a person stands in ``additional_owners``: an owner who does not represent the account."""
    return bool(person["relationship"]["owner"] and not person["relationship"]["representative"])


def owners_of(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of the persons that ``legal_entity[additional_owners]`` names, in their order."""
    told = (params.get("legal_entity") or {}).get("additional_owners") or []
    return [
        {**_person(one), **{name: one[name] for name in _ADDRESSES if name in one}, "relationship": {"owner": True}}
        for one in told
    ]


def _undo(call: Call, account: MutableMapping[str, Any]) -> None:
    """Show an account as before 2019-02-19."""
    hidden = "company" not in account and "individual" not in account
    people = [] if hidden else _people_shown(call, account["id"])
    account["legal_entity"] = _entity(account, people)
    account["verification"] = _verification(account.pop("requirements", None) or {}, people)
    for name, path in _MOVED.items():
        account[name] = value_at(account, path)
    for name in ("business_profile", "business_type", "company", "future_requirements", "individual", "settings"):
        account.pop(name, None)


def _people_shown(call: Call, id: str) -> list[dict[str, Any]]:
    """Return the people of an account, oldest first; none to a platform that they are closed to.

    They are stored where the account is.
    """
    home, stored = call, call.objects.find_read_only("account", id)
    if stored is None:
        home = call.within(call.owner)
        stored = home.objects.find_read_only("account", id)
    if call.platform != id and stored is not None and are_closed(stored):
        return []
    return home.objects.query("person", {"account": id}, oldest_first=True)


def _entity(account: Mapping[str, Any], people: list[dict[str, Any]]) -> dict[str, Any]:
    company: Mapping[str, Any] = account.get("company") or {}
    person: Mapping[str, Any] = next((one for one in people if one["relationship"]["representative"]), {})
    lone = account["business_type"] != "company"
    made = {
        "additional_owners": [
            {**_shown(one), "address": address(one.get("address"))} for one in people if is_further_owner(one)
        ],
        "address": address((person if lone else company).get("address"), account["country"]),
        "business_name": company.get("name"),
        "business_tax_id_provided": bool(company.get("tax_id_provided")),
        **_shown(person),
        "personal_address": address(person.get("address"), account["country"]),
        "personal_id_number_provided": bool(person.get("id_number_provided")),
        "type": account["business_type"],
    }
    if account["country"] == "US":
        made["ssn_last_4_provided"] = bool(person.get("ssn_last_4_provided"))
    if company.get("vat_id_provided") is not None:
        made["business_vat_id_provided"] = company["vat_id_provided"]
    for name in _ADDRESSES[1:]:
        if person.get(name):
            made[f"personal_{name}"] = person[name]
        if (person if lone else company).get(name):
            made[name] = (person if lone else company)[name]
    return dict(sorted(made.items()))


def _shown(person: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an account shows of a person behind it; nothing is known of an empty one."""
    verified = person.get("verification") or {}
    document = verified.get("document") or {}
    return {
        "dob": person.get("dob") or {"day": None, "month": None, "year": None},
        "first_name": person.get("first_name"),
        "last_name": person.get("last_name"),
        **{
            name: person[name]
            for name in _OF_PERSON
            if name not in ("dob", "first_name", "last_name") and person.get(name)
        },
        "verification": {
            "details": verified.get("details"),
            "details_code": verified.get("details_code"),
            "document": document.get("front"),
            "document_back": document.get("back"),
            "status": verified.get("status") or "unverified",
        },
    }


def _verification(due: Mapping[str, Any], people: list[dict[str, Any]]) -> dict[str, Any]:
    """Return ``verification`` of an account. due: its ``requirements``."""
    reason = due.get("disabled_reason")
    owners = [one["id"] for one in people if is_further_owner(one)]
    return {
        "disabled_reason": "fields_needed" if reason == "requirements.past_due" else reason,
        "due_by": due.get("current_deadline"),
        "fields_needed": sorted({_field(path, owners) for path in due.get("currently_due") or ()}),
    }


#: Requirement -> the name that it had; those of people and companies follow from the names of their parameters.
_FIELDS = {"business_type": "legal_entity.type", **{new: old for old, new in _MOVED.items()}}
_PERSON_FIELDS = {new: old for old, new in _OF_PERSON.items()}
_COMPANY_FIELDS = {new: old for old, new in _OF_COMPANY.items()}


def _field(path: str, owners: list[str]) -> str:
    """Return the name that a requirement had. owners: ids of the owners, in the order of ``additional_owners``."""
    head, _, rest = path.partition(".")
    if head == "company":
        return f"legal_entity.{_COMPANY_FIELDS.get(rest, rest)}"
    if head == "individual":
        return f"legal_entity.{_PERSON_FIELDS.get(rest, rest)}"
    if head == "owners":
        return "legal_entity.additional_owners"
    if head in owners:
        return f"legal_entity.additional_owners.{owners.index(head)}.{_PERSON_FIELDS.get(rest, rest)}"
    if head == "representative" or head.startswith("person_"):
        whole = f"personal_{rest}" if rest.startswith("address") else rest
        return f"legal_entity.{_PERSON_FIELDS.get(whole, whole)}"
    return _FIELDS.get(path, path)


def _undo_types(_call: Call, account: MutableMapping[str, Any]) -> None:
    """Show an account as before 2017-05-25: ``managed`` says whether the platform is responsible for it."""
    account["managed"] = account.pop("type", None) == "custom"


def _undo_payouts(_call: Call, account: MutableMapping[str, Any]) -> None:
    """Show an account as before 2017-04-06, when payouts were called transfers."""
    account["transfers_enabled"] = account.pop("payouts_enabled")
    account["transfer_schedule"] = account.pop("payout_schedule")
    account["transfer_statement_descriptor"] = account.pop("payout_statement_descriptor")


def _of_whole(undo: Callable[[Call, MutableMapping[str, Any]], None]) -> Callable[[Call, Any], None]:
    """Leave out what only names an account: the platform, as it stands in the ``source`` of a destination payment."""

    def undo_whole(call: Call, account: MutableMapping[str, Any]) -> None:
        if "charges_enabled" in account:
            undo(call, account)

    return undo_whole


CHANGES = (
    Change(SINCE, _of_whole(_undo)),
    Change(TYPES_SINCE, _of_whole(_undo_types)),
    Change(PAYOUTS_SINCE, _of_whole(_undo_payouts)),
)
