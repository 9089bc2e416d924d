"""Payouts by files for a bank."""

from tollkey.payments.processors.bank_files.processor import PROVIDER as PROVIDER
