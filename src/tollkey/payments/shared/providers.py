"""The capabilities for which payments in live mode need a provider. Test mode simulates them; no provider is
built in.
"""

from __future__ import annotations

from tollkey.wire.live import Capability

#: The error is that of an account that may not charge yet (reference section 1.2).
CHARGES = Capability(
    "charges",
    "take money",
    status=402,
    code="testmode_charges_only",
    message="Your account cannot currently make live charges.",
)
#: What a processor on a network takes: payments by PaymentIntents. The error is the same.
PAYMENTS = Capability(
    "payments through a processor", CHARGES.does, status=CHARGES.status, code=CHARGES.code, message=CHARGES.message
)
SETUPS = Capability("verifying payment methods", "verify a payment method or keep it ready for charges")
#: What a processor on a network does of it: cards by SetupIntents. The error is the same.
VERIFYING = Capability("verifying cards through a processor", SETUPS.does, message=SETUPS.refusal().message)
REFUNDS = Capability("refunds", "give money back")
PAYING_OUT = Capability("payouts", "pay out money")
TOPPING_UP = Capability("top-ups", "add money to a balance")
TRANSFERS = Capability("transfers", "move money between accounts")
BANK_TRANSFERS = Capability("bank transfers", "receive money on a bank account")
SOURCES = Capability("sources", "make a source chargeable")
DISPUTES = Capability("disputes", "answer a bank")
IDENTITY = Capability("identity verification", "verify a person")
ISSUING = Capability("issuing", "issue cards or let them spend")
CLIMATE = Capability("carbon removal", "order carbon removal")
RATES = Capability("exchange rates", "tell what a currency is worth")
TERMINAL = Capability("card readers", "reach a card reader")
#: The behavior of invoices in live mode, for the docs.
UNPAID = "an invoice with something due stays unpaid"
#: When a Checkout page requires a provider.
PAYS = "a payment method is asked for; with `mode=setup` it asks for verifying payment methods instead"
TAX_IDS = Capability("checking tax ids", "check a tax id")
WALLETS = Capability("wallet domains", "register a domain with a wallet")
