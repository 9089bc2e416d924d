"""Tokens of the v2 API: what somebody typed about an account or a person, which reaches the platform's server as an id.

created ──named in ``account_token`` or ``person_token``──▶ used   (what it held is forgotten)
   └──``SECONDS`` pass──▶ refused
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tollkey.platform._connect import load_v2_account
from tollkey.platform._connect.v2_account import v1_params
from tollkey.platform._connect.v2_person import v1_person_params
from tollkey.platform.accounts import PERMISSION
from tollkey.wire import Call, Endpoint, Json, Resource, invalid
from tollkey.wire.access import publishable_access
from tollkey.wire.live import records
from tollkey.wire.objects import public, value_at
from tollkey.wire.rfc3339 import written
from tollkey.wire.sealing import seal_params, unseal_params

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tollkey.wire import operations

ACCOUNT_TOKEN, PERSON_TOKEN = "v2.core.account_token", "v2.core.account_person_token"
#: How long a token can be used; Stripe's documentation does not say.
SECONDS = 24 * 3_600
_TIMES = ("created", "expires_at")


def create_account_token(call: Call, params: operations.PostV2CoreAccountTokens) -> Json:
    """Create a token of what an account tells of itself. Raises ApiError 400 for what accounts do not take here."""
    given = _accepting(call, params, "identity.attestations.terms_of_service")
    v1_params(given, creates=True)
    return _store(call, ACCOUNT_TOKEN, "accttok", given)


def create_person_token(call: Call, params: operations.PostV2CoreAccountsAccountIdPersonTokens) -> Json:
    """Create a token of a person of an account. Raises ApiError 400 for what persons do not take here."""
    account = load_v2_account(call, call.path["account_id"]).account["id"]
    given = _accepting(call, params, "additional_terms_of_service")
    v1_person_params(given)
    return _store(call, PERSON_TOKEN, "perstok", given, account)


def _accepting(call: Call, params: Mapping[str, Any], path: str) -> Json:
    """Return the parameters; terms at a path that were shown and accepted are accepted now, by whoever asks."""
    given = call.objects.copy({**params})
    terms = value_at(given, path)
    if terms and terms.pop("account", {}).get("shown_and_accepted"):
        terms["account"] = {"date": call.now, "ip": call.origin.ip, "user_agent": call.origin.user_agent}
    return given


def _store(call: Call, kind: str, prefix: str, held: Json, account: str | None = None) -> Json:
    id = call.ids.new(prefix)
    token: Json = {
        "id": id,
        "object": kind,
        "created": call.now,
        "expires_at": call.now + SECONDS,
        "livemode": call.livemode,
        "used": False,
        "_held": seal_params(call, id, held),
        "_account": account,
    }
    return call.objects.insert(token)


def retrieve_account_token(call: Call, params: operations.GetV2CoreAccountTokensId) -> Json:
    """Retrieve an account token, without what it holds."""
    return call.objects.get(ACCOUNT_TOKEN, call.path["id"])


def retrieve_person_token(call: Call, params: operations.GetV2CoreAccountsAccountIdPersonTokensId) -> Json:
    """Retrieve a person token of an account, without what it holds."""
    token = call.objects.get(PERSON_TOKEN, call.path["id"])
    if token["_account"] != load_v2_account(call, call.path["account_id"]).account["id"]:
        raise call.objects.missing(PERSON_TOKEN, token["id"])
    return token


def spend(call: Call, params: Mapping[str, Any], kind: str, account: str | None = None) -> Json:
    """Return parameters with those that a token held, if they name one; it is used then.

    kind: ``account`` or ``person``. account: whom a person belongs to. Raises ApiError 400 for a token that does not
    exist, is another account's, was used or has expired.
    """
    name = f"{kind}_token"
    given = {key: value for key, value in params.items() if key != name}
    if not params.get(name):
        return given
    token = call.objects.get(ACCOUNT_TOKEN if kind == "account" else PERSON_TOKEN, params[name], name)
    if token["_account"] != account:
        raise invalid(f"The token {token['id']} is of another account.", name, retry=False)
    if token["used"]:
        raise invalid(f"You cannot use a token more than once: {token['id']}.", code="token_already_used")
    if token["expires_at"] <= call.now:
        raise invalid(f"The token {token['id']} has expired.", code="token_expired")
    token["used"] = True
    held = unseal_params(call, token["id"], token.pop("_held", None))
    call.objects.save(token)
    return {**held, **given}


def view(call: Call, token: Json) -> Json:
    """Return a token with its times in the form of the v2 API."""
    return {**token, **{name: written(token[name]) for name in _TIMES if isinstance(token[name], int)}}


def client_view(call: Call, token: Json) -> Json:
    """Return what a browser sees of a token that it has made: all but what it holds."""
    return public(token)


_SHOWN_TERMS, _DAY = "account{shown_and_accepted}", "{day month year}"
_PLACE = "city country line1 line2 postal_code state"
_SCRIPTS = f"{{kana{{{_PLACE} town}} kanji{{{_PLACE} town}}}}"
#: What accounts take here; the rest is refused by name for every key.
_ACCOUNT_ACCESS = publishable_access(
    takes="contact_email contact_phone display_name identity{entity_type"
    f" attestations{{terms_of_service{{{_SHOWN_TERMS}}}}}"
    f" business_details{{registered_name phone address{{{_PLACE}}}}}"
    f" individual{{given_name surname email phone address{{{_PLACE}}} date_of_birth{_DAY}}}}}",
    refuses="identity",
)
_PERSON_ACCESS = publishable_access(
    takes=f"additional_addresses{{{_PLACE} purpose town}} additional_names{{full_name given_name purpose surname}}"
    f" additional_terms_of_service{{{_SHOWN_TERMS}}} address{{{_PLACE} town}} date_of_birth{_DAY}"
    " documents{company_authorization{files type} passport{files type} visa{files type}"
    " primary_verification{front_back{back front} type} secondary_verification{front_back{back front} type}}"
    " email given_name id_numbers{type value} legal_gender metadata=any nationalities phone political_exposure"
    " relationship{authorizer director executive legal_guardian owner percent_ownership representative title}"
    f" script_addresses{_SCRIPTS} script_names{{kana{{given_name surname}} kanji{{given_name surname}}}} surname"
)


def _declared(object: str, prefix: str, label: str, *endpoints: Endpoint) -> Resource:
    """Return the declaration of one of the two types of tokens, which differ only in what they hold."""
    return Resource(
        object=object,
        prefix=prefix,
        label=label,
        permission=PERMISSION,
        live=records(),
        sealed=("_held",),
        view=view,
        client_view=client_view,
        endpoints=endpoints,
    )


OF_ACCOUNT = _declared(
    ACCOUNT_TOKEN,
    "accttok",
    "account_token",
    Endpoint("POST", "/v2/core/account_tokens", create_account_token, publishable=_ACCOUNT_ACCESS),
    Endpoint("GET", "/v2/core/account_tokens/{id}", retrieve_account_token),
)
OF_PERSON = _declared(
    PERSON_TOKEN,
    "perstok",
    "person_token",
    Endpoint("POST", "/v2/core/accounts/{account_id}/person_tokens", create_person_token, publishable=_PERSON_ACCESS),
    Endpoint("GET", "/v2/core/accounts/{account_id}/person_tokens/{id}", retrieve_person_token),
)
