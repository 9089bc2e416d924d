"""What PaymentIntents and SetupIntents share: method types, client secrets, resolving what is paid with, the challenge
page.
"""

from tollkey.payments.intents import actions, option_rules, payment_intents, setup_intents

__all__ = ["actions", "option_rules", "payment_intents", "setup_intents"]
