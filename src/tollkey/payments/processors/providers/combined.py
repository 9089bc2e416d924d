"""The provider ``combined``."""

from tollkey.payments.processors.combined import PROVIDER as PROVIDER
