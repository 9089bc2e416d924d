"""Verification from elsewhere: asks a key server over HTTP, and caches answers while it hears of changes.

Needs httpx: ``pip install 'tollkey[remote]'``.
"""

try:
    import httpx as _  # noqa: F401
except ImportError:
    raise ImportError("keys are verified from elsewhere with httpx: pip install 'tollkey[remote]'") from None

from tollkey.keys.remote.async_client import AsyncRemoteKeys
from tollkey.keys.remote.client import RemoteKeys
from tollkey.keys.remote.errors import RemoteError, RemoteRefused, RemoteUnavailable

__all__ = ["AsyncRemoteKeys", "RemoteError", "RemoteKeys", "RemoteRefused", "RemoteUnavailable"]
