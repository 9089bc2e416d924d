"""A person as both APIs know it: the v2 parameters in terms of v1, and the v1 object in the form of v2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tollkey.wire import Json, invalid
from tollkey.wire.objects import value_at
from tollkey.wire.rfc3339 import written

#: Field of v2 -> field of v1, with the same values.
_FIELDS = {
    "given_name": "first_name",
    "surname": "last_name",
    "email": "email",
    "phone": "phone",
    "legal_gender": "gender",
    "political_exposure": "political_exposure",
    "date_of_birth": "dob",
    "metadata": "metadata",
}
_PLACES = {"address": "address", "script_addresses.kana": "address_kana", "script_addresses.kanji": "address_kanji"}
_PLACE_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state", "town")
_DOCUMENTS = {"primary_verification": "document", "secondary_verification": "additional_document"}
_FILES = ("company_authorization", "passport", "visa")
_RELATION = ("authorizer", "director", "executive", "legal_guardian", "owner", "representative", "title")
#: Types of numbers with a field of their own in v1.
_NUMBERS = {"us_ssn_last_4": "ssn_last_4", "th_lc": "id_number_secondary"}


def v1_person_params(given: Mapping[str, Any]) -> Json:
    """Return the parameters of v1 that do what these of v2 ask for.

    Raises ApiError 400 for what a person of v1 does not have.
    """
    found: Json = {v1: given[v2] for v2, v1 in _FIELDS.items() if v2 in given}
    for path, name in _PLACES.items():
        place = value_at(given, path)
        if place is not None:
            found[name] = {**place, **({"country": place["country"].upper()} if place.get("country") else {})}
    for script, names in (given.get("script_names") or {}).items():
        found |= {f"{_FIELDS[name]}_{script}": value for name, value in (names or {}).items()}
    _put_lists(found, given)
    if given.get("documents"):
        _put_documents(found, given["documents"])
    if given.get("relationship"):
        found["relationship"] = dict(given["relationship"])
    accepted = (given.get("additional_terms_of_service") or {}).get("account")
    if accepted:
        found["additional_tos_acceptances"] = {"account": accepted}
    return found


def _put_lists(found: Json, given: Mapping[str, Any]) -> None:
    """Numbers, other names, other addresses and nationalities: v1 has one field for each of the first."""
    for number in given.get("id_numbers") or ():
        name = _NUMBERS.get(number["type"], "id_number")
        if name in found:
            raise invalid("Persons of this server have one ID number of each kind.", "id_numbers")
        found[name] = number["value"]
    if given.get("additional_names") is not None:
        _put_names(found, given["additional_names"])
    if given.get("nationalities"):
        if len(given["nationalities"]) > 1:
            raise invalid("Persons of this server have one nationality.", "nationalities")
        found["nationality"] = given["nationalities"][0].upper()
    places = given.get("additional_addresses") or ()
    if len(places) > 1:
        raise invalid("Persons of this server have one registered address.", "additional_addresses")
    for place in places:
        told = {name: value for name, value in place.items() if name != "purpose"}
        found["registered_address"] = told | ({"country": told["country"].upper()} if told.get("country") else {})


def _put_names(found: Json, names: Sequence[Mapping[str, Any]]) -> None:
    """Other names: a maiden name is a surname, an alias a full name."""
    aliases, maiden = ([name for name in names if name["purpose"] == purpose] for purpose in ("alias", "maiden"))
    if len(maiden) > 1:
        raise invalid("Persons of this server have one maiden name.", "additional_names")
    found["full_name_aliases"] = [_whole(name) for name in aliases]
    found["maiden_name"] = (maiden[0].get("surname") or _whole(maiden[0])) if maiden else None


def _whole(name: Mapping[str, Any]) -> str:
    return str(name.get("full_name") or f"{name.get('given_name', '')} {name.get('surname', '')}".strip())


def _put_documents(found: Json, documents: Mapping[str, Any]) -> None:
    for v2, v1 in _DOCUMENTS.items():
        if documents.get(v2):
            found.setdefault("verification", {})[v1] = dict(documents[v2]["front_back"])
    files = {name: {"files": documents[name]["files"]} for name in _FILES if documents.get(name)}
    if files:
        found["documents"] = files


def v2_person(person: Json, *, livemode: bool) -> Json:
    """Return a person in the form of v2, without what was not told. person: as v1 stores it."""
    shown: Json = {v2: person.get(v1) for v2, v1 in _FIELDS.items() if v2 != "date_of_birth"}
    born = person.get("dob") or {}
    shown["date_of_birth"] = born if born.get("year") else None
    shown["address"] = _place(person.get("address"))
    for part, names in (("script_addresses", ("address_kana", "address_kanji")), ("script_names", ("kana", "kanji"))):
        found = {name.removeprefix("address_"): _in_script(person, part, name) for name in names}
        shown[part] = {script: value for script, value in found.items() if value} or None
    shown["id_numbers"] = _numbers(person)
    shown["documents"] = _documents(person)
    shown["relationship"] = _relation(person["relationship"])
    shown["nationalities"] = [person["nationality"]] if person.get("nationality") else None
    shown["additional_names"] = [
        *({"full_name": name, "purpose": "alias"} for name in person.get("full_name_aliases") or ()),
        *([{"purpose": "maiden", "surname": person["maiden_name"]}] if person.get("maiden_name") else []),
    ] or None
    accepted = person["additional_tos_acceptances"]["account"]
    if accepted["date"] is not None:
        shown["additional_terms_of_service"] = {"account": {**accepted, "date": written(accepted["date"])}}
    registered = _place(person.get("registered_address"))
    shown["additional_addresses"] = [{**registered, "purpose": "registered"}] if registered else None
    return {
        "id": person["id"],
        "object": "v2.core.account_person",
        "account": person["account"],
        "created": written(person["created"]),
        "livemode": livemode,
        "updated": written(person.get("_updated") or person["created"]),
        **{name: value for name, value in shown.items() if value is not None},
        "metadata": person.get("metadata") or {},
    }


def _place(place: Json | None) -> Json | None:
    told = {name: place[name] for name in _PLACE_FIELDS if place.get(name)} if place else {}
    return told if told.keys() - {"country"} else None


def _in_script(person: Json, part: str, name: str) -> Json | None:
    """A person's address or names in a script. name: of the v1 address, or of the script."""
    if part == "script_addresses":
        return _place(person.get(name))
    found = {v2: person.get(f"{_FIELDS[v2]}_{name}") for v2 in ("given_name", "surname")}
    return {v2: value for v2, value in found.items() if value}


def _numbers(person: Json) -> list[Json] | None:
    """Return the kinds of numbers that were given; the numbers themselves are not shown."""
    kinds = person.get("_id_types") or ()
    return [{"type": kind} for kind in kinds] or None


def _documents(person: Json) -> Json | None:
    found = {}
    for v2, v1 in _DOCUMENTS.items():
        sides = {side: person["verification"][v1].get(side) for side in ("back", "front")}
        told = {side: file for side, file in sides.items() if file}
        if told:
            found[v2] = {"front_back": told, "type": "front_back"}
    return found or None


def _relation(relation: Json) -> Json:
    shown = {name: relation[name] for name in _RELATION if relation.get(name) is not None}
    owned = relation.get("percent_ownership")
    return {**shown, **({"percent_ownership": f"{owned:g}"} if owned is not None else {})}
