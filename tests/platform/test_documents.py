"""Documents about an account: their files exist, and the account's own people sign them."""

from __future__ import annotations

import pytest

from tests.platform.test_files import upload
from tests.support.api import Api
from tests.support.connected import connected
from tests.support.recipes import Maker


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
    account, file = connected(api)["id"], Maker(api).make("file")["id"]
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
