"""``requirements``: the data that an account still has to provide.

Shape and values follow the recorded answers: paths of a sole person begin with ``individual.``, those of
a person who is still to be named with ``representative.`` or ``owners.``, those of a named one with its id.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tollkey.platform._connect import business, countries, kyc
from tollkey.wire import Json
from tollkey.wire.objects import value_at

_DOB = ("dob.day", "dob.month", "dob.year")
#: What an account is asked for whose bank account may be somebody else's.
OWNERSHIP = "documents.bank_account_ownership_verification.files"
#: Requirements that only block payouts, never a capability.
_PAYOUTS_ONLY = ("external_account", "verification.document", "verification.additional_document", ".files")


@dataclass
class Needs:
    """Required fields, as paths.

    currently, eventually: due now and due at some time. pending: being verified. errors: of failed verifications.
    payouts_only: of those due now, which stop payouts and nothing else.
    """

    currently: set[str] = field(default_factory=set)
    eventually: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    errors: list[Json] = field(default_factory=list)
    payouts_only: set[str] = field(default_factory=set)

    def add(self, prefix: str, other: Needs) -> None:
        """Add the requirements of another ``Needs``, with a prefix for each path."""
        self.currently |= {prefix + path for path in other.currently}
        self.eventually |= {prefix + path for path in other.eventually}
        self.pending |= {prefix + path for path in other.pending}
        self.errors += [{**error, "requirement": prefix + error["requirement"]} for error in other.errors]
        self.payouts_only |= {prefix + path for path in other.payouts_only}

    def require(self, *paths: str) -> None:
        """Require fields now."""
        self.currently.update(paths)
        self.eventually.update(paths)


def hash_of(needs: Needs, *, disabled: str | None, whole: bool = True) -> Json:
    """A ``requirements`` hash. whole: whether with deadline and reason; people have neither."""
    due = sorted(needs.currently)
    body: Json = {"alternatives": []}
    if whole:
        body["current_deadline"] = None
    body["currently_due"] = due
    if whole:
        body["disabled_reason"] = disabled
    return {
        **body,
        "errors": needs.errors,
        "eventually_due": sorted(needs.eventually),
        "past_due": list(due),
        "pending_verification": sorted(needs.pending),
    }


def nothing(*, whole: bool = True) -> Json:
    """A ``requirements`` hash without requirements."""
    return hash_of(Needs(), disabled=None, whole=whole)


def is_recipient(account: Json) -> bool:
    """Whether an account has the recipient service agreement and only receives transfers."""
    return (account.get("tos_acceptance") or {}).get("service_agreement") == "recipient"


def _told(person: Json, path: str) -> bool:
    if path == "ssn_last_4":
        return bool(person.get("ssn_last_4_provided"))
    if path == "id_number":
        return bool(person.get("id_number_provided"))
    if path == "full_name_aliases":
        return "full_name_aliases" in person
    if path == "relationship.executive":
        relation = person["relationship"]
        return bool(relation["executive"] or relation["title"])
    return value_at(person, path) not in (None, "") or _follows(person, path)


def _follows(value: Json, path: str) -> bool:
    """Return whether a field of an address in kana or kanji follows from its postal code. value: person or company."""
    address, _, name = path.partition(".")
    return name in countries.FROM_POSTAL_CODE and bool(
        address.startswith("address_") and (value.get(address) or {}).get("postal_code")
    )


def person_fields(country: str, role: str) -> tuple[str, ...]:
    """The fields required of a person. role: individual, representative or owner."""
    names, places = countries.name_fields(country), countries.place_fields(country)
    extra = countries.extra_person_fields(country)
    if role == "owner":
        if country == "US":
            return (*names, "email")
        return (
            *names,
            *_DOB,
            *places,
            *(name for name in extra if name != "full_name_aliases"),
            *(() if country == "AE" else ("email",)),
        )
    fields = (*names, *_DOB, *places, "email", "phone", *extra)
    return (*fields, "relationship.executive", "relationship.title") if role == "representative" else fields


def of_person(account: Json, person: Json) -> Needs:
    """The requirements of a person."""
    country, needs = account["country"], Needs()
    if is_recipient(account):
        fields: tuple[str, ...] = (*countries.name_fields(country), *_DOB, *countries.place_fields(country))
    elif account["business_type"] == "individual":
        fields = person_fields(country, "individual")
    else:
        roles = person["relationship"]
        role = "representative" if roles["representative"] else "owner" if roles["owner"] else ""
        fields = person_fields(country, role) if role else countries.name_fields(country)
    needs.require(*(path for path in fields if not _told(person, path)))
    if not needs.currently:
        _checks(account, person, needs)
    return needs


def _checks(account: Json, person: Json, needs: Needs) -> None:
    if account.get("_nobody_checks"):
        needs.pending.add("verification.document")
        return
    country = account["country"]
    waiting = person.get("_checking") or []
    if waiting:
        needs.pending.update(waiting)
        return
    outcome = kyc.of_person(person)
    if account.get("_asked") and person.get("_document") is None:
        needs.require("verification.document")
    elif outcome == "mismatch":
        needs.require("verification.document")
        if person.get("_checked"):
            needs.errors.append(kyc.error_of(person, "verification.document"))
    elif person.get("_document") is None:
        if is_recipient(account):
            needs.eventually.add("verification.document")
        elif country in countries.DOCUMENT_DUE:
            needs.require("verification.document")
    if country == "AE" and account["business_type"] == "company" and not is_recipient(account):
        given = person.get("_documents") or []
        needs.require(*(f"documents.{name}.files" for name in ("passport", "visa") if name not in given))


def of_account(account: Json, people: list[Json]) -> Needs:
    """The requirements of an account and its people."""
    needs, kind = Needs(), account["business_type"]
    _profile(account, needs)
    every = account["external_accounts"]["data"]
    if not every:
        needs.require("external_account")
    if any(one.get("status") == "verification_failed" for one in every):
        needs.require(OWNERSHIP)
    if not account["tos_acceptance"]["date"] and not account.get("_onboarded"):
        needs.require("tos_acceptance.date", "tos_acceptance.ip")
    if kind is None:
        needs.require(
            "business_type", *(f"representative.{path}" for path in person_fields(account["country"], "individual"))
        )
    elif kind == "individual":
        person = next((p for p in people if p["relationship"]["representative"]), None)
        if person is None:
            needs.require(*(f"individual.{path}" for path in person_fields(account["country"], "individual")))
        else:
            needs.add("individual.", of_person(account, person))
    else:
        _company(account, people, needs)
    if account["country"] in countries.WAITS and account.get("_checking"):
        needs.pending.add("business_profile.url")
    elif not account.get("_nobody_checks"):
        _check_business(account, needs)
    return needs


def _check_business(account: Json, needs: Needs) -> None:
    """Add what the checks of the business have found, by its test values."""
    for found in business.findings(account):
        needs.require(*found.required)
        needs.errors += business.errors_of(found)
        needs.payouts_only |= set(found.required) if found.payouts_only else set()


def _profile(account: Json, needs: Needs) -> None:
    """Require what is sold, and where: a site or a description; in Japan both (a public log of an account there)."""
    profile = account["business_profile"]
    if account["country"] in countries.IN_SCRIPTS:
        needs.require(*(f"business_profile.{name}" for name in ("url", "product_description") if not profile[name]))
    elif not profile["url"] and not profile["product_description"]:
        needs.require("business_profile.url")
    if not profile["mcc"] and not profile["url"] and not profile["product_description"]:
        needs.require("business_profile.mcc")


def _company(account: Json, people: list[Json], needs: Needs) -> None:
    company, country = account["company"], account["country"]
    told = {**company, "tax_id": company["tax_id_provided"]}
    fields = (*countries.company_name_fields(country), "tax_id", "phone", *countries.place_fields(country))
    needs.require(*(f"company.{path}" for path in fields if not value_at(told, path) and not _follows(told, path)))
    for person in people:
        needs.add(f"{person['id']}.", of_person(account, person))
    if is_recipient(account):
        return
    if countries.has_register(country) and not account.get("_nobody_checks") and not account.get("_checking"):
        _directors(people, needs)
    if not any(person["relationship"]["representative"] for person in people):
        needs.require(*(f"representative.{path}" for path in person_fields(country, "representative")))
    if countries.names_owners(country) and not company["owners_provided"]:
        needs.require("company.owners_provided")
        if not any(person["relationship"]["owner"] for person in people):
            needs.require(*(f"owners.{path}" for path in person_fields(country, "owner")))
    if country == "AE" and not company.get("vat_id_provided"):
        needs.require("company.business_vat_id_number")
    if account.get("_nobody_checks"):
        needs.pending.add("company.tax_id")
    elif account.get("_tax_id") == "not_issued" and not account.get("_checking"):
        needs.require("company.tax_id")
        error = {"code": "verification_failed_tax_id_not_issued", "reason": business.TAX_ID_NOT_ISSUED}
        needs.errors.append({**error, "requirement": "company.tax_id"})
    elif account.get("_tax_id") == "mismatch" and account.get("_document") != "match":
        needs.require("company.verification.document")
    if account.get("_checking"):
        needs.pending |= {f"company.{path}" for path in countries.place_fields(country)} | {"company.tax_id"}


def _directors(people: list[Json], needs: Needs) -> None:
    """Ask again for the directors whom the register does not confirm, by their test names; that only stops payouts."""
    for person in people:
        found = kyc.DIRECTORS.get(person.get("first_name") or "") if person["relationship"]["director"] else None
        if found is not None and person.get("_checked"):
            code, reason, path = found
            path = path.format(person=person["id"])
            needs.require(path)
            needs.errors.append({"code": code, "reason": reason, "requirement": path})
            needs.payouts_only.add(path)


def holds_back(needs: Needs) -> bool:
    """Whether a requirement is missing that blocks all capabilities."""
    return any(not path.endswith(_PAYOUTS_ONLY) for path in needs.currently - needs.payouts_only)


def submitted(needs: Needs) -> bool:
    """Return whether all data except documents was provided. What was found wrong was provided."""
    wrong = {error["requirement"] for error in needs.errors}
    return not any(not path.endswith(_PAYOUTS_ONLY) or path == "external_account" for path in needs.currently - wrong)
