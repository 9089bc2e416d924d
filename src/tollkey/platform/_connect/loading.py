"""Loading an account that the caller may access, and saving it with its requirements, capabilities and events.

The object of a connected account is stored in the platform's scope; its events are written in its own.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from tollkey.platform._connect import business, countries, held_balance, kyc, needs, v2_changes
from tollkey.platform._connect.providers import VERIFICATION
from tollkey.platform._connect.shape import EVERY_FIELD, blank_company
from tollkey.platform.connections import disconnect
from tollkey.wire import ApiError, Call, Json
from tollkey.wire.kinds import Job
from tollkey.wire.objects import Deleted, changed
from tollkey.wire.refusals import account_invalid

VERIFY = Job("account.verify")
_DEADLINE_SECONDS = 14 * 86_400
#: How a capability words what disables the account.
_WHY = {
    "requirements.past_due": "requirements.fields_needed",
    "requirements.pending_verification": "pending.review",
    "listed": "pending.review",
}


@dataclass
class LoadedAccount:
    """A loaded account.

    home: the call in the scope that stores the object. before: its public fields when it was loaded. held: its balance
    settings then.
    """

    home: Call
    account: Json
    before: Json
    held: Json = field(init=False)

    def __post_init__(self) -> None:
        self.held = copy.deepcopy(held_balance.shown(self.account))

    @property
    def own(self) -> Call:
        """The call in the account's own scope, where its events are written."""
        return self.home.within(self.account["id"])

    @property
    def is_own(self) -> bool:
        """Whether it is a merchant of this server, not a connected account."""
        return bool(self.home.account == self.account["id"])

    def people(self) -> list[Json]:
        """Its people, oldest first."""
        return self.home.objects.query("person", {"account": self.account["id"]}, oldest_first=True)

    def person(self, id: str) -> Json:
        """One of its people. Raises ApiError resource_missing (404)."""
        found = self.home.objects.find("person", id)
        if found is None or found["account"] != self.account["id"]:
            raise self.home.objects.missing("person", id)
        return found


def load_account(call: Call, id: str | None = None) -> LoadedAccount:
    """Load the caller's own account or one of its connected accounts.

    id: None for the one in the path, or the caller's own when the path names none.
    Raises ApiError account_invalid (403) for any other account.
    """
    id = id or call.path.get("account") or call.account
    home = call
    found = call.objects.find("account", id)
    if found is None and id == call.account:
        home = call.within(
            call.owner if call.origin.method == "GET" else call.platform
        )  # an account's own key only has read access
        found = home.objects.find("account", id)
    if found is None:
        if call.key is None:
            raise call.objects.missing("account", id)
        raise account_invalid(call.key, id)
    return LoadedAccount(home, found, home.objects.copy(found))


def load_v2_account(call: Call, id: str) -> LoadedAccount:
    """Load an account as ``load_account`` does, but raise ApiError not_found (404) for one that is not the caller's."""
    if id != call.account and call.objects.find("account", id) is None:
        raise ApiError(404, code="not_found", message=f"No such account: '{id}'")
    return load_account(call, id)


def connected_accounts(call: Call) -> list[Json]:
    """The connected accounts of the caller, newest first."""
    return [account for account in call.objects.query("account") if account["id"] != call.account]


def save_account(loaded: LoadedAccount, *, checks: bool = False) -> Json:
    """Update requirements and capabilities, store the account and write ``account.updated``.

    checks: whether changed data must be verified, which may be scheduled for later. Returns the account.
    """
    account = loaded.account
    people = loaded.people()
    if checks and not loaded.is_own:
        _begin_checks(loaded, people)
    refresh(loaded, people)
    loaded.home.objects.save(account)
    now_public = loaded.home.objects.copy(account)
    if now_public != loaded.before and loaded.before.get("id"):
        loaded.own.emit("account.updated", account, changed(loaded.before, now_public))
        if not loaded.is_own:
            v2_changes.emit(loaded.own, loaded.before, now_public)
        loaded.before = now_public
    held = held_balance.shown(account)
    if held != loaded.held:
        loaded.own.emit("balance_settings.updated", held, changed(loaded.held, held))
        loaded.held = copy.deepcopy(held)
    return account


