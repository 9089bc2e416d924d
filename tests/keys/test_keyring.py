from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import Keyring, is_private


def test_the_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keyring"
    made = Keyring.load_or_create(path)
    assert is_private(path)
    assert Keyring.load_or_create(path) == made
    assert [file.name for file in path.parent.iterdir()] == ["keyring"]


def test_of_many_that_start_together_all_read_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: Keyring.load_or_create(tmp_path / "keyring"), range(16)))
    assert all(ring == rings[0] for ring in rings)


@pytest.mark.parametrize("text", ['{"digest": {}}', "", "[]", "[" * 100_000], ids=["half", "empty", "list", "deep"])
def test_a_damaged_file_is_refused_and_not_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keyring"
    path.write_text(text)
    with pytest.raises(KeyringError):
        Keyring.load_or_create(path)
    assert path.read_text() == text


def test_key_material_does_not_show_in_repr_or_errors(tmp_path: Path) -> None:
    ring = Keyring.fresh(lambda size: b"\xab" * size)
    assert "ab" * 8 not in repr(ring)
    assert "\\xab" not in repr(ring)


def test_rotation_keeps_the_retired_keys_and_saving_keeps_the_file_whole(tmp_path: Path) -> None:
    ring = Keyring.load_or_create(tmp_path / "keyring")
    rotated = ring.rotate_digest().rotate_sealing()
    rotated.save(tmp_path / "keyring")
    assert Keyring.load(tmp_path / "keyring") == rotated
    assert is_private(tmp_path / "keyring")
    assert (rotated.digest_current, set(rotated.digest_keys)) == ("d2", {"d1", "d2"})
    assert [name for name, _ in rotated.digests("x")] == ["d2", "d1"]
    assert ring.digest("x") in [digest for _, digest in rotated.digests("x")]


def test_a_current_key_cannot_be_dropped_and_a_retired_one_can() -> None:
    rotated = Keyring.fresh().rotate_digest()
    assert set(rotated.without("d1").digest_keys) == {"d2"}
    with pytest.raises(KeyringError):
        rotated.without("d2")


def test_what_is_worked_out_anew_each_time_outlives_a_rotation() -> None:
    ring = Keyring.fresh()
    assert ring.stable_digest("fingerprints") == ring.rotate_digest().rotate_digest().stable_digest("fingerprints")
    assert ring.account_mark("alice@example.com") == ring.rotate_digest().account_mark("alice@example.com")


def test_a_keyring_behind_a_symbolic_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    """Other processes may have the file itself: they would go on with the keyring of before."""
    (tmp_path / "secrets").mkdir()
    ring = Keyring.load_or_create(tmp_path / "secrets" / "keyring")
    link = tmp_path / "keyring.json"
    link.symlink_to(tmp_path / "secrets" / "keyring")
    rotated = ring.rotate_digest()
    rotated.save(link)
    assert link.is_symlink()
    assert Keyring.load(tmp_path / "secrets" / "keyring") == rotated


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_keyring_that_cannot_be_written_leaves_no_copy_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    ring = Keyring.load_or_create(tmp_path / "keyring")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        ring.rotate_digest().save(tmp_path / "keyring")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["keyring"]
    assert Keyring.load(tmp_path / "keyring") == ring
