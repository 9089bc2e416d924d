"""What PaymentIntents and SetupIntents share: method types, client secrets, resolving what is paid with, the challenge page."""

from tollkey.payments.intents.actions import (
    card_challenge,
    check_return_url,
    deposits_action,
    first_action,
    redirect_action,
    unverified,
)
from tollkey.payments.intents.client_secrets import client_secret, intent_of, not_for_clients, only_raised
from tollkey.payments.intents.method_choice import (
    attach,
    consume,
    redeem_confirmation_token,
    resolve_method,
    usable_by,
)
from tollkey.payments.methods.method_types import (
    TYPES,
    automatic_types,
    check_currency_of,
    check_types,
    merge_options,
    not_activated,
    options_for,
)

__all__ = [
    "TYPES",
    "attach",
    "automatic_types",
    "card_challenge",
    "check_currency_of",
    "check_return_url",
    "check_types",
    "client_secret",
    "consume",
    "deposits_action",
    "first_action",
    "intent_of",
    "merge_options",
    "not_activated",
    "not_for_clients",
    "only_raised",
    "options_for",
    "redeem_confirmation_token",
    "redirect_action",
    "resolve_method",
    "unverified",
    "usable_by",
]
