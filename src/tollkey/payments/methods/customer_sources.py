"""Cards, bank accounts and sources saved to a customer: creating them from tokens or data, and attaching them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tollkey.payments.methods import kinds, states
from tollkey.payments.methods.bank_rules import check_account_type
from tollkey.payments.methods.instruments import redeem, test_card, wire_card
from tollkey.payments.methods.new_cards import NewCard, check_network, fingerprint_owner
from tollkey.payments.processors import banks, cards, vault
from tollkey.payments.shared import events, fields
from tollkey.wire import ApiError, Call, invalid
from tollkey.wire.errors import card_error, exclusive, missing_object, missing_param
from tollkey.wire.objects import Deleted, value_at

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import Instrument, SavedSource, StoredBankAccount, StoredCard, StoredSource
    from tollkey.wire import api
    from tollkey.wire.kinds import Kind, T

_CARD = ("number", "exp_month", "exp_year", "cvc")
_NO_SOURCE = (
    "You cannot use a PaymentMethod as a source for Customers. Instead, use the PaymentMethods API to Attach a Customer"
    " to a PaymentMethod. See https://stripe.com/docs/api/payment_methods/attach"
)
_CONSUMED = (
    "The reusable source you provided is consumed because it was previously charged without being attached to a"
    " customer or was"
    " detached from a customer. To charge a reusable source multiple time you must attach it to a customer first."
)


def inline_card(call: Call, given: Mapping[str, Any], param: str, *, currency: str | None = None) -> StoredCard:
    """Return a ``card`` object made from a hash of card data; it is not stored.

    Raises ApiError for missing or invalid data.
    """
    for name in ("number", "exp_month", "exp_year"):
        if not given.get(name):
            raise missing_param(f"{param}[{name}]")
    new = NewCard.typed(call, given, {"postal_code": given.get("address_zip"), "line1": given.get("address_line1")})
    card = wire_card(call, new, given, currency=currency)
    preferred = value_at(given, "networks.preferred")
    if preferred is not None:
        check_network(preferred, new.card.available_networks, f"{param}[networks][preferred]")
        card["networks"] = {"preferred": preferred}
    return card


def inline_bank(call: Call, given: Mapping[str, Any], param: str = "bank_account") -> StoredBankAccount:
    """Return a ``bank_account`` object made from a hash of bank account data; it is not stored.

    Raises ApiError for missing data, an invalid routing number, or a real account in test mode (recorded text).
    """
    country = str(given.get("country") or "US").upper()
    for name in ("country", "account_number"):
        if not given.get(name):
            raise missing_param(f"{param}[{name}]")
    check_account_type(country, given.get("account_type"), f"{param}[account_type]")
    number = str(given["account_number"]).replace(" ", "")
    routing = given.get("routing_number")
    if country == "US":
        _check_us(call, number, routing, param)
    details = banks.BankDetails(
        number,
        str(routing).replace("-", "") if routing else None if call.livemode else banks.ROUTING_NUMBER,
        country,
        str(given.get("currency") or "usd").lower(),
        holder_name=given.get("account_holder_name"),
        holder_type=given.get("account_holder_type"),
        account_type=given.get("account_type"),
        bank_name=None if call.livemode else banks.BANK_NAME,
    )
    value = banks.bank_account(details, id=call.ids.new("ba"), account=fingerprint_owner(call))
    if not call.livemode:
        value["_bank"] = banks.key_of(number)
    return value


def _check_us(call: Call, number: str, routing: Any, param: str) -> None:
    if not routing:
        raise missing_param(f"{param}[routing_number]")
    if not banks.routing_valid(str(routing)):
        digits = sum(letter.isdigit() for letter in str(routing))
        raise invalid(
            "Invalid routing number. Please check the routing number and try again."
            if digits == 9
            else "Routing number must have 9 digits",
            f"{param}[routing_number]",
            "routing_number_invalid",
        )
    if not call.livemode and banks.bank_by_number(number) is None:
        message = banks.TEST_ACCOUNT_MESSAGE.format(number="000123456789")
        raise invalid(message, f"{param}[account_number]", "account_number_invalid", retry=False)


def refuse_to_save(instrument: Instrument) -> None:
    """Raise the 402 error of a card whose bank refuses to save it (recorded: ``param`` is ``""``)."""
    card = test_card(instrument)
    given = {"cvc": bool(instrument.get("_cvc")), "postal_code": bool(instrument.get("_zip"))}
    decline = card.refuses_saving(**given) if card is not None else None
    if decline is not None:
        raise card_error(
            decline.code, decline.message, decline.param or "", decline.decline_code, keep=False, **decline.extra()
        )


def checked(instrument: Instrument) -> None:
    """Set the results of the bank's checks of a card."""
    card = test_card(instrument)
    if card is None:
        return
    checks = cards.checks_at_charge(
        card,
        cvc=bool(instrument.get("_cvc")),
        postal_code=bool(instrument.get("_zip")),
        line1=bool(instrument.get("_line1")),
    )
    wire = checks.wire()
    if kinds.is_card(instrument):
        instrument.update(
            {
                "cvc_check": wire["cvc_check"],
                "address_line1_check": wire["address_line1_check"],
                "address_zip_check": wire["address_postal_code_check"],
            }
        )
    elif kinds.is_payment_method(instrument) and "checks" in instrument.get("card", {}):
        instrument["card"]["checks"] = wire


