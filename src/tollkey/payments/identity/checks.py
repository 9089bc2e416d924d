"""The outcomes of identity checks: the errors that a test can choose, and the verification reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypedDict

from tollkey.payments.shared import fields
from tollkey.wire import Call, new_object
from tollkey.wire.kinds import Kind
from tollkey.wire.languages import Text

if TYPE_CHECKING:
    from tollkey.payments.identity.stored import StoredVerificationSession
    from tollkey.wire import api

REPORT: Kind[api.IdentityVerificationReport] = Kind("identity.verification_report")

#: last_error.code -> (the check that fails, or ``any`` for no particular one; the message).
ERRORS: Final[dict[str, tuple[str, Text]]] = {
    "abandoned": ("any", Text("The user abandoned the verification.")),
    "consent_declined": ("any", Text("The user declined to be verified.")),
    "country_not_supported": ("any", Text("The country is not supported.")),
    "device_not_supported": ("any", Text("The device has no camera.")),
    "under_supported_age": ("any", Text("The user is under the supported age.")),
    "document_expired": ("document", Text("The document has expired.")),
    "document_type_not_supported": ("document", Text("The type of the document is not supported.")),
    "document_unverified_other": ("document", Text("The document could not be verified.")),
    "id_number_insufficient_document_data": (
        "id_number",
        Text("The document has too little data to match the ID number."),
    ),
    "id_number_mismatch": ("id_number", Text("The ID number does not match the given details.")),
    "id_number_unverified_other": ("id_number", Text("The ID number could not be verified.")),
    "selfie_document_missing_photo": ("selfie", Text("The document has no photo of a face.")),
    "selfie_face_mismatch": ("selfie", Text("The face does not match the document's photo.")),
    "selfie_manipulated": ("selfie", Text("The selfie was manipulated.")),
    "selfie_unverified_other": ("selfie", Text("The selfie could not be verified.")),
}
_ADDRESS: Mapping[str, str | None] = {
    "city": "San Francisco",
    "country": "US",
    "line1": "1234 Main St.",
    "line2": None,
    "postal_code": "94111",
    "state": "CA",
}


def verified_outputs(checks: list[str]) -> api.GelatoVerifiedOutputs:
    """Return ``verified_outputs`` of a session; numbers and dates of birth are null unless expanded."""
    outputs: api.GelatoVerifiedOutputs = {
        "address": fields.full_address(_ADDRESS), "dob": None, "email": None, "first_name": "Jenny", "id_number": None,
        "id_number_type": None,
        "last_name": "Rosen", "phone": None, "sex": None, "unparsed_place_of_birth": None, "unparsed_sex": None,
    }  # fmt: skip
    if "id_number" in checks:
        outputs["id_number_type"] = "us_ssn"
    return outputs


class _Error(TypedDict, total=False):
    code: str | None
    reason: str | None


def _error(check: str, outcome: str) -> _Error | None:
    return (
        {"code": outcome, "reason": ERRORS[outcome][1]} if outcome in ERRORS and ERRORS[outcome][0] == check else None
    )


def _document(outcome: str) -> api.GelatoDocumentReport:
    error = _error("document", outcome)
    known = error is None
    return {
        "address": fields.full_address(_ADDRESS) if known else None, "dob": None, "error": error,
        "expiration_date": None, "files": [],
        "first_name": "Jenny" if known else None, "issued_date": {"day": 1, "month": 5,
        "year": 2020} if known else None,
        "issuing_country": "US" if known else None, "last_name": "Rosen" if known else None, "number": None,
        "sex": None,
        "status": "verified" if known else "unverified", "type": "driving_license" if known else None,
        "unparsed_place_of_birth": None, "unparsed_sex": None,
    }  # fmt: skip


def _id_number(outcome: str) -> api.GelatoIdNumberReport:
    error = _error("id_number", outcome)
    return {
        "dob": None, "error": error, "first_name": "Jenny", "id_number": None, "id_number_type": "us_ssn",
        "last_name": "Rosen",
        "status": "unverified" if error else "verified",
    }  # fmt: skip


def make_report(
    call: Call, session: StoredVerificationSession, checks: list[str], outcome: str
) -> api.IdentityVerificationReport:
    """Store the verification report of a session. outcome: ``verified`` or a key of ERRORS."""
    more: dict[str, object] = {}
    if "document" in checks:
        more["document"] = _document(outcome)
    if "id_number" in checks:
        more["id_number"] = _id_number(outcome)
    if "selfie" in checks:
        error = _error("selfie", outcome)
        more["selfie"] = {
            "document": None,
            "error": error,
            "selfie": None,
            "status": "unverified" if error else "verified",
        }
    report = new_object(
        REPORT,
        id=call.ids.new("vr"),
        created=call.now,
        livemode=call.livemode,
        type=session["type"],
        verification_session=session["id"],
        client_reference_id=session["client_reference_id"],
        options=session["options"],
        **more,
    )
    return call.objects.insert(report)


def redact_report(report: api.IdentityVerificationReport) -> None:
    """Remove personal data from a report, in place."""
    for found in (report.get("document"), report.get("id_number")):
        if found is not None:
            _redact(found)


def _redact(found: Mapping[str, object]) -> None:
    cleared = [name for name in ("address", "dob", "expiration_date", "issued_date") if name in found]
    fields.assign(found, dict.fromkeys(cleared), cleared)
    names = [name for name in ("first_name", "last_name", "id_number", "number") if found.get(name)]
    fields.assign(found, dict.fromkeys(names, "[redacted]"), names)
    if "files" in found:
        fields.assign(found, {"files": []}, ("files",))
