"""Accounts: the merchant that a key belongs to, and the connected accounts of a platform.

    created ──update, persons, external_accounts──▶ details submitted ──checks──▶ charges and payouts enabled
       │                                                  │
       └───────────── reject ─────────────▶ rejected      └── a check does not match ──▶ a document is asked for
    delete ──▶ gone

An account's own object lives in its own scope; a connected account's in its platform's. What the account
owns (charges, balance, payouts, …) lives in its own scope, reached with ``Stripe-Account``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.keys import Permission
from tollkey.platform import jobs
from tollkey.platform._connect import legal_entity, load_account, save_account
from tollkey.platform._connect.agreements import check_agreement, check_requested, check_terms, known_capabilities
from tollkey.platform._connect.controllers import CONTROLLERS, controller_of
from tollkey.platform._connect.countries import check_currency, default_currency
from tollkey.platform._connect.documents import check_documents
from tollkey.platform._connect.external import OWNER_CHECK, add_external, check_owners, replace_external, show_owner
from tollkey.platform._connect.held_balance import override_delay
from tollkey.platform._connect.identity_rules import check_address_of_acceptance, check_business
from tollkey.platform._connect.loading import VERIFY, LoadedAccount, ask, capability, deauthorize, verify
from tollkey.platform._connect.ownership import check_people, check_token, check_update
from tollkey.platform._connect.people import check_person
from tollkey.platform._connect.person import new_person, set_person
from tollkey.platform._connect.personal_tokens import spend_token
from tollkey.platform._connect.providers import VERIFICATION
from tollkey.platform._connect.settings_rules import check_settings
from tollkey.platform._connect.shape import new_account, set_account, settings
from tollkey.platform.connections import connect
from tollkey.wire import Call, Endpoint, Json, P, Page, Params, Resource, invalid, new_object
from tollkey.wire.kinds import Job
from tollkey.wire.live import needs, records
from tollkey.wire.objects import Deleted, value_at
from tollkey.wire.pages import list_page, nested_list
from tollkey.wire.removed import Removed
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.wire import operations

_PAYOUT_PLAN, _WRITE_OFF = Job("payout.plan"), Job("balance.write_off")  # done by the room of balances
PERMISSION = Permission("connected_account", "Accounts", "Connect")

_OWN_CAPABILITIES = (
    "affirm_payments", "card_payments", "cashapp_payments", "klarna_payments", "link_payments", "transfers",
    "us_bank_account_ach_payments",
)  # fmt: skip


def own_account(call: Call, *, name: str, email: str | None, country: str) -> Json:
    """The object of a merchant of this server: ready to charge in test mode, and not in live mode."""
    currency = default_currency(country)
    account = new_object(
        "account",
        id=call.account,
        type="standard",
        business_profile=new_object("account_business_profile", name=name, mcc="5734"),
        business_type="company",
        capabilities=dict.fromkeys(_OWN_CAPABILITIES, "inactive" if call.livemode else "active"),
        charges_enabled=not call.livemode,
        controller={"type": "account"},
        country=country,
        created=call.now,
        default_currency=currency,
        details_submitted=not call.livemode,
        email=email,
        external_accounts=nested_list([], f"/v1/accounts/{call.account}/external_accounts", total_count=0),
        payouts_enabled=not call.livemode,
        settings=settings(country, "daily" if call.livemode else "manual", covers_losses=True),
    )
    account["settings"]["dashboard"]["display_name"] = name
    if not call.livemode:
        add_external(call, account, None, "external_account")
    return account


_NO_PLATFORM = (
    "You can only create new accounts if you've signed up for Connect, which you can do at"
    " https://dashboard.stripe.com/connect."
)


def create(call: Call, params: operations.PostAccounts, *, v2: bool = False) -> Json:
    """Create a connected account. The given data determines its requirements. v2: whether the v2 API asks for it.

    Raises ApiError 400 for a connected account and whoever acts for it: it is no platform, and nobody could reach what
    belonged to it.
    """
    if call.owner != call.account:
        raise invalid(_NO_PLATFORM)
    given = legal_entity.modern(call, params)
    kind, controller = controller_of(given, v2=v2)
    country = given.get("country") or _platform(call)["country"]
    currency = given.get("default_currency") or default_currency(country)
    default_currency(country)
    id = "acct_1" + call.ids.text(15)
    account = new_account(call, id, kind, controller, country, currency, given)
    if (
        controller["requirement_collection"] == "application"
    ):  # accounts that the platform is responsible for get its MCC (recorded)
        account["business_profile"]["mcc"] = _platform(call)["business_profile"]["mcc"]
    if not v2:
        check_token(account, _platform(call), given=bool(given.get("account_token")))
    connect(call.tx, call.scope, id)
    call.objects.insert(account)
    loaded = LoadedAccount(call, account, call.objects.copy(account))
    older = call.version < legal_entity.SINCE and not given.get("requested_capabilities")
    if not v2 and (kind == "standard" or older):
        request(loaded, legal_entity.CAPABILITIES)
    _apply(loaded, given, legal_entity.owners_of(params), v2=v2)
    for name in account["capabilities"]:
        loaded.own.emit("capability.updated", capability(account, name), {"status": "unrequested"})
    return account


def _platform(call: Call) -> Json:
    """The account of the platform that the caller belongs to."""
    return call.within(call.platform).objects.get("account", call.platform)


def update(call: Call, params: operations.PostAccountsAccount) -> Json:
    """Update an account. Changed data is verified again."""
    loaded = load_account(call)
    given = legal_entity.modern(call, params, loaded.account["business_type"])
    _apply(loaded, given, legal_entity.owners_of(params))
    return loaded.account


def change(loaded: LoadedAccount, params: operations.PostAccountsAccount) -> None:
    """Change an account as ``update`` does, for the v2 API. params: as v1 takes them."""
    _apply(loaded, params, v2=True)


def _apply(
    loaded: LoadedAccount, params: Mapping[str, Any], owners: Sequence[Params] = (), *, v2: bool = False
) -> None:
    """owners: persons that ``legal_entity[additional_owners]`` names, in their order. v2: see ``request``."""
    call, account = loaded.home, loaded.account
    given = _from_token(call, params)
    check_update(loaded, given)
    check_business(account, given, today=not v2 and call.version >= legal_entity.SINCE)
    if owners:
        check_people(loaded, by_owner=False)
    check_currency(account["country"], given.get("default_currency"))
    check_agreement(account, _platform(call), (given.get("tos_acceptance") or {}).get("service_agreement"))
    check_terms(given.get("tos_acceptance") or {}, call.real)
    check_address_of_acceptance(given.get("tos_acceptance") or {})
    check_documents(loaded, given)
    for place, id in enumerate(value_at(given, "settings.invoices.default_account_tax_ids") or []):
        loaded.own.objects.get("tax_id", id, f"settings[invoices][default_account_tax_ids][{place}]")
    check_settings(account["settings"], given.get("settings") or {})
    set_account(call, account, given)
    delay = value_at(given, "settings.payouts.schedule.delay_days")
    if delay is not None:
        override_delay(account, None if delay == "minimum" else delay)
    wanted = {name: bool((hash or {}).get("requested")) for name, hash in (given.get("capabilities") or {}).items()}
    for place, name in enumerate(given.get("requested_capabilities") or []):
        if name not in known_capabilities():
            raise invalid(f"Unknown capability: {name}", f"requested_capabilities[{place}]")
        wanted[name] = True
    request(loaded, wanted, v2=v2)
    fresh = _individual(loaded, given["individual"]) if given.get("individual") is not None else None
    if owners:
        _own(loaded, owners)
    external, param = given.get("external_account"), "external_account"
    if external is None:
        external, param = given.get("bank_account"), "bank_account"
    if external is not None:
        replace_external(loaded, external, param)
    owned: Params = (given.get("documents") or {}).get("bank_account_ownership_verification") or {}
    for value in loaded.account["external_accounts"]["data"] if owned else ():
        show_owner(loaded, value, owned)
    if (given.get("settings") or {}).get("payouts", {}).get("schedule"):
        loaded.own.schedule.once(call.now, _PAYOUT_PLAN, account["id"])
    save_account(loaded, checks=bool({"individual", "company", "business_type"} & given.keys()))
    if fresh is not None:
        loaded.own.emit("person.created", fresh)


def request(loaded: LoadedAccount, wanted: dict[str, bool], *, v2: bool = False) -> None:
    """Request capabilities, or cancel requests.

    wanted: by name, whether requested. v2: whether the v2 API asks, where the capabilities of a merchant and those of a
    recipient need not go together.

    Raises ApiError 400 for a combination that the account's country or agreement does not allow.
    """
    known = loaded.account.setdefault("_capabilities", {})
    before = {name for name, asked in known.items() if asked["requested"]}
    after = (before | {name for name, on in wanted.items() if on}) - {name for name, on in wanted.items() if not on}
    if not v2:
        check_requested(loaded.account, after, after - before)
    for name, requested in wanted.items():
        if known.get(name, {}).get("requested") != requested:
            known[name] = {"requested": requested, "at": loaded.home.now if requested else None}
            loaded.account["capabilities"].setdefault(name, "inactive")


def _individual(loaded: LoadedAccount, given: Params) -> Json | None:
    """Update the individual behind an account. Returns the person when it is new, else None."""
    call, account = loaded.home, loaded.account
    person = next((one for one in loaded.people() if one["relationship"]["representative"]), None)
    fresh = person is None
    if person is None:
        person = new_person(call, account)
        person["relationship"]["representative"] = True
    check_person(loaded, person, given, "individual")
    set_person(call, person, given)
    if fresh:
        return call.objects.insert(person)
    call.objects.save(person)
    return None


def _own(loaded: LoadedAccount, owners: Sequence[Params]) -> None:
    """Store the owners beside the representative: the first is the first that there is, further ones are new."""
    there = [one for one in loaded.people() if legal_entity.is_further_owner(one)]
    for index, given in enumerate(owners):
        person = there[index] if index < len(there) else new_person(loaded.home, loaded.account)
        check_person(loaded, person, given, "legal_entity[additional_owners]")
        set_person(loaded.home, person, given)
        if index < len(there):
            loaded.home.objects.save(person)
        else:
            loaded.home.objects.insert(person)
            loaded.own.emit("person.created", person)


def _from_token(call: Call, params: Mapping[str, Any]) -> Params:
    """The parameters merged with those in an account token, which can be used once."""
    if not params.get("account_token"):
        return dict(params)
    sealed = spend_token(call, params["account_token"], "account")
    accepted = {"date": call.now, "ip": call.origin.ip, "user_agent": call.origin.user_agent}
    company = sealed.get("company") or {}
    if company.pop("ownership_declaration_shown_and_signed", False):
        company.setdefault("ownership_declaration", accepted)
    if sealed.pop("tos_shown_and_accepted", False):
        params = {**params, "tos_acceptance": {**accepted, **(params.get("tos_acceptance") or {})}}
    return {**sealed, **params}


def retrieve_own(call: Call, params: operations.GetAccount) -> Json:
    """Retrieve the account that the key belongs to, or that ``Stripe-Account`` names."""
    return load_account(call, call.account).account


def retrieve_one(call: Call, params: operations.GetAccountsAccount) -> Json:
    """Retrieve an account: the caller's own, or one that is connected to it."""
    return load_account(call).account


