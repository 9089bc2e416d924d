"""What a platform may do with the people behind an account, by the state of a person and of the account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, rule_table
from tests.support.connected import LINK, PERSON, everything

DOCUMENT = {"document": {"front": "file_identity_document_success"}}
#: State of a person -> what leads there; None waits for the check.
STATES: dict[str, dict[str, Any] | None] = {
    "new": {"first_name": "Jane"},
    "pending": PERSON,
    "verified": {**PERSON, "dob": {"day": 1, "month": 1, "year": 1902}},
    "unverified": {**PERSON, "id_number": "111111111"},
}
CHANGES: dict[str, dict[str, Any]] = {
    "name": {"first_name": "Anna"},
    "birth": {"dob": {"day": 1, "month": 1, "year": 1902}},
    "number": {"id_number": "000000000"},
    "address": {"address": {"line1": "address_full_match"}},
    "title": {"relationship": {"title": "CEO"}},
    "metadata": {"metadata": {"a": "b"}},
    "document": {"verification": DOCUMENT},
    "additional document": {"verification": {"additional_document": {"back": "file_identity_document_success"}}},
}
KINDS = ("custom", "express", "standard")


def account(api: Api, kind: str = "custom", business_type: str = "company") -> str:
    wanted = {name: {"requested": True} for name in ("card_payments", "transfers")}
    given = {"type": kind, "country": "US", "business_type": business_type, "capabilities": wanted}
    return f"/v1/accounts/{api.ok('post', '/v1/accounts', **given)['id']}"


def person_in(api: Api, path: str, state: str, **relation: Any) -> str:
    made: str = api.ok("post", f"{path}/persons", **STATES[state] or {}, relationship=relation)["id"]
    if state != "pending":
        api.advance(10)
    return f"{path}/persons/{made}"


@rule_table
@pytest.mark.parametrize(
    ("state", "shown"),
    [("new", "unverified"), ("pending", "pending"), ("verified", "verified"), ("unverified", "unverified")],
)
@pytest.mark.parametrize("change", CHANGES)
def test_everything_but_a_document_of_somebody_verified_is_changed(
    api: Api, state: str, shown: str, change: str
) -> None:
    one = person_in(api, account(api), state, representative=True, executive=True, title="CFO")
    assert api.get(one)["verification"]["status"] == shown
    answer = api.post(one, **CHANGES[change])
    if state != "verified" or "document" not in change:
        assert answer.status == 200
        return
    param = next(iter(CHANGES[change]["verification"]))
    param = f"verification[{param}][{'front' if param == 'document' else 'back'}]"
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["message"].startswith(f"You cannot change `{param}` via API if an account is verified.")


def test_the_document_of_a_verified_individual_is_not_changed_through_the_account(api: Api) -> None:
    given = everything(api)
    given["individual"] = STATES["verified"]
    path = f"/v1/accounts/{api.ok('post', '/v1/accounts', **given)['id']}"
    api.advance(10)
    assert api.get(path)["individual"]["verification"]["status"] == "verified"
    answer = api.post(path, individual={"verification": DOCUMENT})
    assert (answer.status, answer.error["param"]) == (400, "individual[verification][document][front]")


@pytest.mark.parametrize("state", ["new", "pending", "verified", "unverified"])
@pytest.mark.parametrize("part", ["owner", "director", "executive", "representative", "authorizer"])
def test_people_are_removed_but_for_the_only_verified_executive(api: Api, state: str, part: str) -> None:
    one = person_in(api, account(api), state, **{part: True})
    status = 400 if (state, part) == ("verified", "executive") else 200
    assert api.delete(one).status == status
    assert api.get(one).status == (404 if status == 200 else 200)
    for method in (api.post, api.delete) if status == 200 else ():
        assert (answer := method(one)).status == 404
        assert answer.error["code"] == "resource_missing"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((50, 50), 200),
        ((60, 40), 200),
        ((60, 40.5), 400),
        ((100, 0), 200),
        ((100, 1), 400),
        ((25, 25, 25, 25), 200),
        ((25, 25, 25, 25, 0.5), 400),
    ],
)
def test_people_own_no_more_than_the_company(api: Api, parts: tuple[float, ...], status: int) -> None:
    path = f"{account(api)}/persons"
    answers = [api.post(path, relationship={"owner": True, "percent_ownership": part}) for part in parts]
    assert [answer.status for answer in answers] == [200] * (len(parts) - 1) + [status]
    last = answers[-1]
    if status == 400:
        assert last.error["param"] == "relationship[percent_ownership]"
        assert last.error["message"] == "The total combined ownership of the company would exceed 100 percent."
    first = f"{path}/{answers[0]['id']}"
    assert api.post(first, relationship={"percent_ownership": parts[0]}).status == 200  # its own part counts once
    assert api.post(first, relationship={"percent_ownership": 0}).status == 200


def test_the_representative_is_changed_by_taking_the_flag_first(api: Api) -> None:
    path = account(api)
    first = person_in(api, path, "new", representative=True)
    second = person_in(api, path, "new")
    assert api.post(second, relationship={"representative": True}).error["param"] == "relationship[representative]"
    api.ok("post", first, relationship={"representative": False})
    api.ok("post", second, relationship={"representative": True})
    (found,) = api.get(f"{path}/persons", relationship={"representative": True})["data"]
    assert second.endswith(found["id"])


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["persons", "people"])
def test_people_are_closed_to_the_platform_once_the_owner_was_asked(
    api: Api, kind: str, word: str, asked: bool
) -> None:
    path = account(api, kind)
    one = person_in(api, path, "new").replace("/persons/", f"/{word}/")
    if asked:
        api.ok("post", "/v1/account_links", account=path.removeprefix("/v1/accounts/"), **LINK)
    status = 403 if asked and kind != "custom" else 200
    requests = [
        api.get(f"{path}/{word}"),
        api.post(f"{path}/{word}", first_name="Anna"),
        api.get(one),
        api.post(one, first_name="Anna"),
        api.delete(one),
    ]
    assert [answer.status for answer in requests] == [status] * 5
    if status == 403:
        assert (
            requests[0]
            .error["message"]
            .startswith("This application does not have the required permissions for this endpoint on account 'acct_")
        )
