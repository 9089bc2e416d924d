"""An account as both APIs know it: the v2 parameters in terms of v1, and the v1 object in the form of v2.

There is one stored account. What v2 has and v1 does not (customer configurations, declarations …) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollkey.wire import Call, Json, invalid
from tollkey.wire.rfc3339 import written

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
#: Parameter of v2 -> parameter of v1. Values are the same unless ``_value`` says otherwise.
_FIELDS = {
    "contact_email": "email",
    "contact_phone": "business_profile.support_phone",
    "display_name": "settings.dashboard.display_name",
    "metadata": "metadata",
    "defaults.currency": "default_currency",
    "defaults.locales": "_locales",  # v1 has none
    "defaults.profile.business_url": "business_profile.url",
    "defaults.profile.doing_business_as": "business_profile.name",
    "defaults.profile.product_description": "business_profile.product_description",
    "identity.entity_type": "business_type",
    "identity.business_details.registered_name": "company.name",
    "identity.business_details.phone": "company.phone",
    **{f"identity.business_details.address.{name}": f"company.address.{name}" for name in _ADDRESS},
    "identity.individual.given_name": "individual.first_name",
    "identity.individual.surname": "individual.last_name",
    "identity.individual.email": "individual.email",
    "identity.individual.phone": "individual.phone",
    **{f"identity.individual.address.{name}": f"individual.address.{name}" for name in _ADDRESS},
    **{f"identity.individual.date_of_birth.{name}": f"individual.dob.{name}" for name in ("day", "month", "year")},
    **{
        f"identity.attestations.terms_of_service.account.{name}": f"tos_acceptance.{name}"
        for name in ("date", "ip", "user_agent")
    },
    "configuration.merchant.mcc": "business_profile.mcc",
    "configuration.merchant.statement_descriptor.descriptor": "settings.payments.statement_descriptor",
}
#: The same, when an account is created.
_AT_FIRST = {
    "dashboard": "controller.stripe_dashboard.type",
    "identity.country": "country",
    "defaults.responsibilities.fees_collector": "controller.fees.payer",
    "defaults.responsibilities.losses_collector": "controller.losses.payments",
}
_MERCHANT = "configuration.merchant.capabilities."
_TRANSFERS = "configuration.recipient.capabilities.stripe_balance.stripe_transfers.requested"
_WITHOUT_CAPABILITIES = ("configuration.merchant", "configuration.recipient")
#: Capabilities with another name in v1, and the other way round.
_V1_NAMES = {"ach_debit_payments": "us_bank_account_ach_payments"}
_V2_NAMES = {v1: v2 for v2, v1 in _V1_NAMES.items()}
_STATUS = {"active": "active", "pending": "pending", "inactive": "restricted"}
INCLUDES = frozenset(
    (
        *(f"configuration.{name}" for name in ("customer", "merchant", "recipient")),
        *("defaults", "future_requirements", "identity", "requirements"),
    )
)
_DUE = ("past_due", "currently_due", "eventually_due")  # the most urgent first


def v1_params(given: Mapping[str, Any], *, creates: bool) -> Json:
    """Return the parameters of v1 that do what these of v2 ask for.

    creates: whether the account is new. Raises ApiError 400 for a parameter that v1 has no equal of.
    """
    known = {**_FIELDS, **_AT_FIRST} if creates else _FIELDS
    found: Json = {}
    for path, value in _leaves(given, ""):
        if path == "include":
            continue
        target = _capability(path) or known.get(path)
        if path in _WITHOUT_CAPABILITIES:
            raise invalid(f"Request a capability in {path}: accounts of this server have none without.", path)
        if target is None:
            raise invalid(f"The parameter {path} is not available for accounts of this server.", path)
        _put(found, target.split("."), _value(target, value))
    if creates and "controller" in found:
        dashboard = found["controller"].get("stripe_dashboard", {}).get("type")
        found["controller"]["requirement_collection"] = "application" if dashboard == "none" else "stripe"
    return found


def _leaves(given: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """Yield what is given, each with its path; a configuration also when it is empty: it asks to be applied."""
    for name, value in given.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and path != "metadata" and (value or before != "configuration."):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _capability(path: str) -> str | None:
    """Return the v1 parameter that requests a capability; None for another path."""
    if path == _TRANSFERS:
        return "capabilities.transfers.requested"
    name, _, last = path.removeprefix(_MERCHANT).partition(".")
    if not path.startswith(_MERCHANT) or last != "requested":
        return None
    return f"capabilities.{_V1_NAMES.get(name, name)}.requested"


def _put(found: Json, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        found = found.setdefault(name, {})
    found[path[-1]] = value


def _value(target: str, value: Any) -> Any:
    if target == "controller.fees.payer":
        return "account" if value == "stripe" else "application"
    if target.endswith("country") and isinstance(value, str):
        return value.upper()
    return value


def v2_account(account: Json, individual: Json | None, include: frozenset[str]) -> Json:
    """Return an account in the form of v2.

    account: as v1 shows it. individual: the person it is about, if it is one. include: the fields that were asked for;
    the others of ``INCLUDES`` are null.
    """
    applied = applied_configurations(account)
    configuration: Json = {"customer": None}
    for name in ("merchant", "recipient"):
        wanted = f"configuration.{name}" in include and name in applied
        configuration[name] = _configuration(account, name) if wanted else None
    profile, controller = account["business_profile"], account["controller"]
    return {
        "id": account["id"],
        "object": "v2.core.account",
        "applied_configurations": applied,
        "closed": False,
        "configuration": configuration if any(configuration.values()) else None,
        "contact_email": account["email"],
        "contact_phone": profile.get("support_phone"),
        "created": written(account["created"]),
        "dashboard": (controller.get("stripe_dashboard") or {"type": "full"})["type"],
        "defaults": _defaults(account) if "defaults" in include else None,
        "display_name": account["settings"]["dashboard"]["display_name"],
        "future_requirements": _requirements(account, "future_requirements", include),
        "identity": _identity(account, individual) if "identity" in include else None,
        "livemode": account["_livemode"],
        "metadata": account.get("metadata") or {},
        "requirements": _requirements(account, "requirements", include),
    }


def applied_configurations(account: Json) -> list[str]:
    """Return the configurations of an account, as v1 stores it."""
    asked = account.get("_capabilities") or {}
    names = {*account["capabilities"], *(name for name, one in asked.items() if one["requested"])}
    merchant = ["merchant"] if names - {"transfers", "legacy_payments"} else []
    return merchant + (["recipient"] if "transfers" in names else [])


def _configuration(account: Json, name: str) -> Json:
    statuses, why = account["capabilities"], str((account.get("requirements") or {}).get("disabled_reason") or "")
    if name == "recipient":
        transfers = {"stripe_transfers": _status(statuses.get("transfers", "inactive"), why)}
        return {"applied": True, "capabilities": {"stripe_balance": transfers}}
    capabilities = {
        _V2_NAMES.get(one, one): _status(was, why) for one, was in statuses.items() if one.endswith("_payments")
    }
    return {
        "applied": True,
        "capabilities": capabilities,
        "mcc": account["business_profile"].get("mcc"),
        "statement_descriptor": {"descriptor": account["settings"]["payments"]["statement_descriptor"]},
    }


def _status(status: str, why: str) -> Json:
    """Return the status of a capability. why: what disables the account."""
    if why.startswith("rejected."):
        return {
            "status": "rejected",
            "status_details": [{"code": why.replace(".", "_"), "resolution": "no_resolution"}],
        }
    shown = _STATUS.get(status, "restricted")
    due = {"code": "requirements_past_due", "resolution": "provide_info"}
    waiting = {"code": "requirements_pending_verification", "resolution": "no_resolution"}
    return {"status": shown, "status_details": {"active": [], "pending": [waiting]}.get(shown, [due])}


def without_rejection(_call: Call, account: Json) -> None:
    """Before 2026-09-30 the capabilities of a rejected account were ``restricted``."""
    for configuration in (account.get("configuration") or {}).values():
        for one in _capabilities_in(configuration or {}):
            if one["status"] == "rejected":
                details = [{"code": "restricted_other", "resolution": "no_resolution"}]
                one.update({"status": "restricted", "status_details": details})


def _capabilities_in(configuration: Json) -> Iterator[Json]:
    """Yield the capabilities of a configuration: those of ``stripe_balance`` stand one level deeper."""
    for one in (configuration.get("capabilities") or {}).values():
        yield from [one] if "status" in one else one.values()


def v2_capability(name: str) -> tuple[str, str] | None:
    """Return configuration and name of a capability of v1, for example of ``transfers``; None if v2 has none."""
    if name == "transfers":
        return "recipient", "stripe_balance.stripe_transfers"
    if name.endswith("_payments") and name != "legacy_payments":
        return "merchant", _V2_NAMES.get(name, name)
    return None


def _defaults(account: Json) -> Json:
    profile, controller = account["business_profile"], account["controller"]
    payer = (controller.get("fees") or {"payer": "account"})["payer"]
    return {
        "currency": account["default_currency"],
        "locales": account.get("_locales"),
        "profile": {
            "business_url": profile.get("url"),
            "doing_business_as": profile.get("name"),
            "product_description": profile.get("product_description"),
        },
        "responsibilities": {
            "fees_collector": "stripe" if payer == "account" else payer,
            "losses_collector": (controller.get("losses") or {"payments": "stripe"})["payments"],
            "requirements_collector": controller.get("requirement_collection") or "stripe",
        },
    }


def _identity(account: Json, individual: Json | None) -> Json:
    company = account.get("company") or {}
    details = {"registered_name": company.get("name"), "phone": company.get("phone"), "address": company.get("address")}
    return {
        "business_details": details if account["business_type"] != "individual" and company else None,
        "country": account["country"].lower(),
        "entity_type": account["business_type"],
        "individual": None if individual is None else _person(account, individual),
    }


def _person(account: Json, person: Json) -> Json:
    born = person.get("dob") or {}
    return {
        "id": person["id"],
        "object": "v2.core.account_person",
        "account": account["id"],
        "address": person.get("address"),
        "created": written(person["created"]),
        "date_of_birth": born if born.get("year") else None,
        "email": person.get("email"),
        "given_name": person.get("first_name"),
        "phone": person.get("phone"),
        "surname": person.get("last_name"),
        "updated": written(person["created"]),
    }


def _requirements(account: Json, name: str, include: frozenset[str]) -> Json | None:
    """Return what is asked for, each field once with its most urgent deadline."""
    if name not in include:
        return None
    asked: dict[str, str] = {}
    for status in _DUE:
        for field in (account.get(name) or {}).get(status) or []:
            asked.setdefault(field, status)
    entries = [
        {
            "awaiting_action_from": "user",
            "description": field,
            "errors": [],
            "impact": {"restricts_capabilities": []},
            "minimum_deadline": {"status": status},
            "requested_reasons": [{"code": "routine_onboarding"}],
        }
        for field, status in asked.items()
    ]
    first = next((status for status in _DUE if status in asked.values()), None)
    return {"entries": entries, "summary": None if first is None else {"minimum_deadline": {"status": first}}}
