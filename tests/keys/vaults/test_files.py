"""Files that keep a key: written whole, readable by their owner only, and with everything else as it was."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tollkey.keys.delivering import DeliveryFailed
from tollkey.keys.vaults import DotEnv, KubernetesSecret

TEXT = "sk_live_" + "a" * 40


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"KEY={TEXT}\n"),
        ("A=1\n# KEY=x\n", f"A=1\n# KEY=x\nKEY={TEXT}\n"),
        ("A=1", f"A=1\nKEY={TEXT}\n"),
        ("A=1\r\nKEY=old\r\nB=2\r\n", f"A=1\r\nKEY={TEXT}\r\nB=2\r\n"),
        ("  export KEY = 'old'\nB=2\n", f"  export KEY={TEXT}\nB=2\n"),
        ('KEY="two\nlines"\nB=2\n', f"KEY={TEXT}\nB=2\n"),
        ('A="two\nKEY=within\nthree"\nKEY=old\n', f'A="two\nKEY=within\nthree"\nKEY={TEXT}\n'),
        ('A="a \\" quote"\nKEY=old\n', f'A="a \\" quote"\nKEY={TEXT}\n'),
        ("KEY=1\nKEY=2\n", f"KEY={TEXT}\nKEY={TEXT}\n"),
        ("MY_KEY=1\nKEY_2=2\n", f"MY_KEY=1\nKEY_2=2\nKEY={TEXT}\n"),
        ('KEY="never closed\nA=1\n', f"KEY={TEXT}\n"),
    ],
)
def test_a_variable_is_set_in_its_place_and_other_lines_stay(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes(before.encode())
    DotEnv(file, "KEY").store(TEXT)
    assert file.read_bytes() == after.encode()


def test_a_file_is_readable_by_its_owner_only_also_when_it_was_not(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    DotEnv(file, "KEY").store(TEXT)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    DotEnv(file, "KEY").store(TEXT)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_a_symbolic_link_goes_on_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to(tmp_path / "real")
    DotEnv(tmp_path / ".env", "KEY").store(TEXT)
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real").read_text() == f"A=1\nKEY={TEXT}\n"


def test_what_cannot_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed, match="cannot be written"):
        DotEnv(tmp_path / "missing" / ".env", "KEY").store(TEXT)
    with pytest.raises(DeliveryFailed, match="cannot be read"):
        DotEnv(tmp_path, "KEY").store(TEXT)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(DeliveryFailed, match="UTF-8"):
        DotEnv(tmp_path / "binary", "KEY").store(TEXT)
    assert (tmp_path / "binary").read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "A B", "A\n"])
def test_a_variable_has_the_name_of_one(name: str) -> None:
    with pytest.raises(ValueError):
        DotEnv(Path(".env"), name)


def test_a_manifest_is_printed_for_kubectl() -> None:
    shown: list[str] = []
    secret = KubernetesSecret("acme-keys", "API_KEY", "prod", show=shown.append)
    secret.store(TEXT)
    value = base64.b64encode(TEXT.encode()).decode()
    assert shown[0].splitlines()[1:] == [
        "apiVersion: v1", "kind: Secret", "metadata:", '  name: "acme-keys"', '  namespace: "prod"', "type: Opaque",
        "data:", f'  "API_KEY": {value}',
    ]  # fmt: skip
    assert secret.place == "k8s:prod/acme-keys#API_KEY"


def test_a_manifest_replaces_its_own_file_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "secret.yaml"
    secret = KubernetesSecret("acme-keys", "API_KEY", file=file)
    secret.store("old")
    secret.store(TEXT)
    assert (secret.manifest(TEXT), file.stat().st_mode & 0o777) == (file.read_text(), 0o600)
    file.write_text("kind: Deployment\n")
    with pytest.raises(DeliveryFailed, match="not written by tollkey"):
        secret.store(TEXT)
    assert file.read_text() == "kind: Deployment\n"


@pytest.mark.parametrize(
    ("name", "key", "namespace"), [("", "K", ""), ("Acme", "K", ""), ("a", "K\n", ""), ("a", "", ""), ("a", "K", "P_")]
)
def test_names_that_kubernetes_does_not_take_are_refused(name: str, key: str, namespace: str) -> None:
    with pytest.raises(ValueError):
        KubernetesSecret(name, key, namespace)
