"""An acquirer's host that speaks ISO 8583."""

from tollkey.payments.processors.iso8583.processor import PROVIDER as PROVIDER