def list_accounts(call: Call, params: operations.GetAccounts) -> Page:
    """List the platform's connected accounts, newest first."""
    return list_page(call, "account", params, url="/v1/accounts", keep=lambda account: account["id"] != call.account)


def delete(call: Call, params: operations.DeleteAccountsAccount) -> Deleted:
    """Delete a connected account: it can no longer be reached with ``Stripe-Account``."""
    loaded = load_account(call)
    if loaded.is_own:
        raise invalid("You cannot delete your own account through the API.", "account")
    if any((loaded.account.get("_reserved") or {}).values()):
        loaded.home.schedule.add(loaded.home.now, _WRITE_OFF, loaded.account["id"])
    return deauthorize(loaded)


#: Why a platform rejects an account -> the reason that the account then shows.
_REASONS = {
    "credit": "platform_other",
    "fraud_no_intent_to_fulfill": "platform_fraud",
    "fraud_other": "platform_fraud",
    "fraud_payment_method_casher": "platform_fraud",
    "fraud_payment_method_tester": "platform_fraud",
    "other": "platform_other",
    "terms_of_service": "platform_terms_of_service",
}


def reject(call: Call, params: operations.PostAccountsAccountReject) -> Json:
    """Reject a connected account, with a reason such as terms_of_service or other. Charges and payouts stop."""
    loaded = load_account(call)
    if loaded.is_own or (loaded.account.get("controller") or {}).get("losses", {}).get("payments") == "stripe":
        message = "Only accounts for whose negative balances your platform is liable can be rejected."
        raise invalid(message, "account")
    if params["reason"] not in ("fraud", *_REASONS):
        raise invalid("Invalid reason: must be one of fraud, other, or terms_of_service", "reason")
    loaded.account["_rejected"] = _REASONS.get(params["reason"], "platform_fraud")
    return save_account(loaded)


