"""Sealed secrets that are stored with their object.

Declare their fields in ``Resource(sealed=…)``, so that ``tollkey keyring rotate`` re-encrypts them.
"""

from tollkey.wire.sealing import sealed, unsealed

__all__ = ["sealed", "unsealed"]
