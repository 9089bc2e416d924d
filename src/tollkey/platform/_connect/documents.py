"""Files about an account and its people: they exist, and were uploaded for what they are used for.

hash                                        purpose of its files
verification of a person                    identity_document
verification of a company                   additional_verification, identity_document
documents                                   account_requirement
settings[branding]                          business_icon, business_logo

The names of test files stand for a file of any purpose. Source: the descriptions of the parameters; a company's
document may be one of its owner ("Handle verification with the API" in Stripe's documentation uploads such ones).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollkey.platform._connect.loading import LoadedAccount
from tollkey.wire.errors import in_brackets, missing_object, wrong_purpose

#: The names of test files begin with this.
_TEST = "file_identity_document"
_IDENTITY, _COMPANY = ("identity_document",), ("additional_verification", "identity_document")
_ASKED = ("account_requirement", *_COMPANY)
_BRANDING = {"icon": ("business_icon",), "logo": ("business_logo",)}


def check_documents(loaded: LoadedAccount, given: Mapping[str, Any]) -> None:
    """Check the files that the parameters of an account name, except those of its individual.

    Raises ApiError 400 for an unknown file, one of another purpose, or an unknown person who signs.
    """
    _check_each(loaded, given.get("company") or {}, "company", _COMPANY)
    documents = given.get("documents") or {}
    _check_each(loaded, {"documents": documents}, None, _ASKED)
    branding = (given.get("settings") or {}).get("branding") or {}
    for name, purposes in _BRANDING.items():
        _check(loaded, branding.get(name), in_brackets("settings", "branding", name), purposes)
    people = {person["id"] for person in loaded.people()}
    for name, document in documents.items():
        person = ((document or {}).get("signer") or {}).get("person")
        if person and person not in people:
            raise missing_object("person", person, f"documents[{name}][signer][person]", in_path=False)


def check_persons(loaded: LoadedAccount, given: Mapping[str, Any], outer: str | None) -> None:
    """Check the files that the parameters of a person name. outer: the parameter that contains them, None for none."""
    _check_each(loaded, given, outer, _IDENTITY)


def check_banks(loaded: LoadedAccount, given: Mapping[str, Any], outer: str | None = None) -> None:
    """Check the files about the owner of a bank account. outer: as in ``check_persons``."""
    _check_each(loaded, {"documents": given.get("documents") or {}}, outer, _ASKED)


def _check_each(loaded: LoadedAccount, given: Mapping[str, Any], outer: str | None, purposes: tuple[str, ...]) -> None:
    """Check the files of ``verification``, of these purposes, and those of ``documents``."""
    for path, file in _files(given):
        names = (outer, *path) if outer else path
        _check(loaded, file, in_brackets(*names), _ASKED if path[0] == "documents" else purposes)


def _files(given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str | None]]:
    for name, sides in (given.get("verification") or {}).items():
        for side, file in (sides or {}).items() if isinstance(sides, dict) else ():
            yield ("verification", name, side), file
    for name, document in (given.get("documents") or {}).items():
        for place, file in enumerate((document or {}).get("files") or []):
            yield ("documents", name, "files", str(place)), file


def _check(loaded: LoadedAccount, id: str | None, param: str, purposes: tuple[str, ...]) -> None:
    """Check one file: of the account itself, or of its platform."""
    if not id or id.startswith(_TEST):
        return
    file = loaded.own.objects.find("file", id) or loaded.home.objects.get("file", id, param)
    if file["purpose"] not in purposes:
        raise wrong_purpose(file, purposes[0], param)
