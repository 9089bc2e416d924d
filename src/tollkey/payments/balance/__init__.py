"""Balance: transactions, settlement, fees, payouts, top-ups."""

__all__: list[str] = []
