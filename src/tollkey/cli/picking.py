"""Finding the key that a command names."""

from __future__ import annotations

from tollkey.cli.common import fail
from tollkey.cli.keys_opening import OpenKeys
from tollkey.core import Core
from tollkey.db import Scope, Tx
from tollkey.keys import Key
from tollkey.keys.header import beginning


def pick(keys: Core | OpenKeys, tx: Tx, scope: Scope, text: str) -> Key:
    """Return the key with this id, or whose text ends in these characters. Raises typer.Exit for none and several."""
    key = keys.authority.get(tx, scope, text)
    if key is not None:
        return key
    hits = keys.authority.ending_in(tx, scope, text) if len(text) >= 4 and not text.startswith("mk_") else ()
    if len(hits) != 1:
        raise fail(
            f"no such key in {'live' if scope.livemode else 'test'} mode: {beginning(text, 40)}"
            if not hits
            else f"several keys end in {text[-4:]}: pass the mk_ id"
        )
    return hits[0]
