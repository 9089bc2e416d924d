"""Nodes that start at the same moment on an empty database make what a server begins with once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tollkey.core import KEYRING, Core, ensure_first_account, open_core, owner_link
from tollkey.core import test_pair as pair_of
from tollkey.db import Scope
from tollkey.keys.actors import SYSTEM
from tollkey.keys.keyring import Keyring
from tollkey.platform.merchants import merchants
from tollkey.settings import Settings

NODES = 4


def start(url: str, folder: Path, together: Barrier) -> tuple[Core, str, tuple[str, str]]:
    """What ``tollkey serve`` does before it answers."""
    together.wait()
    core = open_core(Settings(data=str(folder), database=url, pool_size=2))
    account = ensure_first_account(core).id
    pair = pair_of(core, account)
    owner_link(core, account)
    return core, account, pair


def test_one_account_one_pair_of_keys_and_one_balance(database_url: str, tmp_path: Path) -> None:
    Keyring.load_or_create(tmp_path / KEYRING)
    together = Barrier(NODES)
    with ThreadPoolExecutor(NODES) as threads:
        started = list(threads.map(lambda _: start(database_url, tmp_path, together), range(NODES)))
    (core, account, _), *_ = started
    assert len({one for _, one, _ in started}) == 1
    assert len({pair for *_, pair in started}) == 1
    assert [merchant.id for merchant in core.database.read(merchants)] == [account]
    for livemode in (False, True):
        keys = core.database.read(lambda tx, mode=livemode: core.authority.list(tx, Scope(account, mode)))  # type: ignore[misc]
        assert sorted(key.kind for key in keys) == ["publishable", "secret"]
    table = core.setup.tables.of["topup"]
    assert core.database.read(lambda tx: table.count(tx, Scope(account, False))) <= 1
    for one, *_ in started:
        one.close()


def test_a_default_key_that_was_deleted_is_made_anew_once(database_url: str, tmp_path: Path) -> None:
    Keyring.load_or_create(tmp_path / KEYRING)
    cores = [open_core(Settings(data=str(tmp_path), database=database_url, pool_size=2)) for _ in range(NODES)]
    account = ensure_first_account(cores[0]).id
    scope = Scope(account, False)
    (key,) = cores[0].database.read(lambda tx: cores[0].authority.list(tx, scope, kind="secret"))
    cores[0].database.write(
        lambda tx: cores[0].authority.revoke(tx, scope, key.id, actor=SYSTEM, now=int(cores[0].now()))
    )
    together = Barrier(NODES)

    def pair(core: Core) -> tuple[str, str]:
        together.wait()
        return pair_of(core, account)

    with ThreadPoolExecutor(NODES) as threads:
        assert len(set(threads.map(pair, cores))) == 1
    live = cores[0].database.read(
        lambda tx: cores[0].authority.list(tx, scope, kind="secret", active_at=int(cores[0].now()))
    )
    assert len(live) == 1
    for core in cores:
        core.close()
