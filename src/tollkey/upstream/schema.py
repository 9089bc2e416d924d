"""The tables of this room, and where it stores sealed secrets."""

from __future__ import annotations

from tollkey.upstream import hooks, spending, store

MIGRATIONS = (store.MIGRATION, spending.MIGRATION, hooks.MIGRATION)
SEALED = (*store.SEALED, *hooks.SEALED)
