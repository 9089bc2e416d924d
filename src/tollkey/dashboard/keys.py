"""What the pages about keys share: the key that the URL names, and the names of grants for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tollkey.dashboard.page import Context, NotFound, Params
from tollkey.keys import Key


def found(ctx: Context, params: Params) -> Key:
    """The key that the URL names, in this account and mode. Raises NotFound."""
    key = ctx.authority.get(ctx.tx, ctx.scope, params["key"])
    if key is None:
        raise NotFound
    return key


def labels(ctx: Context, grants: Iterable[str]) -> list[str]:
    """Return the names of grants for people, sorted; a grant that is not declared by its own name.

    Where several permissions have the same name, that of their group stands before it: ``Treasury: Transactions Read``.
    """
    catalogue = ctx.authority.catalogue
    same = Counter(row.label for row in catalogue.rows)

    def label(grant: str) -> str:
        row = catalogue.row(grant)
        return f"{row.group}: {catalogue.label(grant)}" if same[row.label] > 1 else catalogue.label(grant)

    return sorted(label(grant) if catalogue.declares(grant) else grant for grant in grants)
