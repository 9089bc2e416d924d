"""Secrets that are needed again, kept sealed beside the object they belong to: of webhooks, of apps.

Say so in ``Resource(sealed=…)``: ``tollkey keyring rotate`` moves what is declared there.
"""

from tollkey.wire.sealing import sealed, unsealed

__all__ = ["sealed", "unsealed"]
