"""Parameters of Stripe's document that this server refuses: it has nothing on which they could act.

Tables map a parameter to the text of its error. A path is dotted, as in ``spec.limits``.
"""

from __future__ import annotations

from typing import Final

_ACCOUNTS = "Accounts of this server have no customer configuration; name a customer in `customer` instead."
_CASH = "Refunds from a customer's cash balance are not available on this server."
_PAUSES = "Pause schedules are not available on this server; pause the subscription itself when its time has come."
_BILLED_UNTIL = "Billing schedules are not available on this server; prices recur until the subscription ends."
_BEGINS = "Subscriptions of quotes begin when the quote is accepted; a subscription schedule begins at another time."
_WHOLE = "Discounts of single lines of a quote are not available on this server; give the whole quote `discounts`."
_DIRECTIVE = "Refunds of application fees take no directives on this server."
_DESIGNS = "Personalization designs of cards are not available on this server."
_PIN = "PINs are encrypted with a key that this server does not have; its cards have none."
_TREASURY = "Financial accounts are not available on this server."
_RISK = "Authorizations of this server carry no assessment of their risk."
_READ = "Simulated readers of this server read cards of the type card_present only."
_LATER = "This payment method is not available on this server."
_CONFIGURATION = {"apple_pay_later": _LATER, "fr_meal_voucher_conecs": _LATER}
_LINKED = "Financial Connections are not available on this server; give `account_number` and `routing_number` instead."
_COPIED = "Bank accounts of PaymentMethods are not copied by this server; give `account_number` instead."
_NONCE = "Issuing Elements are not available on this server: no nonce is ever created."
_AUTHENTICATED = "Results of 3-D Secure from elsewhere are not taken by this server; use `request_three_d_secure`."
_INSTALLMENTS = "Installment plans are not available on this server: none of its cards has one."
_UPI = "Mandates of UPI are not available on this server."
_REFERENCE = "References of bank accounts are not available on this server."
_DATA = {
    "payment_method_data.nz_bank_account.reference": _REFERENCE,
    "payment_method_data.upi.mandate_options": _UPI,
    "payment_method_data.us_bank_account.financial_connections_account": _LINKED,
}
_SETUP = {**_DATA, "payment_method_options.card.three_d_secure": _AUTHENTICATED}
_PAYMENT = {**_SETUP, "payment_method_options.card.installments.plan": _INSTALLMENTS}
_TOKEN = {**_DATA, "payment_method_options.card.installments": _INSTALLMENTS}
_PREVIEWED_LATER = (
    "Previews of this server begin now; those of a subscription that begins at another time are not built."
)
_RESUMED = "Previews of a paused subscription's resumption are not available on this server."
_UPCOMING = {"subscription_resume_at": _RESUMED, "subscription_start_date": _PREVIEWED_LATER}
_REFUND = {"customer": _CASH, "origin": _CASH}
_OWNER = {"owner.customer_account": _ACCOUNTS}

#: Of every operation that has the parameter.
ANYWHERE: Final = {"customer_account": _ACCOUNTS, "related_customer_account": _ACCOUNTS}

#: Of single operations.
UNBUILT: Final[dict[str, dict[str, str]]] = {
    "GET /v1/tax_ids": _OWNER,
    "POST /v1/tax_ids": _OWNER,
    "POST /v1/application_fees/{}/refund": {"directive": _DIRECTIVE},
    "POST /v1/balance_settings": {"payments.payouts.automatic_transfer_rules_by_currency": _TREASURY},
    "POST /v1/charges/{}/refunds": _REFUND,
    "GET /v1/invoices/upcoming": _UPCOMING,
    "GET /v1/invoices/upcoming/lines": _UPCOMING,
    "POST /v1/invoices/create_preview": {
        "customer_details.tax": "IP addresses have no location on this server; give an `address` instead.",
        "schedule_details.pause_schedules": _PAUSES,
        "subscription_details.billing_schedules": _BILLED_UNTIL,
        "subscription_details.start_date": _PREVIEWED_LATER,
    },
    "POST /v1/subscriptions": {"billing_schedules": _BILLED_UNTIL},
    "POST /v1/subscriptions/{}": {"billing_schedules": _BILLED_UNTIL},
    "POST /v1/issuing/cards": {"financial_account": _TREASURY, "personalization_design": _DESIGNS, "pin": _PIN},
    "POST /v1/issuing/cards/{}": {"personalization_design": _DESIGNS, "pin": _PIN},
    "POST /v1/issuing/disputes": {"treasury": _TREASURY},
    "POST /v1/ephemeral_keys": {"nonce": _NONCE},
    "POST /v1/payment_intents": _PAYMENT,
    "POST /v1/payment_intents/{}": _PAYMENT,
    "POST /v1/payment_intents/{}/confirm": _PAYMENT,
    "POST /v1/setup_intents": _SETUP,
    "POST /v1/setup_intents/{}": _SETUP,
    "POST /v1/setup_intents/{}/confirm": _SETUP,
    "POST /v1/test_helpers/confirmation_tokens": _TOKEN,
    "POST /v1/payment_method_configurations": _CONFIGURATION,
    "POST /v1/payment_method_configurations/{}": _CONFIGURATION,
    "POST /v1/payment_methods": {
        "interac_present": "A PaymentMethod of this type is created by a card reader.",
        "nz_bank_account.reference": _REFERENCE,
        "upi.mandate_options": _UPI,
        "us_bank_account.financial_connections_account": _LINKED,
    },
    "POST /v1/payouts": {"payout_method": _TREASURY},
    "POST /v1/quotes": {"line_items[].discounts": _WHOLE, "subscription_data.effective_date": _BEGINS},
    "POST /v1/quotes/{}": {"line_items[].discounts": _WHOLE, "subscription_data.effective_date": _BEGINS},
    "POST /v1/refunds": _REFUND,
    "POST /v1/subscription_schedules": {"pause_schedules": _PAUSES},
    "POST /v1/subscription_schedules/{}": {"pause_schedules": _PAUSES},
    "POST /v1/tokens": {"bank_account.payment_method": _COPIED},
    "POST /v1/test_helpers/terminal/readers/{}/present_payment_method": {"card": _READ, "interac_present": _READ},
    "POST /v1/test_helpers/issuing/authorizations": {"fraud_disputability_likelihood": _RISK, "risk_assessment": _RISK},
}
