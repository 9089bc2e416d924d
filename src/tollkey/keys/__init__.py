"""API keys: create, verify, restrict, roll, revoke. Usable alone, in front of any application, without a web framework.

What an application needs: ``KeyService`` and its view of one customer, ``AccountKeys``; ``Permission``; the values
``Key``, ``Made``, ``Rolled``, ``Checked`` and ``Denied`` with its ``Reason``; the errors ``TollkeyError``,
``KeyRefused`` and ``StorageError``; and the middleware ``asgi.KeyGate`` and ``wsgi.KeyGate``. The other names are the
parts that ``KeyService`` is made of, for hosts that put them together in another way.
"""

from tollkey.db import StorageError
from tollkey.db.engine import TollkeyError
from tollkey.keys import asgi, audit, chain, fingerprints, usage, wsgi
from tollkey.keys.accounts import AccountKeys
from tollkey.keys.attempts import Attempts, RefusedAttempt, refused_attempts
from tollkey.keys.audit import guard
from tollkey.keys.authority import Authority
from tollkey.keys.changing import Made, NewKey, Rolled
from tollkey.keys.errors import KeyRefused, UnknownPermission
from tollkey.keys.fingerprints import KeyringSource
from tollkey.keys.header import Presented, read_authorization, without_keys, without_secret_keys
from tollkey.keys.key import SYSTEM, Actor, Checked, Denied, Key, LimitState, Reason
from tollkey.keys.keyring import Keyring, KeyringError, is_private
from tollkey.keys.limits import (
    LONGEST_ROLL_SECONDS,
    ROLL_EXPIRATIONS,
    Limits,
    ip_allowed,
    network_of,
    networks_of,
)
from tollkey.keys.lookup import KeyPage
from tollkey.keys.permissions import ALIASES, IMPLIED, Permission, PermissionCatalogue
from tollkey.keys.refusal import Forbidden, Refusal, Refused, for_auth_request, rfc6750
from tollkey.keys.rules import LONGEST_NAME, LONGEST_NOTE
from tollkey.keys.schema import MIGRATIONS, SEALED
from tollkey.keys.sealed import RowKey, SealedColumn, SealedStorage, Transform, count_sealed_with, reseal_all
from tollkey.keys.sealing import SealBroken, seal, seal_context, unseal
from tollkey.keys.service import KeyService
from tollkey.keys.store import Usage, exists_in_other_mode, take_use
from tollkey.keys.succession import OldKeyUse, old_key_use
from tollkey.keys.token import BRAND, Brand, Kind, Parsed, digest, generate, mask_known, mask_unknown, parse, redact
from tollkey.keys.verifier import FLUSH_MOST, Lease, Verifier
from tollkey.keys.writing import CHANNEL

__all__ = [
    "ALIASES",
    "BRAND",
    "CHANNEL",
    "FLUSH_MOST",
    "IMPLIED",
    "LONGEST_NAME",
    "LONGEST_NOTE",
    "LONGEST_ROLL_SECONDS",
    "MIGRATIONS",
    "ROLL_EXPIRATIONS",
    "SEALED",
    "SYSTEM",
    "AccountKeys",
    "Actor",
    "Attempts",
    "Authority",
    "Brand",
    "Checked",
    "Denied",
    "Forbidden",
    "Key",
    "KeyPage",
    "KeyRefused",
    "KeyService",
    "Keyring",
    "KeyringError",
    "KeyringSource",
    "Kind",
    "Lease",
    "LimitState",
    "Limits",
    "Made",
    "NewKey",
    "OldKeyUse",
    "Parsed",
    "Permission",
    "PermissionCatalogue",
    "Presented",
    "Reason",
    "Refusal",
    "Refused",
    "RefusedAttempt",
    "Rolled",
    "RowKey",
    "SealBroken",
    "SealedColumn",
    "SealedStorage",
    "StorageError",
    "TollkeyError",
    "Transform",
    "UnknownPermission",
    "Usage",
    "Verifier",
    "asgi",
    "audit",
    "chain",
    "count_sealed_with",
    "digest",
    "exists_in_other_mode",
    "fingerprints",
    "for_auth_request",
    "generate",
    "guard",
    "ip_allowed",
    "is_private",
    "mask_known",
    "mask_unknown",
    "network_of",
    "networks_of",
    "old_key_use",
    "parse",
    "read_authorization",
    "redact",
    "refused_attempts",
    "reseal_all",
    "rfc6750",
    "seal",
    "seal_context",
    "take_use",
    "unseal",
    "usage",
    "without_keys",
    "without_secret_keys",
    "wsgi",
]
