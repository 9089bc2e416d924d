"""The onboarding page of an account link: its fields, and applying the submitted values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tollkey.platform._connect import countries
from tollkey.platform._connect.external import replace_external
from tollkey.platform._connect.loading import LoadedAccount
from tollkey.platform._connect.person import new_person, set_person
from tollkey.platform._connect.shape import set_account
from tollkey.wire import Json
from tollkey.wire.languages import Text

_TEST_ID = "000000000"
FIELDS = ("first_name", "last_name", "dob", "email", "phone", "line1", "city", "state", "postal_code", "url")


def fields_of(loaded: LoadedAccount) -> list[tuple[str, Text, str]]:
    """The form's fields, as (name, label, value): the current value, or a test value that passes verification."""
    person: Json = next((p for p in loaded.people() if p["relationship"]["representative"]), {})
    place = person.get("address") or {}
    profile = loaded.account["business_profile"]
    known = {
        "first_name": (Text("First name"), person.get("first_name") or "Jenny"),
        "last_name": (Text("Last name"), person.get("last_name") or "Rosen"),
        "dob": (Text("Date of birth"), "1901-01-01"),
        "email": (Text("Email"), person.get("email") or loaded.account["email"] or "jenny.rosen@example.com"),
        "phone": (Text("Phone number"), person.get("phone") or "0000000000"),
        "line1": (Text("Address"), place.get("line1") or "address_full_match"),
        "city": (Text("City"), place.get("city") or "San Francisco"),
        "state": (Text("State or province (if there is one)"), place.get("state") or "CA"),
        "postal_code": (Text("Postal code"), place.get("postal_code") or "94107"),
        "url": (Text("Website"), profile["url"] or "https://accessible.stripe.com"),
    }
    return [(name, label, value) for name, (label, value) in known.items()]


def submit(loaded: LoadedAccount, params: Mapping[str, Any]) -> None:
    """Apply the submitted values: an individual with a test bank account, who accepts the terms."""
    call, account = loaded.home, loaded.account
    given = {name: params.get(name) or value for name, _, value in fields_of(loaded)}
    terms = {"date": call.now, "ip": call.origin.ip, "user_agent": call.origin.user_agent}
    kind = account["business_type"] or "individual"
    profile = {"url": given["url"]}
    if account["country"] in countries.IN_SCRIPTS:
        profile["product_description"] = account["business_profile"]["product_description"] or given["url"]
    set_account(call, account, {"business_type": kind, "business_profile": profile, "tos_acceptance": terms})
    if kind != "individual":
        company: Json = {name: True for name in ("owners_provided", "directors_provided", "executives_provided")}
        place = {name: given[name] for name in ("line1", "city", "state", "postal_code")}
        name = given["last_name"]
        company |= {"name": name, "phone": given["phone"], "tax_id": _TEST_ID, **_places(place, account["country"])}
        if account["country"] in countries.IN_SCRIPTS:
            company |= {f"name_{script}": name for script in countries.SCRIPTS}
        set_account(call, account, {"company": company})
    person = next((p for p in loaded.people() if p["relationship"]["representative"]), None)
    fresh = person is None
    if person is None:
        person = new_person(call, account)
    set_person(call, person, _person(given, account["country"]))
    if fresh:
        call.objects.insert(person, None)
        loaded.own.emit("person.created", person)
    else:
        call.objects.save(person)
    if not account["external_accounts"]["data"]:
        number = {"account_number": "000123456789", "routing_number": "110000000"}
        replace_external(
            loaded,
            {"country": account["country"], "currency": account["default_currency"], **number},
            "external_account",
        )
    account["_onboarded"] = True


def _person(given: dict[str, str], country: str) -> Json:
    year, month, day = (
        int(part) if part.isdecimal() and len(part) < 5 else 0 for part in [*given["dob"].split("-"), "", "", ""][:3]
    )
    place = {"country": country, **{name: given[name] for name in ("line1", "city", "state", "postal_code")}}
    return {
        **{name: given[name] for name in ("first_name", "last_name", "email", "phone")},
        **{name: given[name.rpartition("_")[0]] for name in countries.name_fields(country) if name not in given},
        **_places(place, country),
        "dob": {"day": day, "month": month, "year": year},
        "id_number": _TEST_ID,
        "nationality": country,
        "full_name_aliases": [],
        "relationship": {"representative": True, "title": "CEO", "executive": True},
    }


def _places(place: Json, country: str) -> Json:
    """An address as a country's accounts tell it: in Japan in each script."""
    if country in countries.IN_SCRIPTS:
        return {f"address_{script}": place for script in countries.SCRIPTS}
    return {"address": place}