def refresh(loaded: LoadedAccount, people: list[Json]) -> None:
    """Recompute an account's requirements, capabilities, ``charges_enabled`` and ``payouts_enabled``."""
    account = loaded.account
    if loaded.is_own:
        return
    account["_nobody_checks"] = not loaded.home.has(VERIFICATION)
    checked = [person for person in people if person.get("_checked")]
    account["_listed"] = any(kyc.of_birth(person["dob"]) == "listed" for person in checked)
    for person in people:
        _refresh_person(account, person)
        loaded.home.objects.save(person)
    sole = next((person for person in people if person["relationship"]["representative"]), None)
    if account["business_type"] == "individual" and sole is not None:
        every = needs.is_recipient(account) or account["country"] in EVERY_FIELD
        account["individual"] = {
            k: v for k, v in loaded.home.objects.copy(sole).items() if k != "additional_tos_acceptances"
        }
        account["company"] = _company_of(sole, account["country"], every)
    else:
        account.pop("individual", None)
    found = needs.of_account(account, people)
    _refresh_capabilities(loaded, found)
    _switch(account, found)
    account["future_requirements"] = _future(account["country"], account["requirements"])


def _future(country: str, due: Json) -> Json:
    """``future_requirements`` of an account: what is due in countries with a known change of rules."""
    made = needs.nothing()
    if country in countries.CHANGED_AT:
        made["current_deadline"] = countries.CHANGED_AT[country]
        made.update(
            {name: list(due[name]) for name in ("currently_due", "eventually_due", "past_due", "pending_verification")}
        )
    return made


def _switch(account: Json, found: needs.Needs) -> None:
    """Whether charges and payouts are enabled, and the requirements that say why not.

    Where nobody checks, neither ever is.
    """
    active = "active" in account["capabilities"].values()
    waiting = account["_nobody_checks"] or (
        bool(found.pending) and not (active and account["country"] in countries.WAITS)
    )
    asked = account.get("_asked") or {}
    if asked and not any(path.endswith("verification.document") for path in found.currently):
        account.pop("_asked")
        asked = {}
    blocks_charges = asked.get("blocks") == "charges"
    account["charges_enabled"] = active and not blocks_charges
    account["payouts_enabled"] = active and not waiting and (not found.currently or blocks_charges)
    account["details_submitted"] = needs.submitted(found)
    reason = "requirements.past_due" if found.currently else "requirements.pending_verification" if waiting else None
    if account.get("_rejected") or account["_listed"]:
        reason = f"rejected.{account['_rejected']}" if account.get("_rejected") else "listed"
        account["charges_enabled"] = account["payouts_enabled"] = False
    account["requirements"] = needs.hash_of(found, disabled=reason)
    _postpone(account)


def _postpone(account: Json) -> None:
    """What a test card asked for without blocking has a deadline, and disables nothing before it."""
    due = account["requirements"]
    if account.get("_asked") is None or any(
        not path.endswith("verification.document") for path in due["currently_due"]
    ):
        return
    if account["_asked"]["blocks"] is None and due["currently_due"]:
        due.update(current_deadline=account["_asked"]["deadline"], disabled_reason=None, past_due=[])
        account["payouts_enabled"] = account["charges_enabled"]


def ask(call: Call, id: str, blocks: str | None) -> None:
    """Make the next requirements of a connected account due, because a test card that triggers them was charged.

    blocks: ``charges`` or ``payouts``, which stop until a document is given; None only sets a deadline.
    """
    account = call.objects.find("account", id)
    if account is None:
        return
    loaded = LoadedAccount(call, account, call.objects.copy(account))
    account["_asked"] = {"blocks": blocks, "deadline": call.now + _DEADLINE_SECONDS}
    for person in loaded.people():
        person.pop("_document", None)
    save_account(loaded)


def _refresh_person(account: Json, person: Json) -> None:
    found = needs.of_person(account, person)
    person["requirements"] = needs.hash_of(found, disabled=None, whole=False)
    person["future_requirements"] = needs.nothing(whole=False)
    if account["country"] in countries.WAITS:
        person["future_requirements"]["pending_verification"] = sorted(found.pending)
    documents_due = any("document" in path for path in (*found.currently, *found.eventually))
    provided = not found.currently or documents_due
    listed = kyc.of_birth(person["dob"]) == "listed"  # nobody knows yet whether it is the same person
    status = "verified" if person.get("_checked") and not listed else "pending"
    person["verification"]["status"] = status if provided and not documents_due else "unverified"


def _company_of(person: Json, country: str, every: bool) -> Json:
    """``company`` of a sole person: what is known of the person.

    every: with the fields that only some countries have.
    """
    made = blank_company(country, every=every)
    for name in ("address", "address_kana", "address_kanji", "phone"):
        if person.get(name):
            made[name] = person[name]
    return made


