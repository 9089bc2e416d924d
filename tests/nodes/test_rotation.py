"""Keys are rolled on their schedule by the server, once on any number of nodes."""

from __future__ import annotations

import asyncio

from tests.support.nodes import Nodes
from tollkey.db import Scope, Tx
from tollkey.keys import Key
from tollkey.keys.actors import SYSTEM
from tollkey.platform.background import rotate_keys

DAY = 86_400


def test_two_nodes_roll_each_key_that_is_due_once(nodes: Nodes) -> None:
    api, core, now = nodes.api(), nodes.first.core, nodes.first.clock[0]
    scope = Scope(api.account, True)

    def make(tx: Tx, every: int) -> Key:
        return core.authority.create(tx, scope, "secret", actor=SYSTEM, now=now, rotate_every=every)[0]

    due = [core.database.write(lambda tx: make(tx, 3600)) for _ in range(5)]
    core.database.write(lambda tx: make(tx, 7200))

    def rotate(at: int, grace_days: int) -> list[int]:
        async def on_both() -> list[int]:
            both = (nodes.first, nodes.second)
            each = (rotate_keys(node.server.edge, node.core.authority, at, grace_days) for node in both)
            return await asyncio.gather(*each)

        return nodes.first.runner.run(on_both())

    assert rotate(now + 3599, 7) == [0, 0]
    assert rotate(now + 3600, 0) == [0, 0]
    assert sum(rotate(now + 3600, 2)) == 5
    assert sum(rotate(now + 3600, 2)) == 0
    after = [core.database.read(lambda tx, key=key: core.authority.get(tx, scope, key.id)) for key in due]  # type: ignore[misc]
    assert {key.expires_at for key in after if key is not None} == {now + 3600 + 2 * DAY}
    new = [core.database.read(lambda tx, key=key: core.authority.get(tx, scope, key.replaced_by)) for key in after]  # type: ignore[misc]
    assert all(key.revealable and key.rotate_at == now + 7200 for key in new)
