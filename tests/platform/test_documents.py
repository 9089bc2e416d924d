"""Documents about an account: their files exist, and the account's own people sign them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform.test_files import upload
from tests.support.api import Api, rule_table
from tests.support.connected import connected


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"files": ["file_unknown"]}, "documents[proof_of_registration][files][0]"),
        ({"signer": {"person": "person_unknown"}}, "documents[proof_of_registration][signer][person]"),
    ],
)
def test_unknown_files_and_signers_are_refused(api: Api, document: dict[str, object], param: str) -> None:
    path = f"/v1/accounts/{connected(api)['id']}"
    refused = api.post(path, documents={"proof_of_registration": document})
    assert (refused.status, refused.error["param"]) == (400, param)


def test_an_uploaded_file_and_a_test_file_are_taken(api: Api) -> None:
    account, file = connected(api)["id"], upload(api, purpose="account_requirement")["id"]
    person = api.ok("POST", f"/v1/accounts/{account}/persons", first_name="Jo")["id"]
    document = {"files": [file, "file_identity_document_success"], "signer": {"person": person}}
    assert api.ok("POST", f"/v1/accounts/{account}", documents={"proof_of_registration": document})


def test_a_file_that_was_uploaded_for_the_account_is_taken(api: Api) -> None:
    """Stripe's guides upload the documents of a connected account with its ``Stripe-Account`` header."""
    account = connected(api)["id"]
    file = upload(api, purpose="account_requirement", headers={"Stripe-Account": account})["id"]
    given = {"proof_of_registration": {"files": [file]}}
    assert api.post(f"/v1/accounts/{account}", documents=given).status == 200
    other = api.post(f"/v1/accounts/{connected(api)['id']}", documents=given)
    assert (other.status, other.error["param"]) == (400, "documents[proof_of_registration][files][0]")


DOCUMENT = {"verification": {"document": {"front": "FILE"}}}
#: Parameters of an account that name a file -> the purposes that it may have.
USES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "individual[verification][document][front]":
        ({"business_type": "individual", "individual": DOCUMENT}, ("identity_document",)),
    "individual[verification][additional_document][back]":
        ({"business_type": "individual", "individual": {"verification": {"additional_document": {"back": "FILE"}}}},
         ("identity_document",)),
    "company[verification][document][front]":
        ({"business_type": "company", "company": DOCUMENT}, ("additional_verification", "identity_document")),
    "documents[company_license][files][0]":
        ({"documents": {"company_license": {"files": ["FILE"]}}},
         ("account_requirement", "additional_verification", "identity_document")),
    "settings[branding][icon]": ({"settings": {"branding": {"icon": "FILE"}}}, ("business_icon",)),
    "settings[branding][logo]": ({"settings": {"branding": {"logo": "FILE"}}}, ("business_logo",)),
    "external_account[documents][bank_account_ownership_verification][files][0]":
        ({"external_account": {"object": "bank_account", "country": "US", "currency": "usd",
                               "routing_number": "110000000", "account_number": "000123456789",
                               "documents": {"bank_account_ownership_verification": {"files": ["FILE"]}}}},
         ("account_requirement", "additional_verification", "identity_document")),
}  # fmt: skip
PURPOSES = (
    "account_requirement", "additional_verification", "business_icon", "business_logo", "dispute_evidence",
    "identity_document",
)  # fmt: skip


def naming(value: Any, file: str) -> Any:
    """Parameters that name a file where they say FILE."""
    if isinstance(value, dict):
        return {name: naming(inner, file) for name, inner in value.items()}
    if isinstance(value, list):
        return [naming(inner, file) for inner in value]
    return file if value == "FILE" else value


@rule_table
@pytest.mark.parametrize("param", USES)
def test_a_file_is_there_and_was_uploaded_for_what_it_is_used_for(api: Api, param: str) -> None:
    given, purposes = USES[param]
    create = {"type": "custom", "country": "US"}
    unknown = api.post("/v1/accounts", **create, **naming(given, "file_unknown"))
    assert (unknown.error["code"], unknown.error["param"]) == ("resource_missing", param)
    for purpose in PURPOSES:
        answer = api.post("/v1/accounts", **create, **naming(given, upload(api, purpose=purpose)["id"]))
        assert answer.status == (200 if purpose in purposes else 400), (purpose, answer)
        assert purpose in purposes or answer.error["param"] == param


@rule_table
def test_files_of_persons_and_of_bank_accounts_are_there(api: Api) -> None:
    account = connected(api)
    path = f"/v1/accounts/{account['id']}"
    person = api.post(f"{path}/persons", verification={"document": {"front": "file_unknown"}})
    assert person.error["param"] == "verification[document][front]"
    passport = api.post(f"{path}/persons", documents={"passport": {"files": ["file_unknown"]}})
    assert passport.error["param"] == "documents[passport][files][0]"
    files = {"bank_account_ownership_verification": {"files": ["file_unknown"]}}
    bank = api.post(f"{path}/external_accounts/{account['external_accounts']['data'][0]['id']}", documents=files)
    assert bank.error["param"] == "documents[bank_account_ownership_verification][files][0]"


def test_default_tax_ids_are_those_of_the_account(api: Api) -> None:
    path = f"/v1/accounts/{api.account}"
    mine = api.ok("post", "/v1/tax_ids", type="eu_vat", value="DE123456789")["id"]
    answer = api.ok("post", path, settings={"invoices": {"default_account_tax_ids": [mine]}})
    assert answer["settings"]["invoices"]["default_account_tax_ids"] == [mine]
    refused = api.post(path, settings={"invoices": {"default_account_tax_ids": [mine, "txi_unknown"]}})
    assert refused.error["param"] == "settings[invoices][default_account_tax_ids][1]"
