"""KEYS: the key authority. Usable alone, in front of any application; knows no HTTP framework."""

from tollkey.keys import asgi, audit, belonging, chain, wsgi
from tollkey.keys.attempts import Attempt, Attempts, refused_attempts
from tollkey.keys.audit import guard
from tollkey.keys.authority import CHANNEL, Authority
from tollkey.keys.belonging import KeyringSource
from tollkey.keys.errors import KeyRefused, UnknownPermission
from tollkey.keys.header import Presented, read_authorization, without_keys, without_secret_keys
from tollkey.keys.key import SYSTEM, Actor, Denied, Key, Reason
from tollkey.keys.keyring import Keyring, KeyringError, is_private
from tollkey.keys.limits import (
    LONGEST_ROLL_SECONDS,
    ROLL_EXPIRATIONS,
    Limiter,
    RateLimiter,
    ip_allowed,
    network_of,
    networks_of,
)
from tollkey.keys.lookup import KeyPage
from tollkey.keys.permissions import ALIASES, IMPLIED, Catalogue, Permission, PermissionSet
from tollkey.keys.refusal import Forbidden, Refusal, Refused, for_auth_request, rfc6750
from tollkey.keys.rules import LONGEST_NAME, LONGEST_NOTE
from tollkey.keys.schema import MIGRATIONS
from tollkey.keys.sealed import Change, Place, SealedColumn, Sealing, move_all, needed
from tollkey.keys.sealing import SealBroken, row_of, seal, unseal
from tollkey.keys.service import KeyService
from tollkey.keys.store import SEALED, Usage, exists_in_other_mode
from tollkey.keys.token import BRAND, Brand, Kind, Parsed, digest, generate, mask_known, mask_unknown, parse, redact
from tollkey.keys.verifier import FLUSH_MOST, Lease, Verifier

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
    "Actor",
    "Attempt",
    "Attempts",
    "Authority",
    "Brand",
    "Catalogue",
    "Change",
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
    "Limiter",
    "Parsed",
    "Permission",
    "PermissionSet",
    "Place",
    "Presented",
    "RateLimiter",
    "Reason",
    "Refusal",
    "Refused",
    "SealBroken",
    "SealedColumn",
    "Sealing",
    "UnknownPermission",
    "Usage",
    "Verifier",
    "asgi",
    "audit",
    "belonging",
    "chain",
    "digest",
    "exists_in_other_mode",
    "for_auth_request",
    "generate",
    "guard",
    "ip_allowed",
    "is_private",
    "mask_known",
    "mask_unknown",
    "move_all",
    "needed",
    "network_of",
    "networks_of",
    "parse",
    "read_authorization",
    "redact",
    "refused_attempts",
    "rfc6750",
    "row_of",
    "seal",
    "unseal",
    "without_keys",
    "without_secret_keys",
    "wsgi",
]
