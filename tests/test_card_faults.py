"""The card vault when something ends at the wrong moment: processes, nodes, steps that fail."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from tests.contract.judges.proxies import free_port
from tests.support.api import World, open_node
from tests.support.canary import found_in
from tests.support.processor import connected
from tests.support.vault import CANARY, Vaulted, VaultWorld, card, open_vault_world, taking
from tollkey.cli.keyring_opening import refuse_running
from tollkey.db import Ids, StorageError
from tollkey.db.engine import OutcomeUnknown
from tollkey.payments.processors import attempts
from tollkey.payments.processors.vault import NoVault
from tollkey.payments.processors.vault.vault import Away
from tollkey.wire.owners import Owners

DAY = 86_400
KILLED = """
import os, signal, sys
from pathlib import Path
from tests.support.vault import open_vault_world, taking
from tollkey.wire.owners import Owners

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

for held in open_vault_world("", sys.argv[1] + "/vault.db", Path(sys.argv[1])):
    with taking(held) as merchant:
        merchant.typed()
        Owners.write = killed
        merchant.typed()
"""


def test_a_process_that_is_killed_between_the_two_commits_leaves_a_number_that_is_swept(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, timeout=120)
    assert done.returncode == -9, done.stderr
    looked = "UPDATE card_vault_holders SET looked_at = 2000000000"  # the first card is not of interest
    counted = "SELECT count(*) FROM card_numbers"
    for held in open_vault_world("", str(tmp_path / "vault.db"), tmp_path):
        with taking(held) as merchant:
            held.world.core.database.write(lambda tx: tx.execute(looked))
            assert merchant.store().database.read(lambda tx: tx.execute(counted)) == [(2,)]
            merchant.sweep(DAY + 1)
            assert merchant.store().database.read(lambda tx: tx.execute(counted)) == [(1,)]


@pytest.fixture(scope="module")
def two_nodes(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Callable[[str], str]
) -> Iterator[tuple[VaultWorld, World]]:
    """Two nodes on one PostgreSQL, with one vault."""
    names = [f"{kind}_{Ids().text(12).lower()}" for kind in ("main", "vault")]
    with psycopg.connect(postgres_server("postgres"), autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}".encode())
    main, vault = (postgres_server(name) for name in names)
    folder = tmp_path_factory.mktemp("two")
    for first in open_vault_world(main, vault, folder):
        world = first.world
        keyring = first.place.keyring
        other = open_node(main, folder, world.runner, world.clock, vault_database=vault, vault_keyring=keyring)
        yield first, other
        assert other.server.vault is not None
        world.runner.run(other.server.vault.stop())
        world.runner.run(other.server.edge.stop())


def test_another_node_sends_the_number_without_the_code(two_nodes: tuple[VaultWorld, World]) -> None:
    first, other = two_nodes
    with taking(first) as merchant:
        method = merchant.typed()["id"]
        there = copy(merchant.api)
        there.world, there.core = other, other.core
        with connected(there, merchant.network) as elsewhere:
            assert elsewhere.pay(payment_method=method)["status"] == "succeeded"
        assert merchant.sent() == [(CANARY, None)]


def test_a_node_that_lacks_the_vault_leaves_its_payments_to_the_others(two_nodes: tuple[VaultWorld, World]) -> None:
    first, _ = two_nodes
    settings, world = first.world.core.settings, first.world
    node = open_node(settings.database, Path(settings.data), world.runner, world.clock)
    with taking(first) as merchant:
        held = merchant.pay(payment_method=merchant.typed()["id"], capture_method="manual")
        links, one = merchant.api.world.server.sender.links, merchant.attempts(held["id"])[0]
        node.server.sender.links.find = links.find
        with pytest.raises(Away, match="does not have the card vault"):
            world.runner.run(NoVault(node.server.edge).card_for(one, merchant.network.features))
        question = attempts.Question("capture", held["id"], 500, "usd", {}, about=one.reference)
        merchant.api.core.database.write(
            lambda tx: attempts.add(tx, merchant.scope, "R12345678901", question, "scripted", merchant.api.now)
        )
        sender, one = node.server.sender, waiting(merchant)
        assert not world.runner.run(sender._guarded(one, sender._send(one)))
        assert waiting(merchant).state == "prepared"
        merchant.recover(2)
        assert merchant.said("capture") == ["capture"]
    world.runner.run(node.server.sender.stop())
    world.runner.run(node.server.edge.stop())


def waiting(merchant: Vaulted) -> attempts.Attempt:
    """The capture that the test above has asked for."""
    found = merchant.api.core.database.read(lambda tx: attempts.find(tx, "R12345678901"))
    assert found is not None
    return found


def test_a_keyring_that_nodes_use_is_not_rotated(
    two_nodes: tuple[VaultWorld, World], capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = two_nodes
    with taking(first) as merchant:
        merchant.typed()
    with pytest.raises(typer.Exit):
        refuse_running(first.place.database)
    assert "is in use by" in capsys.readouterr().err


#: Where an error may happen while a card is typed in and paid with: module, what is replaced there.
STEPS = (
    ("tollkey.payments.processors.vault.vault", "Vault.keep"),
    ("tollkey.payments.processors.vault.store", "Store.put"),
    ("tollkey.payments.processors.vault.codes", "Codes.put"),
    ("tollkey.wire.idempotency", "keep"),
    ("tollkey.payments.processors.cards.checks", "full_year"),
    ("tollkey.payments.methods.new_cards", "NewCard.typed"),
    ("tollkey.payments.methods.new_cards", "NewCard.remember"),
    ("tollkey.payments.processors.vault.holding", "_hold"),
    ("tollkey.wire.objects", "Objects.insert"),
    ("tollkey.payments.processors.asking", "described"),
    ("tollkey.payments.processors.vault.vault", "Vault.card_for"),
    ("tollkey.payments.processors.vault.store", "Store.number"),
    ("tollkey.payments.processors.sending", "request_of"),
    ("tollkey.payments.processors.sending", "completed"),
    ("tollkey.payments.processors.vault.codes", "Codes.take"),
    ("tests.support.processor", "Network.send"),
    ("tollkey.payments.processors.answers", "conclude"),
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
def test_an_error_in_any_step_tells_no_number(
    vaulted: Vaulted, step: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    holder: Any = import_module(step[0])
    *outer, last = step[1].split(".")
    for part in outer:
        holder = getattr(holder, part)
    raised = []

    def fails(*_: object, **__: object) -> Any:
        raised.append(last)
        raise RuntimeError("a step failed")

    monkeypatch.setattr(holder, last, fails)
    answers = []
    with caplog.at_level(logging.DEBUG), suppress(KeyError):
        answers.append(vaulted.typed(headers={"Idempotency-Key": f"step-{step[1]}"}))
        answers.append(vaulted.pay(payment_method=answers[0]["id"]))
    vaulted.api.world.write_logs()
    told = caplog.text.encode() + b"".join(one.body for one in answers)
    assert raised, "the step was not taken"
    assert "a step failed" in caplog.text or answers[-1].status >= 400
    assert found_in(told, CANARY, "737") == []


def test_a_commit_of_unknown_outcome_keeps_the_number(vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object) -> Any:
        raise OutcomeUnknown("the disk failed")

    monkeypatch.setattr(Owners, "write", unknown)
    assert vaulted.typed().status == 503
    monkeypatch.undo()
    assert len(vaulted.numbers()) == 1


def test_what_cannot_be_deleted_at_once_is_swept(vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> Any:
        raise StorageError("it is away")

    monkeypatch.setattr(import_module("tollkey.payments.processors.vault.store"), "delete", away)
    refused = vaulted.post("/v1/payment_methods", type="card", card={**card(), "exp_year": 2020})
    assert (refused.status, len(vaulted.numbers())) == (402, 1)
    monkeypatch.undo()
    vaulted.sweep(DAY + 1)
    assert vaulted.numbers() == []


def test_a_server_starts_without_its_vault_and_answers_503_until_it_is_back(
    two_nodes: tuple[VaultWorld, World],
) -> None:
    first, _ = two_nodes
    settings, world = first.world.core.settings, first.world
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/vault"
    more = {"vault_database": nowhere, "vault_keyring": first.place.keyring}
    with taking(first) as merchant:
        node = open_node(settings.database, Path(settings.data), world.runner, world.clock, **more)
        vault = node.server.vault
        assert vault is not None
        there = copy(merchant.api)
        there.world, there.core = node, node.core
        refused = there.post("/v1/payment_methods", type="card", card=card(), key=there.live_sk)
        assert (refused.status, refused.error["type"]) == (503, "api_error")
        vault.place = first.place
        ends = time.monotonic() + 20
        while there.post("/v1/payment_methods", type="card", card=card(), key=there.live_sk).status != 200:
            assert time.monotonic() < ends
            time.sleep(0.1)
        world.runner.run(vault.stop())
        world.runner.run(node.server.edge.stop())
