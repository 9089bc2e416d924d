"""Documents about an account: their files exist, and the account's own people sign them."""

from __future__ import annotations

import pytest

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
