"""Persons of the v2 API: another form of the people behind an account of v1, with the same ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.platform import persons, thin_events, v2_tokens
from tollkey.platform._connect import load_v2_account
from tollkey.platform._connect.loading import LoadedAccount
from tollkey.platform._connect.people import EXCEEDED, exceeds
from tollkey.platform._connect.v2_person import v1_person_params, v2_person
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, Params, Resource, invalid
from tollkey.wire.live import records
from tollkey.wire.v2_pages import V2Page, v2_page

if TYPE_CHECKING:
    from tollkey.wire import operations

_PATH = "/v2/core/accounts/{account}/persons"


def create(call: Call, params: operations.PostV2CoreAccountsAccountPersons) -> Json:
    """Add a person to an account."""
    loaded = load_v2_account(call, call.path["account"])
    told = v2_tokens.spend(call, params, "person", loaded.account["id"])
    return _changed(call, persons.add(call, _given(loaded, None, told)), told, "created")


def update(call: Call, params: operations.PostV2CoreAccountsAccountPersonsPerson) -> Json:
    """Update a person. Changed data is verified again."""
    loaded = load_v2_account(call, call.path["account"])
    told = v2_tokens.spend(call, params, "person", loaded.account["id"])
    given = _given(loaded, loaded.person(call.path["person"]), told)
    return _changed(call, persons.change(call, given), told, "updated")


def retrieve_one(call: Call, params: operations.GetV2CoreAccountsAccountPersonsPerson) -> Json:
    """Retrieve a person of an account."""
    load_v2_account(call, call.path["account"])
    return v2_person(persons.retrieve_one(call, {}), livemode=call.livemode)


def list_persons(call: Call, params: operations.GetV2CoreAccountsAccountPersons) -> V2Page:
    """List an account's people, newest first."""
    load_v2_account(call, call.path["account"])
    shown = [v2_person(person, livemode=call.livemode) for person in persons.newest(call)]
    return v2_page(_PATH.replace("{account}", call.path["account"]), params, lambda count: shown[:count])


def delete(call: Call, params: operations.DeleteV2CoreAccountsAccountPersonsPerson) -> Json:
    """Remove a person, but for the representative of an individual and the only verified executive."""
    loaded = load_v2_account(call, call.path["account"])
    person = loaded.person(call.path["person"])
    persons.delete(call, {})
    _tell(loaded, person, "deleted")
    return {"id": person["id"], "object": "v2.core.account_person"}


def _given(loaded: LoadedAccount, person: Json | None, params: Mapping[str, Any]) -> Params:
    """Return the parameters of v1. Raises ApiError total_person_ownership_exceeded (400)."""
    given = v1_person_params(params)
    owned = (given.get("relationship") or {}).get("percent_ownership")
    if owned is not None:
        others = [other for other in loaded.people() if person is None or other["id"] != person["id"]]
        if exceeds(float(owned), others):
            raise invalid(EXCEEDED, code="total_person_ownership_exceeded")
    return given


def _changed(call: Call, person: Json, params: Mapping[str, Any], what: str) -> Json:
    """Store what only v2 shows, tell of the change, and return the person in the form of v2."""
    loaded = load_v2_account(call, call.path["account"])
    stored = loaded.person(person["id"])
    told = [number["type"] for number in params.get("id_numbers") or ()]
    stored["_id_types"] = [*dict.fromkeys([*stored.get("_id_types", ()), *told])]
    stored["_updated"] = call.now
    loaded.home.objects.save(stored)
    _tell(loaded, stored, what)
    return v2_person(stored, livemode=call.livemode)


def _tell(loaded: LoadedAccount, person: Json, what: str) -> None:
    about = v2_person(person, livemode=loaded.home.livemode)
    data = {"account_id": loaded.account["id"]}
    thin_events.emit(loaded.own, f"v2.core.account_person.{what}", about, data=data)


PERSON = Resource(
    object="v2.core.account_person",
    permission=PERMISSION,
    live=records(),
    stored=False,
    endpoints=(
        Endpoint("GET", _PATH, list_persons),
        Endpoint("POST", _PATH, create),
        Endpoint("GET", _PATH + "/{person}", retrieve_one),
        Endpoint("POST", _PATH + "/{person}", update),
        Endpoint("DELETE", _PATH + "/{person}", delete),
    ),
)
