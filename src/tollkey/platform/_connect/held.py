"""Finding an account that the caller may touch, and saving it with everything that follows from a change.

A connected account's object lies in its platform's scope; its events are written in its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from tollkey.platform._connect import countries, kyc, needs
from tollkey.platform._connect.providers import VERIFICATION
from tollkey.platform._connect.shape import EVERY_FIELD, blank_company
from tollkey.platform.connections import disconnect
from tollkey.wire import Call, Deleted, Json
from tollkey.wire.kinds import Job
from tollkey.wire.objects import changed
from tollkey.wire.refusals import account_invalid

VERIFY = Job("account.verify")
_DEADLINE_SECONDS = 14 * 86_400
#: How a capability words what disables the account.
_WHY = {"requirements.past_due": "requirements.fields_needed", "requirements.pending_verification": "pending.review"}


@dataclass
class Held:
    """An account in the hands of a call.

    home: the call in the scope that keeps the object. before: its public fields when it was found.
    """

    home: Call
    account: Json
    before: Json

    @property
    def own(self) -> Call:
        """The call in the account's own scope, where its events are written."""
        return self.home.within(self.account["id"])

    @property
    def is_own(self) -> bool:
        """Whether it is a merchant of this server that acts for itself."""
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


def find_held(call: Call, id: str | None = None) -> Held:
    """The account of that id, which is the caller's own or one of its connected accounts.

    id: None takes the one in the path, or the caller's own when the path has none.
    Raises ApiError account_invalid (403) for any other.
    """
    id = id or call.path.get("account") or call.account
    home = call
    found = call.objects.find("account", id)
    if found is None and id == call.account:
        home = call.within(
            call.owner if call.origin.method == "GET" else call.platform
        )  # an account's own key only looks
        found = home.objects.find("account", id)
    if found is None:
        if call.key is None:
            raise call.objects.missing("account", id)
        raise account_invalid(call.key, id)
    return Held(home, found, home.objects.copy(found))


def connected_accounts(call: Call) -> list[Json]:
    """The connected accounts of the caller, newest first."""
    return [account for account in call.objects.query("account") if account["id"] != call.account]


def save_held(held: Held, *, checks: bool = False) -> Json:
    """Work out requirements and capabilities, store the account and write ``account.updated``.

    checks: what was changed has to be looked at again; where that takes time it is done a little later.
    """
    account = held.account
    people = held.people()
    if checks and not held.is_own:
        _begin_checks(held, people)
    refresh(held, people)
    held.home.objects.save(account)
    now_public = held.home.objects.copy(account)
    if now_public != held.before and held.before.get("id"):
        held.own.emit("account.updated", account, changed(held.before, now_public))
        held.before = now_public
    return account


def refresh(held: Held, people: list[Json]) -> None:
    """Bring everything that is computed up to date: people's and the account's requirements, capabilities, switches."""
    account = held.account
    if held.is_own:
        return
    account["_nobody_checks"] = not held.home.has(VERIFICATION)
    for person in people:
        _refresh_person(account, person)
        held.home.objects.save(person)
    sole = next((person for person in people if person["relationship"]["representative"]), None)
    if account["business_type"] == "individual" and sole is not None:
        every = needs.is_recipient(account) or account["country"] in EVERY_FIELD
        account["individual"] = {
            k: v for k, v in held.home.objects.copy(sole).items() if k != "additional_tos_acceptances"
        }
        account["company"] = _company_of(sole, every)
    else:
        account.pop("individual", None)
    found = needs.of_account(account, people)
    _refresh_capabilities(held, found)
    _switch(account, found)
    account["future_requirements"] = _future(account["country"], account["requirements"])


def _future(country: str, due: Json) -> Json:
    """``future_requirements`` of an account: what is due, where rules are known to change; else nothing."""
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
    if account.get("_rejected"):
        reason = f"rejected.{account['_rejected']}"
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
    """A test card was charged on a connected account that makes its next requirements due.

    blocks: ``charges`` or ``payouts``, which stop until a document is given; None only sets a deadline.
    """
    account = call.objects.find("account", id)
    if account is None:
        return
    held = Held(call, account, call.objects.copy(account))
    account["_asked"] = {"blocks": blocks, "deadline": call.now + _DEADLINE_SECONDS}
    for person in held.people():
        person.pop("_document", None)
    save_held(held)


