"""What this room stores, with its private fields."""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from tollkey.payments.methods.stored import Instrument as Instrument
from tollkey.wire import api

#: What becomes of a waiting intent by itself in test mode.
Ending: TypeAlias = Literal["paid", "expired", "deposits_failed"]

class IntentFields(TypedDict, total=False):
    """The private fields of both kinds of intents.

    _return_url: where the customer goes after an action. _save: whether the payment method is saved to the
        customer once it has paid (``save_payment_method``). _authenticated: id of the payment method that the customer
        has authenticated; null for none. _mandate: id of the mandate that was given. _implicit: whether the payment
        method types were left to the server. _deposit_attempts: how often micro-deposits were guessed wrong. _checkout:
        id of the Checkout Session that it belongs to. _default: whether an app asked for its payment method to become
        the customer's default. source: the legacy source, which older versions show.
    """

    _default: bool

    _return_url: str | None
    _save: bool
    _authenticated: str | None
    _mandate: str | None
    _implicit: bool
    _deposit_attempts: int
    _checkout: str
    source: str | None

class StoredPaymentIntent(api.PaymentIntent, IntentFields):
    """A PaymentIntent.

    _invoice: id of the invoice that it pays. _funded: what of it was paid from the customer's cash balance, in minor
        units. _radar_options: as they were sent. _shipping_by_server: whether a secret key gave the shipping address,
        which a client may not change then. _line_items: shown when expanded. _fate: what becomes of it by itself while
        it waits for its customer; absent when nothing was planned. _increments: how
        often its authorization was incremented. _returns_to: the ``return_url`` of an update, for a confirmation that
        names none. _attempt: the reference of what its processor was asked and has not answered; absent when there is
        nothing.
    """

    _invoice: NotRequired[str | None]
    _fate: NotRequired[Ending]
    _increments: NotRequired[int]
    _returns_to: NotRequired[str]
    _funded: NotRequired[int]
    _attempt: NotRequired[str]
    _radar_options: NotRequired[Any]
    _shipping_by_server: NotRequired[bool]
    _line_items: NotRequired[list[api.PaymentIntentAmountDetailsLineItem]]

class StoredSetupIntent(api.SetupIntent, IntentFields):
    """A SetupIntent.

    _subscription: id of the subscription that it is the ``pending_setup_intent`` of; absent for all others.
    _attempt: the reference of the verification that a processor on a network is being asked for; absent otherwise.
    """

    _subscription: NotRequired[str]
    _attempt: NotRequired[str]

class StoredConfirmationToken(api.ConfirmationToken):
    """A ConfirmationToken.

    _payment_method: id of the payment method that it stands for; null when there is none. _default: it shall become
        the customer's default; absent when that was not asked for.
    """

    _payment_method: NotRequired[str | None]
    _default: NotRequired[bool]

AnyIntent: TypeAlias = StoredPaymentIntent | StoredSetupIntent
