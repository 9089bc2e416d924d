from tollkey.payments.processors.vault.holding import (
    accounts,
    end,
    end_all,
    ended,
    hold,
    is_used,
    main_id,
    may_be_used,
    turn,
)
from tollkey.payments.processors.vault.opening import Place, VaultRefused, create, open_store, place_of
from tollkey.payments.processors.vault.store import SEALED, Kept, Store, counts, delete_of
from tollkey.payments.processors.vault.sweeping import Both, delete_ended, sweep
from tollkey.payments.processors.vault.vault import NoVault, Vault, of_server

__all__ = [
    "SEALED",
    "Both",
    "Kept",
    "NoVault",
    "Place",
    "Store",
    "Vault",
    "VaultRefused",
    "accounts",
    "counts",
    "create",
    "delete_ended",
    "delete_of",
    "end",
    "end_all",
    "ended",
    "hold",
    "is_used",
    "main_id",
    "may_be_used",
    "of_server",
    "open_store",
    "place_of",
    "sweep",
    "turn",
]
