"""A processor for payouts that exchanges files with a bank: ISO 20022 payment orders out, account statements in.

Payout ──batch──▶ pain.001 ──one rename──▶ folder ``out``     (somebody or something carries it to the bank)
folder ``in`` ──camt.053, camt.054, pain.002──▶ journal ──▶ Notice
"""

__all__: list[str] = []
