"""Tokens: single-use references to card, bank account or personal data.

created ──used──▶ used
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.db import Scope
from tollkey.keys import Permission
from tollkey.keys.keyring import Keyring
from tollkey.payments.methods import kinds
from tollkey.payments.methods.copying import shared_from
from tollkey.payments.methods.customer_sources import inline_bank, inline_card
from tollkey.payments.processors import banks, vault
from tollkey.payments.shared import client_access, fields, permissions
from tollkey.wire import ApiError, Call, Endpoint, Resource, invalid, new_object
from tollkey.wire.access import publishable_access
from tollkey.wire.errors import exclusive, missing_object
from tollkey.wire.live import records
from tollkey.wire.objects import public
from tollkey.wire.sealing import seal_params, sealed_for
from tollkey.wire.versions import Change

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredBankAccount, StoredCard, StoredToken
    from tollkey.wire import operations

PERMISSION = Permission("token", "Tokens", "Core")
#: Parameters that create a token -> prefix of its id, and its type.
_KINDS = {
    "card": ("tok", "card"),
    "bank_account": ("btok", "bank_account"),
    "pii": ("pii", "pii"),
    "account": ("ct", "account"),
    "person": ("cpt", "person"),
    "cvc_update": ("cvctok", "cvc_update"),
}
#: Fields that a publishable key receives.
_SHOWN = ("id", "object", "bank_account", "card", "client_ip", "created", "livemode", "type", "used")
_KANA = "city country line1 line2 postal_code state town"
_NOTHING = "You must supply either a card, customer, PII data, bank account, account or person to create a token."


def create(call: Call, params: operations.PostTokens) -> StoredToken:
    """Create a token for card, bank account, account, person or other personal data. Allowed with a publishable key."""
    given = [name for name in _KINDS if params.get(name)]
    if len(given) > 1:
        raise exclusive(*given, code="parameters_exclusive")
    if params.get("customer"):
        named = params.get("card") or params.get("bank_account")
        inner = _of_customer(call, params["customer"], given[0] if given else None, named)
        return _store(call, inner["object"], inner)
    if not given:
        raise invalid(_NOTHING)
    name = given[0]
    if name in ("card", "bank_account"):
        return _store(call, name, _instrument(call, name, params))
    return _store(call, name, None, params.get("account") or params.get("person"))


def _instrument(call: Call, name: str, params: operations.PostTokens) -> StoredCard | StoredBankAccount:
    """Return the card or bank account of a token, made from the given data."""
    bank_account, data = params.get("bank_account"), params.get("card")
    if bank_account:
        return inline_bank(call, bank_account)
    if not isinstance(data, dict):  # an id, which needs its customer
        raise invalid("Invalid object", name)
    currency = data.get("currency")
    return inline_card(call, data, "card", currency=str(currency).lower() if currency else None)


def _of_customer(call: Call, customer: str, name: str | None, named: object) -> StoredCard | StoredBankAccount:
    """Return a copy of a saved card or bank account of a platform's customer: the named one, or the default.

    name: the parameter that was given. named: the id in it.
    Raises ApiError 400 without a connected account or for an unknown card (the real texts, from public reports), and
    403 if the key may not read the platform's customers.
    """
    home = shared_from(call, "customer", permissions.CUSTOMER)
    found = home.objects.get(kinds.CUSTOMER, customer, "customer")
    kind, id = name or "card", found.get("default_source") if name is None else named
    if id is None and name is None:
        raise invalid("The customer must have an active payment source attached.", "customer", "missing")
    if kind not in ("card", "bank_account") or not isinstance(id, str):
        raise exclusive("customer", kind, code="parameters_exclusive")
    if name is None and id.startswith("src_"):
        raise invalid(
            "You provided a customer without specifying a source. The default source of the customer is a source and"
            " cannot be shared from"
            " existing customers.",
            "customer",
        )
    kind = "bank_account" if name is None and id.startswith("ba_") else kind
    saved: StoredCard | StoredBankAccount | None = home.objects.find(
        kinds.CARD if kind == "card" else kinds.BANK_ACCOUNT, id
    )
    if saved is None or saved.get("customer") != customer:
        raise invalid(
            f"Customer {customer} does not have {kind.replace('_', ' ')} with ID {id}", name or "customer", "missing"
        )
    copy = saved.copy()
    copy.update({"id": call.ids.new("card" if kind == "card" else "ba"), "customer": None})
    copy.pop("_vault", None)  # the number is of the other account
    return copy


def _store(
    call: Call,
    name: str,
    inner: StoredCard | StoredBankAccount | None,
    personal: Mapping[str, Any] | None = None,
) -> StoredToken:
    """Store a token. personal: the data of an account or person token, sealed because it may contain national id
    numbers.
    """
    prefix, type = _KINDS[name]
    token = new_object(
        kinds.TOKEN,
        id=call.ids.new(prefix),
        client_ip=call.origin.ip,
        created=call.now,
        livemode=call.livemode,
        type=type,
        used=False,
    )
    if inner is not None:
        fields.assign(token, {name: public(inner)}, (name,))
        fields.assign(token, inner, [field for field in inner if field.startswith("_") and field != "_created"])
    if personal is not None and name == "account":
        token["_account"] = seal_params(call, token["id"], personal)
    elif personal is not None:
        token["_person"] = seal_params(call, token["id"], personal)
    if name == "cvc_update" and name in call.apart:
        token["_code"] = call.apart[name].reference
    vault.hold(call, token)
    return call.objects.insert(token)


def retrieve_token(call: Call, params: operations.GetTokensToken) -> StoredToken:
    """Retrieve a token. An unknown id is a 400, as for an id in a parameter (reference section 2.2)."""
    found = call.objects.find(kinds.TOKEN, call.path["token"])
    if found is None:
        raise _missing(call)
    return found


def _missing(call: Call) -> ApiError:
    return missing_object("token", call.path["token"], "token", in_path=False)


def client_view(call: Call, value: StoredToken) -> Mapping[str, object]:
    """Return the fields of a token that a publishable key may see."""
    return {name: value.get(name) for name in _SHOWN if name in value}


def _sealed_or_gone(private: Mapping[str, object], keyring: Keyring, scope: Scope, id: str) -> dict[str, object]:
    """Seal the data of tokens that earlier versions stored in clear; delete id numbers and security codes."""
    kept = {name: value for name, value in private.items() if name not in ("_pii", "_cvc_update")}
    for name in ("_account", "_person"):
        if isinstance(kept.get(name), dict):
            kept[name] = sealed_for(keyring, scope, id, json.dumps(kept[name]))
    return kept


def _customer(call: Call, token: StoredToken) -> None:
    """Before 2015-02-18 the card of a token had a ``customer``, which is null (recorded)."""
    if token.get("card"):
        token["card"]["customer"] = None


_DAY, _DOCUMENT, _ACCEPTED = "{day month year}", "{back front}", "{date ip user_agent}"
_PLACES = f"{client_access.ADDRESS} address_kana{{{_KANA}}} address_kanji{{{_KANA}}}"
_PERSON = (
    f"{_PLACES} registered_{client_access.ADDRESS} dob{_DAY} email"
    " first_name first_name_kana first_name_kanji full_name_aliases gender id_number"
    " id_number_secondary last_name last_name_kana last_name_kanji maiden_name metadata=any phone political_exposure"
    " ssn_last_4"
    f" verification{{additional_document{_DOCUMENT} document{_DOCUMENT}}}"
)
_COMPANY = (
    f"{_PLACES} directors_provided directorship_declaration{_ACCEPTED} executives_provided export_license_id"
    f" export_purpose_code name"
    f" name_kana name_kanji owners_provided ownership_declaration{_ACCEPTED} ownership_declaration_shown_and_signed"
    f" ownership_exemption_reason phone registration_date{_DAY} registration_number"
    f" representative_declaration{_ACCEPTED} structure tax_id"
    f" tax_id_registrar vat_id verification{{document{_DOCUMENT}}}"
)
#: Tokens of data that the customer enters. ``customer``, an id as ``card`` or ``bank_account``, and ``payment_method``
#: would copy saved ones.
_MADE_BY_CLIENT = publishable_access(
    takes="card{address_city address_country address_line1 address_line2 address_state address_zip currency cvc"
    " exp_month exp_year name"
    " networks{preferred} number} bank_account{account_holder_name account_holder_type account_number account_type"
    " country currency"
    " routing_number} cvc_update{cvc} pii{id_number}"
    f" account{{business_type company{{{_COMPANY}}} tos_shown_and_accepted"
    f" individual{{{_PERSON} relationship{{director executive owner percent_ownership title}}}}}}"
    f" person{{{_PERSON} relationship{{authorizer director executive legal_guardian owner percent_ownership"
    " representative title}"
    f" additional_tos_acceptances{{account{_ACCEPTED}}} nationality"
    f" us_cfpb_data{{ethnicity_details{{ethnicity ethnicity_other}}"
    " race_details{race race_other} self_identified_gender}"
    " documents{company_authorization{files} passport{files} visa{files}}}",
    ignores="radar_options",
    refuses="card bank_account customer",
)

TOKEN = Resource(
    object="token",
    prefix="tok",
    prefixes=("btok", "ct", "cpt", "cvctok", "pii"),
    permission=PERMISSION,
    live=records(),
    sealed=("_account", "_person"),
    rewrites=(banks.without_number, _sealed_or_gone),
    path_param="token",
    endpoints=(
        Endpoint("POST", "/v1/tokens", create, publishable=_MADE_BY_CLIENT),
        Endpoint("GET", "/v1/tokens/{token}", retrieve_token, raw=True, publishable=publishable_access()),
    ),
    client_view=client_view,
    changes=(Change("2015-02-18", _customer),),
)
