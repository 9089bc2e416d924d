"""Secrets that are needed again, kept sealed beside the object they belong to: of webhooks, of apps.

``tollkey keyring rotate`` leaves them under the key that sealed them, so a retired one stays in the file.
"""

from tollkey.wire.sealing import sealed, unsealed

__all__ = ["sealed", "unsealed"]
