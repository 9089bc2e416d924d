"""The migrations of this package, from the modules that use the tables."""

from __future__ import annotations

from tollkey.keys import addresses, attempts, chain, fingerprints, foreign, limiting, observing, store, tokens, usage

MIGRATIONS = (
    store.MIGRATION,
    chain.MIGRATION,
    attempts.MIGRATION,
    fingerprints.MIGRATION,
    usage.MIGRATION,
    observing.MIGRATION,
    foreign.MIGRATION,
    tokens.MIGRATION,
    addresses.MIGRATION,
    limiting.MIGRATION,
)

#: Where secrets are stored sealed.
SEALED = (*store.SEALED, *tokens.SEALED)