def _refresh_capabilities(loaded: LoadedAccount, found: needs.Needs) -> None:
    account = loaded.account
    for name, asked in (account.get("_capabilities") or {}).items():
        before = account["capabilities"].get(name)
        if not asked["requested"]:
            account["capabilities"][name] = "inactive"
        else:
            account["capabilities"][name] = _status(account, name, found)
        if before is not None and before != account["capabilities"][name]:
            loaded.own.emit("capability.updated", capability(account, name), {"status": before})
    account["capabilities"] = dict(sorted(account["capabilities"].items()))


def _status(account: Json, name: str, found: needs.Needs) -> str:
    if name.startswith("tax_reporting") and not account["_nobody_checks"]:
        return "active"
    if name == "legacy_payments" or needs.holds_back(found) or account.get("_rejected") or account["_listed"]:
        return "inactive"
    waits = account["_nobody_checks"] or (account["country"] in countries.WAITS and bool(found.pending))
    return "pending" if waits else "active"


def application_of(platform: Json) -> Json:
    """The Connect application of a platform, as its events show it."""
    id = "ca_" + platform["id"].removeprefix("acct_")
    return {"id": id, "object": "application", "name": platform["business_profile"]["name"]}


def deauthorize(loaded: LoadedAccount) -> Deleted:
    """Disconnect an account: delete its people, object and jobs, and write an event for the platform."""
    home = loaded.home
    for person in loaded.people():
        home.objects.delete(person)
    home.schedule.cancel(VERIFY, loaded.account["id"])
    platform = home.objects.find("account", home.account)
    if platform is not None:
        loaded.own.emit("account.application.deauthorized", application_of(platform))
    disconnect(home.tx, home.scope, loaded.account["id"])
    return home.objects.delete(loaded.account)


def capability(account: Json, name: str) -> Json:
    """The object of a capability of an account."""
    asked = (account.get("_capabilities") or {}).get(name)
    due = account.get("requirements") or needs.nothing()
    hash = needs.nothing()
    status = account["capabilities"].get(name, "unrequested")
    if asked is not None and asked["requested"]:
        hash = {
            **due,
            "disabled_reason": _disabled(account, status, due["disabled_reason"] or ""),
        }
        if name.startswith("tax_reporting"):
            hash = {
                **needs.nothing(),
                "pending_verification": [p for p in due["pending_verification"] if p.endswith("id_number")],
            }
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": needs.nothing(),
        "requested": asked is not None and asked["requested"],
        "requested_at": asked["at"] if asked is not None and asked["requested"] else None,
        "requirements": hash,
        "status": status if asked is not None and asked["requested"] else "unrequested",
    }


def _disabled(account: Json, status: str, why: str) -> str | None:
    """Return the reason why a capability is disabled; None when it is active. why: what disables the account."""
    if status == "inactive" and business.paused(account) and not account.get("_nobody_checks"):
        return business.INACTIVE
    return None if status == "active" else _WHY.get(why, "other")


def _begin_checks(loaded: LoadedAccount, people: list[Json]) -> None:
    account, call = loaded.account, loaded.home
    if not call.has(VERIFICATION):
        for person in people:
            person.pop("_checked", None)
        return
    slow = countries.CHECKED.get(account["country"], ())
    begun = False
    for person in people:
        person.pop("_checking", None)
        if needs.of_person(account, person).currently and account["country"] not in countries.DOCUMENT_DUE:
            continue
        at_once = kyc.of_person(person) == "at_once"
        person["_checked"] = at_once
        if at_once:
            continue
        begun = True
        if slow and not needs.is_recipient(account):
            person["_checking"] = [path for path in slow if path != "address.state" or person["address"].get("state")]
    company = account["business_type"] == "company" and account["company"]["tax_id_provided"]
    if begun or company:
        account["_checking"] = account["country"] in countries.WAITS and not needs.is_recipient(account)
        call.schedule.add(call.now + call.services.settings.settle_seconds, VERIFY, account["id"])


def verify(call: Call, id: str) -> None:
    """Finish the verification of an account: data that matched is verified, for other data a document is required."""
    account = call.objects.find("account", id)
    if account is None:
        return
    loaded = LoadedAccount(call, account, call.objects.copy(account))
    account.pop("_checking", None)
    for person in loaded.people():
        before = call.objects.copy(person)
        person.pop("_checking", None)
        person["_checked"] = True
        _refresh_person(account, person)
        now_public = call.objects.copy(person)
        if now_public != before:
            loaded.own.emit("person.updated", person, changed(before, now_public))
    save_account(loaded)
