"""Cardholders: the persons and companies that cards are issued to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.payments.issuing import kinds, states
from tollkey.payments.issuing._controls import changed, controls
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.live import needs
from tollkey.wire.pages import listing, retrieve

if TYPE_CHECKING:
    from tollkey.wire import api, operations

PERMISSION = Permission("issuing_cardholder", "Cardholders", "Issuing")


#: Letters, and the signs that names have.
_NAME = re.compile(r"([^\W\d_]|[ .,'’-])+")


def _document(call: Call, given: Mapping[str, Any] | None) -> api.IssuingCardholderVerification:
    """Return ``verification`` with the files of an identity document. Raises ApiError 400 for an unknown file."""
    document = (given or {}).get("document") or {}
    for side in ("back", "front"):
        if document.get(side):
            call.objects.get("file", document[side], f"individual[verification][document][{side}]")
    return {"document": {"back": document.get("back"), "front": document.get("front")}}


def _individual(call: Call, given: Mapping[str, Any] | None) -> api.IssuingCardholderIndividual | None:
    if given is None:
        return None
    terms = (given.get("card_issuing") or {}).get("user_terms_acceptance")
    accepted: api.IssuingCardholderUserTermsAcceptance | None = (
        {"date": terms.get("date"), "ip": terms.get("ip"), "user_agent": terms.get("user_agent")} if terms else None
    )
    return {
        "card_issuing": {"user_terms_acceptance": accepted},
        "dob": given.get("dob"),
        "first_name": given.get("first_name"),
        "last_name": given.get("last_name"),
        "verification": _document(call, given.get("verification")),
    }


def _billing(given: Mapping[str, Any]) -> api.IssuingCardholderAddress:
    return {"address": fields.full_address(given["address"])}


def _company(given: Mapping[str, Any] | None) -> api.IssuingCardholderCompany | None:
    """Return ``company``; the number itself is not shown."""
    return {"tax_id_provided": bool(given.get("tax_id"))} if given else None


def _checked_currency(given: Mapping[str, Any]) -> str | None:
    currency = given.get("spending_limits_currency")
    return shared_currency.check_currency(currency, "spending_controls[spending_limits_currency]") if currency else None


def _new_controls(given: Mapping[str, Any] | None) -> api.IssuingCardholderAuthorizationControls:
    """Return ``spending_controls``: a cardholder has no limit until one is given."""
    given = given or {}
    limits = given.get("spending_limits") or []
    return controls({**given, "spending_limits": limits}, _checked_currency(given))


def _changed(
    old: api.IssuingCardholderAuthorizationControls, given: Mapping[str, Any]
) -> api.IssuingCardholderAuthorizationControls:
    _checked_currency(given)
    return changed(old, given)


def _controls(holder: api.IssuingCardholder) -> api.IssuingCardholderAuthorizationControls:
    found = holder["spending_controls"]
    assert found is not None  # every cardholder is made with some
    return found


def _review(holder: api.IssuingCardholder) -> None:
    """Set the requirements that are missing before the cardholder's cards can be used."""
    missing: list[str] = []
    person: Mapping[str, Any] = holder["individual"] or {}
    if holder["type"] == "individual":
        missing = [f"individual.{name}" for name in ("first_name", "last_name") if not person.get(name)]
        if not (person.get("card_issuing") or {}).get("user_terms_acceptance"):
            missing += [
                "individual.card_issuing.user_terms_acceptance.ip",
                "individual.card_issuing.user_terms_acceptance.date",
            ]
    holder["requirements"] = {"disabled_reason": "requirements.past_due" if missing else None, "past_due": missing}


def _check_name(name: str, param: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise invalid(
            "This field cannot contain any numbers or special characters, except periods, commas, hyphens, spaces and"
            " apostrophes.",
            param,
        )


def _check_individual(given: Mapping[str, Any]) -> None:
    for name in ("first_name", "last_name"):
        if given.get(name):
            _check_name(given[name], f"individual[{name}]")


def create(call: Call, params: operations.PostIssuingCardholders) -> api.IssuingCardholder:
    """Create a cardholder."""
    given = params["billing"]
    _check_name(params["name"], "name")
    _check_individual(params.get("individual") or {})
    holder = new_object(
        kinds.CARDHOLDER,
        id=call.ids.new("ich"),
        billing=_billing(given),
        company=_company(params.get("company")),
        created=call.now,
        email=params.get("email"),
        individual=_individual(call, params.get("individual")),
        livemode=call.livemode,
        metadata=fields.new_metadata(params),
        name=params["name"],
        phone_number=params.get("phone_number"),
        preferred_locales=params.get("preferred_locales") or [],
        spending_controls=_new_controls(params.get("spending_controls")),
        status=states.CARDHOLDER.start(params.get("status") or "active"),
        type=params.get("type") or "individual",
    )
    _review(holder)
    return call.objects.insert(holder, "issuing_cardholder.created")


def update(call: Call, params: operations.PostIssuingCardholdersCardholder) -> api.IssuingCardholder:
    """Change a cardholder."""
    holder = call.objects.get(kinds.CARDHOLDER, call.path["cardholder"])
    if holder["status"] == "blocked" and params.get("status") in ("active", "inactive"):
        raise invalid("A blocked cardholder cannot be made active or inactive again.", "status")
    fields.assign(holder, params, ("email", "phone_number", "preferred_locales"))
    if params.get("status"):
        states.CARDHOLDER.set(holder, params["status"])
    if params.get("billing"):
        holder["billing"] = _billing(params["billing"])
    if params.get("individual"):
        _check_individual(params["individual"] or {})
        old, new = holder["individual"], _individual(call, params["individual"])
        if old is not None and new is not None:
            fields.assign(old, new, params["individual"])
        else:
            holder["individual"] = new
    if "spending_controls" in params:
        holder["spending_controls"] = _changed(_controls(holder), params["spending_controls"] or {})
    if "company" in params:
        holder["company"] = _company(params["company"])
    fields.merge_metadata(holder, params)
    _review(holder)
    return call.objects.save(holder, "issuing_cardholder.updated")


CARDHOLDER = Resource(
    object="issuing.cardholder",
    prefix="ich",
    permission=PERMISSION,
    live=needs(providers.ISSUING),
    label="issuing cardholder",
    path_param="cardholder",
    indexed=("email", "phone_number", "status", "type"),
    endpoints=(
        Endpoint("POST", "/v1/issuing/cardholders", create),
        listing("issuing.cardholder", "/v1/issuing/cardholders"),
        retrieve("issuing.cardholder", "/v1/issuing/cardholders/{cardholder}"),
        Endpoint("POST", "/v1/issuing/cardholders/{cardholder}", update),
    ),
    title="Cardholders",
    columns=("name", "status", "id", "created"),
)
