"""New people of an account, and what parameters change in them. Identity numbers are never kept."""

from __future__ import annotations

from tollkey.platform._connect import kyc
from tollkey.platform._connect.shape import (
    address,
    blank_document,
    blank_places,
    file_of,
    international,
    merge,
    merge_metadata,
    set_places,
)
from tollkey.wire import Call, Json, Params, new_object

_TEXTS = (
    "email", "first_name", "first_name_kana", "first_name_kanji", "full_name_aliases", "gender", "last_name",
    "last_name_kana",
    "last_name_kanji", "maiden_name", "nationality", "political_exposure",
)  # fmt: skip
#: ``us_cfpb_data`` before anything is told.
_DEMOGRAPHY = {"ethnicity_details": None, "race_details": None, "self_identified_gender": None}


def new_person(call: Call, account: Json) -> Json:
    """A new person of an account without data."""
    return new_object(
        "person",
        id=call.ids.new("person"),
        account=account["id"],
        additional_tos_acceptances={"account": {"date": None, "ip": None, "user_agent": None}},
        **blank_places(account["country"], account["country"]),
        created=call.now,
        dob={"day": None, "month": None, "year": None},
        relationship={
            "authorizer": False, "director": False, "executive": False, "legal_guardian": False, "owner": False,
            "percent_ownership": None, "representative": False, "title": None,
        },
        future_requirements={},
        requirements={},
        verification={
            "additional_document": blank_document(), "details": None, "details_code": None,
            "document": blank_document(), "status": "unverified",
        },
    )  # fmt: skip


def set_person(call: Call, person: Json, given: Params) -> None:
    """What a person's parameters change. Numbers and documents leave only what a check of them will say."""
    for name in _TEXTS:
        if name in given:
            value = given[name]
            person[name] = [text for text in value or [] if text] if name == "full_name_aliases" else value
    if "metadata" in given:
        merge_metadata(person, given["metadata"])
    if "phone" in given:
        person["phone"] = international(given["phone"])
    if given.get("address"):
        person["address"] = {**address(person.get("address")), **given["address"]}
    set_places(person, given)
    if given.get("dob"):
        person["dob"] = {name: given["dob"].get(name) for name in ("day", "month", "year")}
    merge(person["relationship"], given.get("relationship") or {})
    if person["relationship"]["percent_ownership"] is not None:
        person["relationship"]["percent_ownership"] = float(person["relationship"]["percent_ownership"])
    if given.get("registered_address"):
        person["registered_address"] = {**address(person.get("registered_address")), **given["registered_address"]}
    merge(person["additional_tos_acceptances"], given.get("additional_tos_acceptances") or {})
    if given.get("us_cfpb_data"):
        merge(person.setdefault("us_cfpb_data", {**_DEMOGRAPHY}), given["us_cfpb_data"])
    if given.get("id_number_secondary"):
        person["id_number_secondary_provided"] = True
    if given.get("id_number"):
        person["id_number_provided"] = person["ssn_last_4_provided"] = True
        person["_id_number"] = kyc.of_number(given["id_number"])
    if given.get("ssn_last_4"):
        person["ssn_last_4_provided"] = True
        person["_ssn"] = kyc.of_number(given["ssn_last_4"])
    _set_documents(call, person, given)


def _set_documents(call: Call, person: Json, given: Params) -> None:
    verification = given.get("verification") or {}
    for name in ("document", "additional_document"):
        document = verification.get(name) or {}
        person["verification"][name].update({side: file_of(call, text) for side, text in document.items() if text})
        if document.get("front"):
            person[f"_{name}"] = kyc.of_document(document["front"])
    for name, hash in (given.get("documents") or {}).items():
        files = [text for text in (hash or {}).get("files") or [] if text]
        if files:
            person.setdefault("_documents", []).append(name)
            if name != "company_authorization":
                person["verification"]["document"]["front"] = file_of(call, files[0])
