"""Persons: who stands behind an account: its representative, owners, directors, executives.

created ──update──▶ requirements met ──check──▶ verified
                         └── does not match ──▶ unverified, a document is asked for
"""

from __future__ import annotations

from tollkey.platform._connect import Held, find_held, save_held
from tollkey.platform._connect.shape import new_person, set_person
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Deleted, Endpoint, Json, Page, Params, Resource, invalid, of_list, records
from tollkey.wire.objects import changed
from tollkey.wire.sealing import unseal_params


def create(call: Call, params: Params) -> Json:
    """Add a person to an account."""
    held = find_held(call)
    person = new_person(held.home, held.account)
    _set(held, person, params)
    held.home.objects.insert(person)
    if held.account["business_type"] == "company" and person["relationship"]["owner"] and params.get("relationship"):
        held.account["_owners"] = True
    save_held(held, checks=True)
    held.own.emit("person.created", person)
    return person


def update(call: Call, params: Params) -> Json:
    """Change a person; what was told anew is checked again."""
    held = find_held(call)
    person = held.person(call.path["person"])
    before = held.home.objects.copy(person)
    _set(held, person, params)
    held.home.objects.save(person)
    save_held(held, checks=True)
    public = held.home.objects.copy(person)
    if public != before:
        held.own.emit("person.updated", person, changed(before, public))
    return person


def _set(held: Held, person: Json, params: Params) -> None:
    token = params.pop("person_token", None)
    if token:
        stored = held.home.objects.get("token", token, "person_token")
        params = {**unseal_params(held.home, stored["id"], stored.pop("_person", None)), **params}
        stored["used"] = True
        held.home.objects.save(stored)
    if (params.get("relationship") or {}).get("representative") and any(
        other["id"] != person["id"] and other["relationship"]["representative"] for other in held.people()
    ):
        raise invalid("An account can only have one representative.", "relationship[representative]")
    set_person(held.home, person, params)


def list_persons(call: Call, params: Params) -> Page:
    """List an account's people, newest first, by ``relationship``."""
    held = find_held(call)
    wanted = {name: bool(value) for name, value in (params.get("relationship") or {}).items()}

    def fits(person: Json) -> bool:
        return all(bool(person["relationship"].get(name)) == value for name, value in wanted.items())

    people = [person for person in reversed(held.people()) if fits(person)]
    return of_list(people, f"/v1/accounts/{held.account['id']}/persons", params)


def retrieve_one(call: Call, params: Params) -> Json:
    """Retrieve a person of an account."""
    return find_held(call).person(call.path["person"])


def delete(call: Call, params: Params) -> Deleted:
    """Remove a person. The representative can only be removed together with the account."""
    held = find_held(call)
    person = held.person(call.path["person"])
    if person["relationship"]["representative"] and held.account["business_type"] == "individual":
        raise invalid("You cannot delete the representative of an account.", "person")
    answer = held.home.objects.delete(person)
    save_held(held)
    held.own.emit("person.deleted", person)
    return answer


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
