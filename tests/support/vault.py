"""Servers with a card vault: one a kind of database serves the whole session; each test has a merchant of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import NOW, Api, World, open_node
from tests.support.processor import FEATURES, Live, Network, connected
from tollkey.core import is_account
from tollkey.db import Database, Ids, Scope
from tollkey.payments.processors.network import Authorize
from tollkey.payments.processors.vault import Place, Store, Vault, holding, opening

#: A number that is no test card, and how it may be written.
CANARY = "4532010000000016"
TEST_NUMBER = "4242424242424242"


def card(number: str = CANARY, cvc: str | None = "737") -> dict[str, Any]:
    """The parameters of a card."""
    return {"number": number, "exp_month": 12, "exp_year": 2034, **({"cvc": cvc} if cvc is not None else {})}


@dataclass
class VaultWorld:
    """A server with a vault. place: of the vault."""

    world: World
    place: Place

    @property
    def vault(self) -> Vault:
        """The server's vault."""
        assert self.world.server.vault is not None
        return self.world.server.vault


class Vaulted(Live):
    """A merchant that takes the numbers of cards, and whose network needs them."""

    def __init__(self, api: Api, network: Network, held: VaultWorld) -> None:
        super().__init__(api, network)
        self.held, self.vault = held, held.vault

    def store(self) -> Store:
        """The vault's own database and keyring, as the server has them."""
        return self.api.world.runner.run(self.vault.edge())[0]

    def numbers(self) -> list[str]:
        """The references of the merchant's numbers in the vault, oldest first."""
        sql = "SELECT reference FROM card_numbers WHERE account = ? ORDER BY seq"
        return [row[0] for row in self.store().database.read(lambda tx: tx.execute(sql, (self.api.account,)))]

    def holders(self) -> list[tuple[str, bool]]:
        """The kinds of objects that hold numbers of the merchant, and whether they have ended."""
        sql = "SELECT object, ended FROM card_vault_holders WHERE account = ? ORDER BY reference"
        found = self.api.core.database.read(lambda tx: tx.execute(sql, (self.api.account,)))
        return sorted((row[0], bool(row[1])) for row in found)

    def tidy(self) -> None:
        """Do what the server does every second."""
        self.api.world.runner.run(self.vault.tidy())

    def sweep(self, seconds: int = 0) -> None:
        """Let time pass, and do what the server does every ten minutes."""
        self.api.world.clock[0] += seconds
        self.api.world.runner.run(self.vault.sweep(self.api.core.setup.tables, is_account))

    def sent(self) -> list[tuple[str, str | None]]:
        """The numbers and security codes that the network was sent for payments."""
        return [(one.method.token, one.method.cvc) for one in self.network.requests if isinstance(one, Authorize)]

    def typed(self, number: str = CANARY, **more: Any) -> Any:
        """The answer to a new payment method of a number."""
        return self.post("/v1/payment_methods", type="card", card=card(number), **more)


def open_vault_world(url: str, vault: str, folder: Path) -> Iterator[VaultWorld]:
    """A server on these two databases, in an event loop of its own."""
    place = Place(vault, str(folder / "vault-keyring.json"))
    with asyncio.Runner() as runner:
        world = open_node(url, folder, runner, [NOW], vault_database=vault, vault_keyring=place.keyring)
        core = world.core
        main = core.database.write(lambda tx: holding.main_id(tx, Ids()))
        assert main is not None
        opening.create(place, main, core.authority.keyring).database.close()
        held = VaultWorld(world, place)
        yield held
        runner.run(held.vault.stop())
        runner.run(world.server.edge.stop())
        core.close()


@pytest.fixture(scope="session")
def sqlite_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultWorld]:
    folder = tmp_path_factory.mktemp("sqlite-vault")
    yield from open_vault_world("", str(folder / "vault.db"), folder)


@pytest.fixture(scope="session")
def postgres_vault(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]
) -> Iterator[VaultWorld]:
    import psycopg

    names = [f"{kind}_{Ids().text(12).lower()}" for kind in ("main", "vault")]
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
    main, vault = (postgres_server(name) for name in names)
    yield from open_vault_world(main, vault, tmp_path_factory.mktemp("postgres-vault"))


@pytest.fixture(params=["sqlite", "postgres"])
def vaulted(request: pytest.FixtureRequest) -> Iterator[Vaulted]:
    """A merchant of a server with a vault, on each kind of database."""
    held: VaultWorld = request.getfixturevalue(f"{request.param}_vault")
    with taking(held) as found:
        yield found


class taking:
    """A new merchant that takes numbers, within a ``with`` block. network: None for one that approves everything."""

    def __init__(self, held: VaultWorld, network: Network | None = None) -> None:
        self._held = held
        self._network = network or Network(replace(FEATURES, raw_numbers=True))

    def __enter__(self) -> Vaulted:
        api = Api(self._held.world)
        self._connected = connected(api, self._network)
        self._connected.__enter__()
        turn(api.core.database, Scope(api.account, True), True)
        return Vaulted(api, self._network, self._held)

    def __exit__(self, *failure: Any) -> None:
        self._connected.__exit__(*failure)


def turn(database: Database, scope: Scope, on: bool) -> None:
    """Let an account take numbers, or no longer."""
    database.write(lambda tx: holding.turn(tx, scope, on, NOW))