def _told_by_stripe(_call: Call, account: Json) -> None:
    """Before 2026-09-30 a platform's rejection looked like one by Stripe."""
    for name in ("requirements", "future_requirements"):
        found = account.get(name) or {}
        if str(found.get("disabled_reason")).startswith("rejected.platform_"):
            found["disabled_reason"] = found["disabled_reason"].replace("platform_", "")


def shown(call: Call, account: Json) -> Json:
    """The account as the API returns it.

    Without sensitive fields when Stripe collects the requirements (API reference section 6.1), and with risk controls
    when the request names that beta (recorded).
    """
    if not call.has(VERIFICATION):  # also for accounts stored by earlier versions
        account.update(charges_enabled=False, payouts_enabled=False)
        account["capabilities"] = {
            name: "inactive" if was == "active" else was for name, was in account["capabilities"].items()
        }
    if "risk_in_requirements_beta" in call.origin.headers.get("stripe-version", ""):
        account["risk_controls"] = {"charges": {"pause_requested": False}, "payouts": {"pause_requested": False}}
    controller = account.get("controller") or CONTROLLERS["custom"]
    if controller.get("requirement_collection") == "stripe" and account["details_submitted"]:
        for name in ("individual", "company"):
            account.pop(name, None)
    return account


ACCOUNT = Resource(
    object="account",
    prefix="acct",
    permission=PERMISSION,
    live=records(),
    path_param="account",
    endpoints=(
        Endpoint("GET", "/v1/account", retrieve_own),
        Endpoint("GET", "/v1/accounts", list_accounts),
        Endpoint("POST", "/v1/accounts", create, removed=legal_entity.REMOVED),
        Endpoint("GET", "/v1/accounts/{account}", retrieve_one),
        Endpoint("POST", "/v1/accounts/{account}", update, removed=legal_entity.REMOVED),
        Endpoint("DELETE", "/v1/accounts/{account}", delete),
        Endpoint(
            "POST",
            "/v1/accounts/{account}/reject",
            reject,
            removed=(
                Removed(
                    "2026-09-30",
                    "reason",
                    becomes=P.enum(*_REASONS),
                    link="endive/2026-09-30/updated-reject-reason-codes",
                ),
            ),
        ),
    ),
    view=shown,
    changes=(Change("2026-09-30", _told_by_stripe), *legal_entity.CHANGES),
    due_live=dict.fromkeys(
        (VERIFY, OWNER_CHECK, jobs.ACCOUNT_NEXT_REQUIREMENTS, jobs.ACCOUNT_CHARGE_BLOCK, jobs.ACCOUNT_PAYOUT_BLOCK),
        needs(VERIFICATION),
    ),
    on_due={
        VERIFY: verify,
        OWNER_CHECK: check_owners,
        jobs.ACCOUNT_NEXT_REQUIREMENTS: lambda call, id: ask(call, id, None),
        jobs.ACCOUNT_CHARGE_BLOCK: lambda call, id: ask(call, id, "charges"),
        jobs.ACCOUNT_PAYOUT_BLOCK: lambda call, id: ask(call, id, "payouts"),
    },
    title="Connected accounts",
    columns=("email", "id", "type", "created"),
)
