"""Persons: the people behind an account: representative, owners, directors, executives.

created ──update──▶ requirements met ──check──▶ verified
                         └── does not match ──▶ unverified, a document is asked for
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.platform._connect import LoadedAccount, load_account, save_account
from tollkey.platform._connect.ownership import check_people
from tollkey.platform._connect.people import check_person
from tollkey.platform._connect.person import new_person, set_person
from tollkey.platform._connect.personal_tokens import spend_token
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, Page, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.objects import Deleted, changed
from tollkey.wire.pages import page_of_list

if TYPE_CHECKING:
    from tollkey.wire import operations


def create(call: Call, params: operations.PostAccountsAccountPersons | operations.PostAccountsAccountPeople) -> Json:
    """Add a person to an account."""
    return add(call, params)


def add(call: Call, params: Mapping[str, Any]) -> Json:
    """Add a person to the account in the path, also for the v2 API. params: as v1 takes them. Raises ApiError 400."""
    loaded = _loaded(call)
    person = new_person(loaded.home, loaded.account)
    _set(loaded, person, params)
    loaded.home.objects.insert(person)
    if loaded.account["business_type"] == "company" and person["relationship"]["owner"] and params.get("relationship"):
        loaded.account["_owners"] = True
    save_account(loaded, checks=True)
    loaded.own.emit("person.created", person)
    return person


def update(
    call: Call, params: operations.PostAccountsAccountPersonsPerson | operations.PostAccountsAccountPeoplePerson
) -> Json:
    """Update a person. Changed data is verified again."""
    return change(call, params)


def change(call: Call, params: Mapping[str, Any]) -> Json:
    """Change the person in the path, also for the v2 API. params: as v1 takes them. Raises ApiError 400."""
    loaded = _loaded(call)
    person = loaded.person(call.path["person"])
    before = loaded.home.objects.copy(person)
    _set(loaded, person, params)
    loaded.home.objects.save(person)
    save_account(loaded, checks=True)
    public = loaded.home.objects.copy(person)
    if public != before:
        loaded.own.emit("person.updated", person, changed(before, public))
    return person


def _loaded(call: Call) -> LoadedAccount:
    """Load the account in the path. Raises ApiError 403 when its people are its owner's affair."""
    loaded = load_account(call)
    check_people(loaded, by_owner=call.platform == loaded.account["id"])
    return loaded


def _set(loaded: LoadedAccount, person: Json, params: Mapping[str, Any]) -> None:
    given = {name: value for name, value in params.items() if name != "person_token"}
    if params.get("person_token"):
        given = {**spend_token(loaded.home, params["person_token"], "person"), **given}
    check_person(loaded, person, given)
    set_person(loaded.home, person, given)


def newest(call: Call) -> list[Json]:
    """All people of the account in the path, newest first."""
    return _loaded(call).people()[::-1]


def list_persons(
    call: Call, params: operations.GetAccountsAccountPersons | operations.GetAccountsAccountPeople
) -> Page:
    """List an account's people, newest first, by ``relationship``."""
    loaded = _loaded(call)
    wanted = {name: bool(value) for name, value in (params.get("relationship") or {}).items()}

    def fits(person: Json) -> bool:
        return all(bool(person["relationship"].get(name)) == value for name, value in wanted.items())

    people = [person for person in reversed(loaded.people()) if fits(person)]
    return page_of_list(people, f"/v1/accounts/{loaded.account['id']}/persons", params)


def retrieve_one(
    call: Call, params: operations.GetAccountsAccountPersonsPerson | operations.GetAccountsAccountPeoplePerson
) -> Json:
    """Retrieve a person of an account."""
    return _loaded(call).person(call.path["person"])


def delete(
    call: Call, params: operations.DeleteAccountsAccountPersonsPerson | operations.DeleteAccountsAccountPeoplePerson
) -> Deleted:
    """Remove a person. The representative can only be removed together with the account."""
    loaded = _loaded(call)
    person = loaded.person(call.path["person"])
    if person["relationship"]["representative"] and loaded.account["business_type"] == "individual":
        raise invalid("You cannot delete the representative of an account.", "person")
    others = [other for other in loaded.people() if other["id"] != person["id"]]
    if _is_verified_executive(person) and not any(_is_verified_executive(other) for other in others):
        raise invalid("You cannot delete the only verified executive of an account.", "person")
    answer = loaded.home.objects.delete(person)
    save_account(loaded)
    loaded.own.emit("person.deleted", person)
    return answer


def _is_verified_executive(person: Json) -> bool:
    return bool(person["relationship"]["executive"] and person["verification"]["status"] == "verified")


def _endpoints() -> tuple[Endpoint, ...]:
    made = []
    for word in ("persons", "people"):
        many, one = f"/v1/accounts/{{account}}/{word}", f"/v1/accounts/{{account}}/{word}/{{person}}"
        made += [
            Endpoint("GET", many, list_persons),
            Endpoint("POST", many, create),
            Endpoint("GET", one, retrieve_one),
            Endpoint("POST", one, update),
            Endpoint("DELETE", one, delete),
        ]
    return tuple(made)


PERSON = Resource(
    object="person",
    prefix="person",
    permission=PERMISSION,
    live=records(),
    path_param="person",
    indexed=("account",),
    endpoints=_endpoints(),
    title="People",
    columns=("first_name", "last_name", "id", "created"),
)
