"""The test values that decide the result of verifying a person or company (reference section 6.11).

dob 1901-01-01 matches, 1902-01-01 matches at once, others do not and lead to a request for a document; 1900-01-01 is
    on a list of sanctions (OFAC), and the account is disabled while it is looked into
id_number, tax_id 000000000 and ssn_last_4 0000 match; 222222222 matches at once; 111111111 does not; tax_id 111111112
    was not issued
address line1 address_full_match matches, address_no_match and address_line1_no_match do not
document file_identity_document_success matches, file_identity_document_failure does not
first name of a director: ``DIRECTORS`` differ from the register, in countries that have one
"""

from __future__ import annotations

from typing import Literal

from tollkey.wire import Json

Outcome = Literal["match", "at_once", "mismatch", "not_issued", "listed"]

_WRONG_LINES = ("address_no_match", "address_line1_no_match")
_NOT_ISSUED = "111111112"

#: First name -> code and reason of the error, and what is asked for: a path in the person, or of one who is missing.
DIRECTORS = {
    "mismatch_director": (
        "verification_directors_mismatch",
        "Directors on the account don't match government records. Update the account and upload a directorship document"
        " with current directors.",
        "{person}.first_name",
    ),
    "missing_director": (
        "verification_missing_directors",
        "We have identified directors that haven't been added on the account. Add any missing directors to the"
        " account.",
        "directors.first_name",
    ),
    "extraneous_director": (
        "verification_extraneous_directors",
        "We have identified extra directors that we haven't been able to verify. Remove any extraneous directors from"
        " the account.",
        "{person}.relationship.director",
    ),
}
NUMBER_MISMATCH = (
    "The identity information you entered cannot be verified. Please correct any errors or upload a document that"
    " matches the"
    " identity fields (e.g., name and date of birth) that you entered."
)
DOCUMENT_FAILED = (
    "The document could not be verified because it was not readable. Please upload a color image of the entire "
    "document."
)


def of_number(text: str) -> Outcome:
    """The result of verifying an identity or tax number. The number itself is not stored."""
    digits = "".join(character for character in str(text) if character.isalnum())
    if digits == _NOT_ISSUED:
        return "not_issued"
    if len(digits) >= 4 and set(digits) == {"1"}:
        return "mismatch"
    return "at_once" if len(digits) >= 4 and set(digits) == {"2"} else "match"


def of_document(name: str | None) -> Outcome:
    """The result of verifying a document."""
    return "mismatch" if name is not None and "fail" in name else "match"


def of_birth(dob: Json) -> Outcome:
    """The result of verifying a date of birth."""
    values = (dob.get("year"), dob.get("month"), dob.get("day"))
    known: dict[tuple[object, ...], Outcome] = {
        (1900, 1, 1): "listed",
        (1901, 1, 1): "match",
        (1902, 1, 1): "at_once",
    }
    return known.get(values, "mismatch")


def of_person(person: Json) -> Outcome:
    """The result of verifying all data of a person. A matching document is sufficient, except for a list."""
    if of_birth(person["dob"]) == "listed":
        return "listed"
    if person.get("_document") == "mismatch":
        return "mismatch"
    if person.get("_document") is not None:
        return "match"
    birth = of_birth(person["dob"])
    values = (person.get("_id_number"), person.get("_ssn"), birth)
    if "mismatch" in values or (person.get("address") or {}).get("line1") in _WRONG_LINES:
        return "mismatch"
    return "at_once" if "at_once" in values else "match"


def error_of(person: Json, requirement: str) -> Json:
    """The entry in ``requirements.errors`` for a failed verification."""
    failed = person.get("_document") == "mismatch"
    code = "verification_document_not_readable" if failed else "verification_failed_keyed_identity"
    return {"code": code, "reason": DOCUMENT_FAILED if failed else NUMBER_MISMATCH, "requirement": requirement}