def add_source(
    call: Call,
    customer: api.Customer,
    given: Any,
    param: str = "source",
    metadata: Mapping[str, str] | None = None,
) -> SavedSource:
    """Save a token, a source or card data to a customer, with its event; the first one becomes the default.

    Raises ApiError 402 if the card cannot be saved, 400 for a PaymentMethod, and for a token or source that is unknown,
    used or another customer's.
    """
    instrument = store_source(call, customer["id"], prepare_source(call, given, param), metadata)
    _make_default(call, customer, instrument["id"])
    return instrument


def given_source(params: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the token, source or data in the parameters with the name of its parameter; None if there is none.

    Raises ApiError 400 for more than one, and for an Alipay account: this server has none.
    """
    names = [name for name in ("source", "card", "bank_account", "alipay_account") if params.get(name)]
    if len(names) > 1:
        raise exclusive(*names, param=names[1])
    if names == ["alipay_account"]:
        raise missing_object("token", str(params["alipay_account"]), "alipay_account", in_path=False)
    return (params[names[0]], names[0]) if names else (None, "source")


def prepare_source(call: Call, given: Any, param: str) -> SavedSource:
    """Return the object to save, after the bank's checks. Raises ApiError like ``add_source``."""
    if isinstance(given, dict):
        bank = param == "bank_account" or given.get("object") == "bank_account"
        instrument: SavedSource = inline_bank(call, given, param) if bank else inline_card(call, given, param)
    elif str(given).startswith("pm_"):
        raise invalid(_NO_SOURCE, param, retry=False)
    elif str(given).startswith("src_"):
        instrument = _attachable(call, str(given), param)
    else:
        instrument = redeem(call, str(given), param)
    refuse_to_save(instrument)
    if instrument["object"] == "card":
        checked(instrument)
    return instrument


def store_source(
    call: Call, customer: str, instrument: SavedSource, metadata: Mapping[str, str] | None = None
) -> SavedSource:
    """Store an instrument for a customer (an id), with the event ``customer.source.created``."""
    instrument["customer"] = customer
    if metadata or "metadata" not in instrument:
        instrument["metadata"] = fields.new_metadata({"metadata": metadata or {}})
    vault.hold(call, instrument)
    if kinds.is_source(instrument):
        call.objects.save(instrument)
        call.emit("customer.source.created", instrument)
        return instrument
    instrument["_created"] = call.now
    return call.objects.insert(instrument, "customer.source.created")


def _attachable(call: Call, id: str, param: str) -> StoredSource:
    source = call.objects.find(kinds.SOURCE, id)
    if source is None or call.hides(source):
        raise call.objects.missing(kinds.SOURCE, id, param)
    if source.get("customer"):
        raise invalid("The source you provided has already been attached to a customer.", param, retry=False)
    wanted = "chargeable or pending" if source["status"] not in ("chargeable", "pending") else "reusable"
    if wanted != "reusable" or source["usage"] == "single_use":
        message = f"The source you provided cannot be attached to the customer. It must be {wanted}."
        raise invalid(message, param, retry=False)
    return source


def check_chargeable(found: Instrument, name: str) -> None:
    """Raise ApiError 400 for an unverified bank account, and for a source that cannot be charged. name: its parameter.

    Source of the texts: stripe-php issue 669.
    """
    if kinds.is_bank_account(found) and found["status"] != "verified":
        raise unusable()
    if kinds.is_source(found) and found["status"] == "consumed" and found.get("usage") == "reusable":
        raise invalid(_CONSUMED, name, retry=False)
    if kinds.is_source(found) and found["status"] != "chargeable":
        raise invalid(f"The source you provided is not in a chargeable state ({found['status']}).", name, retry=False)


def consume(call: Call, source: StoredSource) -> None:
    """Mark a single-use source as consumed."""
    states.SOURCE.set(source, "consumed")
    call.objects.save(source, "source.updated")


def remove_source(call: Call, customer: api.Customer, value: SavedSource) -> SavedSource | Deleted:
    """Remove a source from its customer, with its event; the newest of the others becomes the default."""
    vault.end(call, value)
    if kinds.is_source(value):
        states.SOURCE.set(value, "consumed")
        value["customer"] = None
        call.objects.save(value)
        call.emit("customer.source.deleted", value)
        answer: SavedSource | Deleted = value
    else:
        answer = call.objects.delete(value, "customer.source.deleted")
    if customer.get("default_source") == value["id"]:
        others = sources_of(call, customer["id"])
        customer["default_source"] = others[0]["id"] if others else None
        call.objects.save(customer, "customer.updated")
    call.announce(events.MethodRemoved(customer["id"], value["id"]))
    return answer


def replace_source(call: Call, customer: api.Customer, given: Any, param: str) -> None:
    """Save a token, a source or card data as a customer's default source, and remove the one before it.

    Raises ApiError like ``add_source``.
    """
    old = customer["default_source"]
    customer["default_source"] = None
    add_source(call, customer, given, param)
    if old is not None:
        remove_source(call, customer, source_of(call, customer["id"], old))


def _make_default(call: Call, customer: api.Customer, id: str) -> None:
    if customer.get("default_source") is None:
        customer["default_source"] = id
        if call.objects.find(kinds.CUSTOMER, customer["id"]) is not None:
            call.objects.save(customer, "customer.updated")


def sources_of(call: Call, customer: str, object: str | None = None) -> list[SavedSource]:
    """Return a customer's saved cards, bank accounts and sources, newest first."""

    def of(kind: Kind[T], name: str) -> list[T]:
        return call.objects.query(kind, {"customer": customer}, limit=100) if object in (None, name) else []

    found: list[SavedSource] = [
        *of(kinds.CARD, "card"),
        *of(kinds.BANK_ACCOUNT, "bank_account"),
        *of(kinds.SOURCE, "source"),
    ]
    return sorted(found, key=lambda value: -_saved_at(value))


def _saved_at(value: SavedSource) -> int:
    return value["created"] if kinds.is_source(value) else value.get("_created") or 0


def source_of(call: Call, customer: str, id: str, param: str | None = None) -> SavedSource:
    """Return one saved source of a customer. param: where the id is; None for the path.

    Raises ApiError ``resource_missing``.
    """
    for kind in (kinds.CARD, kinds.BANK_ACCOUNT, kinds.SOURCE):
        found: SavedSource | None = call.objects.find(kind, id)
        if found is not None and found.get("customer") == customer:
            return found
    raise missing_object("source", id, param or "id", in_path=param is None)


def unusable() -> ApiError:
    """Return the 400 error of a bank account that must be verified first."""
    return invalid("The customer's bank account must be verified.", None, "bank_account_unverified", retry=False)