def _refresh_person(account: Json, person: Json) -> None:
    found = needs.of_person(account, person)
    person["requirements"] = needs.hash_of(found, disabled=None, whole=False)
    person["future_requirements"] = needs.nothing(whole=False)
    if account["country"] in countries.WAITS:
        person["future_requirements"]["pending_verification"] = sorted(found.pending)
    documents_due = any("document" in path for path in (*found.currently, *found.eventually))
    told = not found.currently or documents_due
    status = "verified" if person.get("_checked") else "pending"
    person["verification"]["status"] = status if told and not documents_due else "unverified"


def _company_of(person: Json, every: bool) -> Json:
    """``company`` of a sole person: what is known of the person.

    every: with the fields that only some countries have.
    """
    made = blank_company(every=every)
    for name in ("address", "address_kana", "address_kanji", "phone"):
        if person.get(name):
            made[name] = person[name]
    if person.get("address_kanji"):
        del made["address"]
    return made


def _refresh_capabilities(held: Held, found: needs.Needs) -> None:
    account = held.account
    for name, asked in (account.get("_capabilities") or {}).items():
        before = account["capabilities"].get(name)
        if not asked["requested"]:
            account["capabilities"][name] = "inactive"
        else:
            account["capabilities"][name] = _status(account, name, found)
        if before is not None and before != account["capabilities"][name]:
            held.own.emit("capability.updated", capability(account, name), {"status": before})
    account["capabilities"] = dict(sorted(account["capabilities"].items()))


def _status(account: Json, name: str, found: needs.Needs) -> str:
    if name.startswith("tax_reporting") and not account["_nobody_checks"]:
        return "active"
    if name == "legacy_payments" or needs.holds_back(found) or account.get("_rejected"):
        return "inactive"
    waits = account["_nobody_checks"] or (account["country"] in countries.WAITS and bool(found.pending))
    return "pending" if waits else "active"


def application_of(platform: Json) -> Json:
    """The Connect application of a platform, as its events show it."""
    id = "ca_" + platform["id"].removeprefix("acct_")
    return {"id": id, "object": "application", "name": platform["business_profile"]["name"]}


def deauthorize(held: Held) -> Deleted:
    """Let go of a connected account: its people, its object, what waits for it; the platform hears of it."""
    home = held.home
    for person in held.people():
        home.objects.delete(person)
    home.schedule.cancel(VERIFY, held.account["id"])
    platform = home.objects.find("account", home.account)
    if platform is not None:
        held.own.emit("account.application.deauthorized", application_of(platform))
    disconnect(home.tx, home.scope, held.account["id"])
    return home.objects.delete(held.account)


def capability(account: Json, name: str) -> Json:
    """The object of one capability of an account."""
    asked = (account.get("_capabilities") or {}).get(name)
    due = account.get("requirements") or needs.nothing()
    hash = needs.nothing()
    status = account["capabilities"].get(name, "unrequested")
    if asked is not None and asked["requested"]:
        hash = {
            **due,
            "disabled_reason": None if status == "active" else _WHY.get(due["disabled_reason"] or "", "other"),
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


def _begin_checks(held: Held, people: list[Json]) -> None:
    account, call = held.account, held.home
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
    """The checks of an account have come to an end: what matched is verified, for the rest a document is asked for."""
    account = call.objects.find("account", id)
    if account is None:
        return
    held = Held(call, account, call.objects.copy(account))
    account.pop("_checking", None)
    for person in held.people():
        before = call.objects.copy(person)
        person.pop("_checking", None)
        person["_checked"] = True
        _refresh_person(account, person)
        now_public = call.objects.copy(person)
        if now_public != before:
            held.own.emit("person.updated", person, changed(before, now_public))
    save_held(held)
