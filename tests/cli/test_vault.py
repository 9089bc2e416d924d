"""The card vault, from a shell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.shell import audited, run
from tests.support.socket_processor import FEATURES
from tests.support.vault import CANARY, card
from tollkey.core import Core, open_core
from tollkey.db import Scope
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import use
from tollkey.payments.processors import backends
from tollkey.payments.processors.vault import Store, create, place_of
from tollkey.payments.processors.vault.holding import hold, is_on, main_id
from tollkey.platform.merchants import first_merchant
from tollkey.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TOLLKEY_VAULT_DATABASE", str(tmp_path / "apart" / "vault.db"))
    monkeypatch.setenv("TOLLKEY_VAULT_KEYRING", str(tmp_path / "vault-keyring.json"))
    made = run(tmp_path / "data", "accounts", "create", "--name", "Shop")
    assert made.exit_code == 0, made.output
    return load_settings(data=str(tmp_path / "data"))


@pytest.fixture
def shop(settings: Settings) -> Path:
    """A data folder whose account has a processor that takes numbers."""
    connect(settings, "number")
    return Path(settings.data)


def connect(settings: Settings, kind: str) -> None:
    core, able = open_core(settings), replace(FEATURES, raw_numbers=kind == "number")
    scope = scope_of(core)
    core.database.write(lambda tx: backends.connect(tx, core.authority.keyring, scope, "scripted", {}, able, 1))
    core.close()


def scope_of(core: Core) -> Scope:
    account = core.database.read(first_merchant)
    assert account is not None
    return Scope(account.id, True)


def kept(settings: Settings, *, held: bool) -> None:
    """Put a number into the vault. held: by a card of the account, else by nothing."""
    core = open_core(settings)
    scope, place = scope_of(core), place_of(settings)
    main = core.database.read(main_id)
    assert place is not None
    assert main is not None
    vault: Store = create(place, main, core.authority.keyring)
    found = vault.database.write(lambda tx: vault.put(tx, core.setup.ids, scope, [CANARY], 1))
    value = {"object": "payment_method", "id": "pm_1", "_vault": found[CANARY].reference}
    if held:
        core.database.write(lambda tx: hold(core.call(tx, scope), value))
    vault.database.close()
    core.close()


def said(folder: Path, *words: str, code: int = 0) -> str:
    result = run(folder, "live", "vault", *words)
    assert result.exit_code == code, result.output
    assert CANARY not in result.output
    return result.output


def test_an_account_is_turned_on_and_off(settings: Settings, shop: Path) -> None:
    assert "takes the numbers of cards" in said(shop, "on")
    assert json.loads(said(shop, "status", "--json"))["accounts"][0]["on"] is True
    said(shop, "off")
    core = open_core(settings)
    scope = scope_of(core)
    assert not core.database.read(lambda tx: is_on(tx, scope))
    core.close()
    assert [action for action, _ in audited(shop)] == ["card_vault_on", "card_vault_off"]
    assert Path(settings.vault_keyring).stat().st_mode & 0o077 == 0


def test_without_a_processor_that_needs_numbers_it_stays_off(settings: Settings) -> None:
    folder = Path(settings.data)
    assert "has no processor" in said(folder, "on", code=1)
    connect(settings, "token")
    assert "takes tokens" in said(folder, "on", code=1)
    assert not Path(settings.vault_database).exists()


@pytest.mark.parametrize("word", ["status", "rotate", "sweep", "on", "off"])
def test_without_settings_there_is_none(shop: Path, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLKEY_VAULT_DATABASE")
    monkeypatch.delenv("TOLLKEY_VAULT_KEYRING")
    assert "TOLLKEY_VAULT_DATABASE" in said(shop, word, code=1)


@pytest.mark.parametrize("word", ["status", "rotate", "sweep"])
def test_a_vault_that_is_not_made_yet_is_told(shop: Path, word: str) -> None:
    assert "live vault on" in said(shop, word, code=1)


def test_a_keyring_that_is_lost_is_told_and_none_is_made(settings: Settings, shop: Path) -> None:
    said(shop, "on")
    Path(settings.vault_keyring).unlink()
    assert "is missing" in said(shop, "status", code=1)
    assert "is missing" in said(shop, "on", code=1)


def test_numbers_are_sealed_with_a_new_key_and_the_old_one_is_dropped(settings: Settings, shop: Path) -> None:
    said(shop, "on")
    kept(settings, held=True)
    first = json.loads(said(shop, "rotate", "--json"))
    assert (first["sealing_key"], first["numbers"], first["dropped"]) == ("s2", 1, [])
    second = json.loads(said(shop, "rotate", "--drop-old", "--json"))
    assert (second["sealing_key"], second["numbers"], second["dropped"]) == ("s3", 1, ["s1", "s2"])
    assert set(Keyring.load(settings.vault_keyring).sealing_keys) == {"s3"}
    assert json.loads(said(shop, "status", "--json"))["retired"] == []
    assert audited(shop)[-1][0] == "card_vault_rotated"


def test_a_keyring_in_use_is_not_rotated(settings: Settings, shop: Path) -> None:
    said(shop, "on")
    mark = use(Path(settings.vault_keyring))
    assert "in use" in said(shop, "rotate", code=1)
    mark.close()


def test_what_nobody_needs_is_swept(settings: Settings, shop: Path) -> None:
    said(shop, "on")
    kept(settings, held=False)
    assert json.loads(said(shop, "sweep", "--json")) == {"ended": 0, "orphans": 1}
    assert "takes or has" not in said(shop, "status")


def test_off_deletes_the_numbers_when_it_is_asked_to(settings: Settings, shop: Path) -> None:
    said(shop, "on")
    kept(settings, held=True)
    assert json.loads(said(shop, "status", "--json"))["accounts"][0]["numbers"] == 1
    assert "deleted" in said(shop, "off", "--delete")
    assert json.loads(said(shop, "status", "--json")) | {"database": "", "keyring": ""} == {
        "accounts": [], "database": "", "keyring": "", "retired": [], "sealing_key": "s1", "waiting": 0,
    }  # fmt: skip


def test_doctor_says_whether_the_vault_can_be_used(settings: Settings, shop: Path) -> None:
    def doctor() -> dict[str, tuple[bool, str]]:
        found = json.loads(run(shop, "doctor", "--json").output)
        return {one["check"]: (one["ok"], one["detail"]) for one in found if one["check"] == "card vault"}

    assert doctor() == {}
    said(shop, "on")
    assert doctor() == {"card vault": (True, "can be opened")}
    Path(settings.vault_keyring).chmod(0o644)
    assert "readable by their owner only" in doctor()["card vault"][1]
    Path(settings.vault_keyring).unlink()
    assert "is missing" in doctor()["card vault"][1]


def test_doctor_says_when_the_settings_of_a_used_vault_are_gone(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said(shop, "on")
    monkeypatch.delenv("TOLLKEY_VAULT_DATABASE")
    monkeypatch.delenv("TOLLKEY_VAULT_KEYRING")
    assert "set TOLLKEY_VAULT_DATABASE" in run(shop, "doctor").output


def test_a_backup_of_the_server_has_neither_the_vault_nor_its_keyring(shop: Path, tmp_path: Path) -> None:
    said(shop, "on")
    assert run(shop, "backup", str(tmp_path / "copy"), "--with-keyring").exit_code == 0
    names = {file.name for file in (tmp_path / "copy").iterdir()}
    assert not {name for name in names if "vault" in name}
    assert card()["number"].encode() not in b"".join(file.read_bytes() for file in (tmp_path / "copy").iterdir())
