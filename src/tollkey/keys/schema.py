"""The tables of this room, from the files that use them."""

from __future__ import annotations

from tollkey.keys import attempts, belonging, chain, store

MIGRATIONS = (store.MIGRATION, chain.MIGRATION, attempts.MIGRATION, belonging.MIGRATION)
