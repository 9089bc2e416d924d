"""The keyring of a running process is not changed: the process would go on with keys that are not current."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tollkey.keys import KeyService
from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import use, use_alone


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Keyring.fresh().create(tmp_path / "keyring")
    return tmp_path / "keyring"


def test_several_processes_use_a_keyring_and_one_changes_it_alone(file: Path) -> None:
    marks = [use(file), use(file)]
    for mark in marks:
        with pytest.raises(KeyringError, match="in use") as refused:
            use_alone(file)
        if sys.platform == "linux":
            assert f"process {os.getpid()} of this machine" in str(refused.value)
        mark.close()
        mark.close()
    alone = use_alone(file)
    with pytest.raises(KeyringError, match="is being changed"):
        use(file)
    alone.close()
    use(file).close()


def test_who_holds_a_keyring_that_was_replaced_knows(file: Path) -> None:
    mark = use(file)
    assert mark.of(file)
    Keyring.fresh().save(file)
    assert not mark.of(file)
    mark.close()
    assert not mark.of(file)


def test_a_service_uses_its_keyring_until_it_is_closed(tmp_path: Path) -> None:
    with KeyService.open(str(tmp_path / "keys.db"), flush_seconds=0), pytest.raises(KeyringError):
        use_alone(tmp_path / "keys.db.keyring")
    use_alone(tmp_path / "keys.db.keyring").close()
