"""Balance: transactions, settlement, fees, payouts, top-ups."""

from tollkey.payments.balance import fees, kinds, moving, platform_fees, receivers, settlement, topups, transactions

__all__ = ["fees", "kinds", "moving", "platform_fees", "receivers", "settlement", "topups", "transactions"]
